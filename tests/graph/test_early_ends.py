"""Spares whose end comes early: before they take their role, or before the fork server knows of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steady_mp.supervisor.spare import Spare, take
from tests.support.unserved import NOBODY, asks, told, unserved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steady_mp.supervisor.forkserver import ForkServer

pytestmark = pytest.mark.timeout(20)


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[ForkServer, socket.socket]]:
    """A fork server that serves nobody yet, and the supervisor's end of its connection."""
    with unserved(tmp_path) as both:
        yield both


@pytest.fixture
def over(ends: tuple[ForkServer, socket.socket]) -> Iterator[tuple[Spare, socket.socket]]:
    """The spare of that fork server, which is over and not reaped, and its end of its socket."""
    server, _ = ends
    ours, theirs = socket.socketpair()
    with ours, theirs, subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"], process_group=0) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        server._reserve.spare = Spare(process.pid, ours)
        yield server._reserve.spare, theirs


def test_a_life_that_is_over_before_the_supervisor_has_told_of_it_is_told_of_then(
    ends: tuple[ForkServer, socket.socket], over: tuple[Spare, socket.socket]
) -> None:
    """It has given the spare its role, and was held up before it said so here."""
    (server, there), (spare, its) = ends, over
    take(its.dup())
    server._reap()
    assert server._reserve.spare is None
    before = sorted(Path("/dev/fd").iterdir())
    asks(there, spawn=1, generation=3, given=spare.pid)
    assert server._receive()
    assert sorted(Path("/dev/fd").iterdir()) == before
    began, ended = told(there)
    assert began == {"spawned": 1, "pid": spare.pid}
    assert (ended["exited"], ended["pid"], ended["status"]) == (1, spare.pid, 7)
    assert not server._children


def test_a_life_whose_spare_is_over_before_it_took_the_role_is_forked(
    ends: tuple[ForkServer, socket.socket], over: tuple[Spare, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    (server, there), (spare, _) = ends, over
    server._reap()
    monkeypatch.setattr(os, "fork", lambda: NOBODY)
    asks(there, spawn=1, generation=3, given=spare.pid)
    assert server._receive()
    assert told(there) == [{"spawned": 1, "pid": NOBODY}]


def test_a_life_that_is_over_before_the_spare_was_listened_for_is_told_of(
    ends: tuple[ForkServer, socket.socket], over: tuple[Spare, socket.socket]
) -> None:
    (server, there), (spare, its) = ends, over
    asks(there, spawn=1, generation=3, given=spare.pid)
    assert server._receive()
    take(its.dup())
    server._reap()
    began, ended = told(there)
    assert began == {"spawned": 1, "pid": spare.pid}
    assert (ended["exited"], ended["pid"], ended["status"]) == (1, spare.pid, 7)
    assert not server._children


def test_the_life_of_a_spare_that_is_lost_with_its_role_is_forked(
    ends: tuple[ForkServer, socket.socket], over: tuple[Spare, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    (server, there), (spare, _) = ends, over
    asks(there, spawn=1, generation=3, given=spare.pid)
    assert server._receive()
    monkeypatch.setattr(os, "fork", lambda: NOBODY)
    server._reap()
    assert told(there) == [{"spawned": 1, "pid": NOBODY}]
