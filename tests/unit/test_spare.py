"""When a spare is forked, what it is told, and what it rehearses."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steady_mp.supervisor.rehearsal import rehearse
from steady_mp.supervisor.spare import Reserve, Role, Spare, be_ready, take, wait_for_role
from tests.support.spares import Hand

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ends() -> Iterator[tuple[Spare, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        yield Spare(os.getpid(), ours), theirs


def test_a_role_arrives_whole_and_its_taking_is_heard(ends: tuple[Spare, socket.socket]) -> None:
    spare, there = ends
    read, write = os.pipe()
    role = Role(3, 41, write)
    assert not spare.give(role)  # it is still at its rehearsal
    be_ready(there)
    assert spare.give(role)
    os.close(write)
    assert not spare.has_taken()
    actor, generation, log_fd = wait_for_role(there)
    assert (actor, generation) == (3, 41)
    take(there)
    assert spare.has_taken()
    os.write(log_fd, b"said")
    os.close(log_fd)
    assert os.read(read, 10) == b"said"
    assert os.read(read, 10) == b""
    os.close(read)


def test_a_dead_one_takes_no_role(ends: tuple[Spare, socket.socket]) -> None:
    spare, there = ends
    be_ready(there)
    there.close()
    assert not spare.give(Role(0, 1, 2))
    assert spare.role is None
    assert not spare.has_taken()


def test_a_spare_is_due_when_the_lives_that_began_are_on_their_way(ends: tuple[Spare, socket.socket]) -> None:
    clock = Hand()
    reserve = Reserve(clock)
    assert reserve.patience() is None  # no life has begun
    reserve.is_wanted = True
    reserve.postpone()
    assert not reserve.is_due()
    patience = reserve.patience() or 0.0
    assert 0 < patience < 1000
    clock.now += patience / 2000
    reserve.postpone()  # another one
    clock.now += patience / 2000
    assert not reserve.is_due()
    clock.now += patience / 1000
    assert reserve.is_due()
    reserve.spare = ends[0]
    assert reserve.patience() is None
    assert not reserve.is_due()


def test_a_spare_that_always_dies_is_forked_ever_more_rarely() -> None:
    clock = Hand()
    reserve = Reserve(clock)
    reserve.is_wanted = True
    pauses = []
    for _ in range(20):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        reserve.spare = Spare(os.getpid(), ours)
        theirs.close()
        assert reserve.died() is None
        pauses.append(reserve.patience() or 0.0)
        clock.now += pauses[-1] / 1000 + 1e-6
        assert reserve.is_due()
    assert pauses[10] == pytest.approx(1024 * pauses[0])
    assert pauses[1] == pytest.approx(2 * pauses[0])
    assert pauses[-1] == pytest.approx(60_000)


def test_the_role_of_a_lost_spare_is_handed_back(ends: tuple[Spare, socket.socket]) -> None:
    reserve = Reserve(Hand())
    reserve.spare, there = ends
    read, write = os.pipe()
    role = Role(1, 2, write)
    assert reserve.took() is None
    be_ready(there)
    assert reserve.give(role)
    assert not reserve.give(Role(2, 1, write))  # one at a time
    assert reserve.took() is None
    there.close()
    assert reserve.died() == role
    assert reserve.died() is None  # it is forgotten
    os.close(read)
    os.close(write)


def test_a_rehearsal_leaves_nothing_behind(capfd: pytest.CaptureFixture[str], run_root: Path) -> None:
    before = sorted(Path("/dev/fd").iterdir())
    rehearse()
    assert sorted(Path("/dev/fd").iterdir()) == before
    assert capfd.readouterr() == ("", "")
    assert not list(run_root.iterdir())
