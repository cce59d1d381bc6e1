"""A spare that does not answer: it is not waited for, and never killed once it is somebody."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from steady_mp.supervisor.spare import Reserve, Role, Spare, take
from tests.support.spares import Hand
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def child() -> Iterator[tuple[Spare, socket.socket]]:
    """A spare that is a process, which says and does nothing, and what it would talk through."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    with ours, theirs, process:
        yield Spare(process.pid, ours), theirs
        process.kill()


def given(clock: Hand, spare: Spare, there: socket.socket) -> Reserve:
    """A reserve whose spare has got a role, and is listened for."""
    reserve = Reserve(clock)
    reserve.spare = spare
    assert reserve.given(spare.pid, Role(1, 2, there.fileno()))
    clock.now += (reserve.patience() or 0.0) / 1000 + 1e-6
    assert reserve.begins_to_hear()
    return reserve


def test_one_that_does_not_answer_is_stopped_and_then_killed(child: tuple[Spare, socket.socket]) -> None:
    clock, (spare, there) = Hand(), child
    reserve = given(clock, spare, there)
    patience = reserve.patience()
    assert patience is not None
    assert patience < 1000
    assert reserve.took() is None
    assert not spare.is_stopped()
    clock.now += patience / 1000 + 1e-6
    assert reserve.took() is None
    assert eventually(spare.is_stopped)
    assert reserve.patience() is None  # its stop is news
    assert reserve.took() is None
    ended = os.waitid(os.P_PID, spare.pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    assert ended.si_status == signal.SIGKILL
    assert reserve.died() == (1, 2, there.fileno())


def test_one_that_answers_while_it_is_stopped_goes_on(child: tuple[Spare, socket.socket]) -> None:
    clock, (spare, there) = Hand(), child
    reserve = given(clock, spare, there)
    clock.now += 1.0
    assert reserve.took() is None
    take(there.dup())
    assert eventually(spare.is_stopped)
    assert reserve.took() == (1, 2, there.fileno())
    assert os.waitid(os.P_PID, spare.pid, os.WCONTINUED) is not None


def test_one_that_is_stopped_behind_its_answer_is_somebody(child: tuple[Spare, socket.socket]) -> None:
    """Also where it is not known yet who: the supervisor tells the spare first."""
    (spare, there), reserve = child, Reserve(Hand())
    reserve.spare = spare
    take(there.dup())
    os.kill(spare.pid, signal.SIGSTOP)
    assert eventually(spare.is_stopped)
    assert reserve.took() is None
    assert os.waitid(os.P_PID, spare.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    role = Role(1, 2, there.fileno())
    assert reserve.given(spare.pid, role)
    assert reserve.took() == role
