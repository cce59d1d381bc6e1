"""Doorbells, the barrier, mappings and the parker: how one process wakes another."""

from __future__ import annotations

import contextlib
import os
import select
from typing import TYPE_CHECKING

import pytest

from steady_mp.memory import fence as fences
from steady_mp.memory.doorbell import Doorbell
from steady_mp.memory.layout import PAGE
from steady_mp.memory.mapping import Mapping
from steady_mp.parking import SAFETY, PollParker, Wake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Doorbell.create(tmp_path / "bell")
    return tmp_path / "bell"


@pytest.fixture
def bell(path: Path) -> Iterator[Doorbell]:
    bell = Doorbell(path)
    yield bell
    bell.close()


def rings(bell: Doorbell) -> bool:
    return bool(select.select([bell.fd], [], [], 0)[0])


def test_a_ring_stays_until_it_is_cleared(bell: Doorbell, path: Path) -> None:
    ringer = Doorbell(path)
    assert not rings(bell)
    ringer.ring()
    ringer.ring()
    assert rings(bell)
    bell.clear()
    assert not rings(bell)
    bell.clear()  # of nothing
    ringer.close()


def test_a_ringer_that_goes_away_is_no_end_of_file(bell: Doorbell, path: Path) -> None:
    Doorbell(path).close()
    assert not rings(bell)


def test_a_ring_for_the_dead_waits_for_the_successor_while_anybody_holds_the_bell(path: Path) -> None:
    ringer, dead = Doorbell(path), Doorbell(path)
    dead.close()
    ringer.ring()
    successor = Doorbell(path)
    assert rings(successor)
    ringer.close()
    successor.close()


def test_a_full_bell_is_rung_already(bell: Doorbell) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(bell.fd, bytes(PAGE))
    bell.ring()
    bell.clear()
    assert not rings(bell)


def test_a_bell_is_for_its_owner_only_and_is_not_inherited(bell: Doorbell, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert not os.get_inheritable(bell.fd)


# The barrier


def test_the_barrier_leaves_itself_ready_for_the_next_one() -> None:
    for _ in range(3):
        fences.fence()
    assert fences._barrier.locked()


@pytest.mark.parametrize("half", ["_release", "_acquire"])
def test_so_does_one_that_a_signal_breaks_off(monkeypatch: pytest.MonkeyPatch, half: str) -> None:
    call = getattr(fences, half)

    def interrupted() -> None:
        call()
        raise TimeoutError  # the handler runs where the call ends

    with monkeypatch.context() as patch:
        patch.setattr(fences, half, interrupted)
        with pytest.raises(TimeoutError):
            fences.fence()
    assert fences._barrier.locked()
    fences.fence()


@pytest.mark.parametrize(("ordered", "fenced"), [(True, 0), (False, 1)])
def test_order_costs_a_fence_only_where_the_processor_needs_one(
    ordered: bool,  # noqa: FBT001 - a parameter of the test
    fenced: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(fences, "ORDERED", ordered)
    monkeypatch.setattr(fences, "fence", lambda: calls.append(1))
    fences.order()
    assert len(calls) == fenced


# Mappings


def test_two_mappings_of_one_file_are_the_same_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(PAGE))
    one, two = Mapping(tmp_path / "file"), Mapping(tmp_path / "file")
    one.words[3] = 2**64 - 1
    assert two.words[3] == 2**64 - 1
    assert bytes(two.data[24:32]) == b"\xff" * 8
    assert one.size == two.size == PAGE
    one.close()
    two.close()


def test_a_closed_mapping_is_gone() -> None:
    mapping = Mapping(None, PAGE)
    mapping.close()
    with pytest.raises(ValueError, match="released"):
        mapping.words[0]


# The parker


class Line:
    """The supervisor's end of a lifeline, and the parker at the other one."""

    def __init__(self, bell: Doorbell) -> None:
        self.out, self.held = os.pipe()
        self.orphaned = 0
        self.parker = PollParker(bell, self.out, self._orphan)

    def _orphan(self) -> None:
        self.orphaned += 1


@pytest.fixture
def line(bell: Doorbell) -> Iterator[Line]:
    line = Line(bell)
    yield line
    os.close(line.out)
    if line.held >= 0:
        os.close(line.held)


class FakePoll:
    """A poll that times out at once, and keeps for how many milliseconds it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def register(self, fd: int, mask: int) -> None:
        """Take note of nothing."""

    def unregister(self, fd: int) -> None:
        """Take note of nothing."""

    def poll(self, milliseconds: int) -> list[tuple[int, int]]:
        self.asked.append(milliseconds)
        return []


def test_a_ring_ends_the_sleep_and_is_cleared(line: Line, bell: Doorbell) -> None:
    bell.ring()
    assert line.parker.sleep(None, []) is Wake.RUNG
    assert not rings(bell)
    assert line.parker.sleep(0.0, []) is Wake.TIMER


def test_a_descriptor_ends_the_sleep_even_if_it_is_named_twice(line: Line) -> None:
    out, held = os.pipe()
    os.write(held, b"x")
    assert line.parker.sleep(None, [out, out]) is Wake.RUNG
    assert line.parker.sleep(0.0, []) is Wake.TIMER  # it is not watched any more
    os.close(out)
    os.close(held)


def test_the_end_of_the_supervisor_orphans_the_actor(line: Line) -> None:
    os.close(line.held)
    line.held = -1
    line.parker.sleep(None, [])
    assert line.orphaned == 1


@pytest.mark.parametrize(
    ("seconds", "milliseconds", "wake"),
    [
        (0.0, 0, Wake.TIMER),
        (1e-6, 1, Wake.TIMER),
        (0.001, 1, Wake.TIMER),
        (0.0011, 2, Wake.TIMER),
        (2.0, 2000, Wake.TIMER),
        (SAFETY, 1000 * SAFETY, Wake.TIMER),
        (SAFETY + 1, 1000 * SAFETY, Wake.SAFETY),
        (None, 1000 * SAFETY, Wake.SAFETY),
    ],
)
def test_a_time_is_rounded_up_to_milliseconds_and_ends_at_the_safety_look(
    seconds: float | None, milliseconds: float, wake: Wake, line: Line
) -> None:
    line.parker._poll = poll = FakePoll()  # type: ignore[assignment]
    assert line.parker.sleep(seconds, []) is wake
    assert poll.asked == [milliseconds]
