"""An actor at a `breakpoint()` that something else ends than whoever has attached: a signal's handler, a full disk."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, NoReturn

import pytest

from steady_mp.memory import layout
from steady_mp.memory.doorbell import Doorbell
from steady_mp.memory.files import allocate
from steady_mp.memory.mapping import Mapping
from steady_mp.parking import is_readable
from steady_mp.plan import SUPERVISOR_BELL
from steady_mp.supervisor import debugger
from steady_mp.supervisor.conversation import BYE, ActorPdb, Line

if TYPE_CHECKING:
    from pathlib import Path


class Struck(Exception):
    """What the handler of a signal raises."""


def strike(*_: object) -> NoReturn:
    raise Struck


def test_a_wait_for_somebody_who_attaches_that_is_broken_off_holds_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allocate(tmp_path / "actor-0.control", layout.control_bytes(0))
    Doorbell.create(tmp_path / SUPERVISOR_BELL)
    bell = Doorbell(tmp_path / SUPERVISOR_BELL)
    monkeypatch.setattr(debugger, "_accept", strike)
    with pytest.raises(Struck):
        debugger.Debugger(tmp_path, 0, "worker")()
    assert not Mapping(tmp_path / "actor-0.control", read_only=True).words[layout.DEBUGGED]
    assert is_readable(bell.fd)  # the time for a shutdown begins anew
    assert not (tmp_path / "actor-0.pdb").exists()
    bell.close()


def test_a_session_that_is_broken_off_holds_nobody_and_hangs_up(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    monkeypatch.setattr(Line, "readline", strike)
    with there:
        session = ActorPdb(Line(here), held.append)
        session.reset()
        with pytest.raises(Struck):
            session.interaction(sys._getframe(), None)
        assert held == [True, False]
        assert there.recv(1 << 16).endswith(BYE)
        assert not there.recv(1)
