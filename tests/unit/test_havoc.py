"""Havoc counts what has happened: strikes that come too late, deaths that are somebody else's, and truces."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from steady_mp.events import ChaosEnded, ChaosFroze, Event
from steady_mp.supervisor.havoc import Havoc
from steady_mp.supervisor.messages import Message, Thaw
from steady_mp.supervisor.seat import Seat, Status
from steady_mp.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Sequence

KILLED = -signal.SIGKILL


@dataclass
class FakeSeat:
    """A process that does with a signal what the test says."""

    index: int
    status: Status = Status.RUNNING
    generation: int = 1
    has_worked: bool = True
    stops: bool = True
    signals: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"actor{self.index}"

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.signals.append(number)

    def is_stopped(self) -> bool:
        return self.stops

    def begin(self, *, has_worked: bool = False) -> None:
        self.generation += 1
        self.has_worked = has_worked
        self.signals.clear()


class Stage:
    def __init__(self, count: int = 3) -> None:
        self.seats = [FakeSeat(index) for index in range(count)]
        self.events: list[Event] = []
        self.timers: list[tuple[float, Message]] = []
        self.clock = ManualClock()
        seats = cast("Sequence[Seat]", self.seats)
        self.havoc = Havoc(seats, self.events.append, lambda *timer: self.timers.append(timer), self.clock)

    def end(self, index: int, status: int) -> bool:
        struck = self.havoc.ended(cast("Seat", self.seats[index]), status)
        self.havoc.settle()
        return struck

    def thaw(self, index: int, generation: int = 1) -> None:
        self.havoc.thaw(index, generation)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def froze(index: int, seconds: float, generation: int = 1) -> ChaosFroze:
    return ChaosFroze(actor=f"actor{index}", generation=generation, seconds=seconds)


# Kills


def test_the_first_that_lives_is_killed_and_nobody_else(stage: Stage) -> None:
    stage.seats[2].status = Status.RESTARTING
    stage.seats[0].status = Status.FINISHED
    stage.havoc.strike([2, 0, 1], 0.0)
    assert [seat.signals for seat in stage.seats] == [[], [signal.SIGKILL], []]
    assert stage.end(1, KILLED)


@pytest.mark.parametrize("status", [Status.STARTING, Status.RESTARTING, Status.FINISHED, Status.GIVEN_UP])
def test_who_has_no_process_is_not_hit(stage: Stage, status: Status) -> None:
    for seat in stage.seats:
        seat.status = status
    stage.havoc.strike([0, 1, 2], 0.0)
    stage.havoc.strike([0, 1, 2], 0.1)
    assert [seat.signals for seat in stage.seats] == [[], [], []]


def test_nobody_is_hit_twice_in_one_life(stage: Stage) -> None:
    stage.havoc.strike([0], 0.0)
    stage.havoc.strike([0, 1], 0.0)
    stage.havoc.strike([0], 0.1)
    assert [seat.signals for seat in stage.seats] == [[signal.SIGKILL], [signal.SIGKILL], []]


@pytest.mark.parametrize("status", [0, 1, -signal.SIGSEGV, -signal.SIGTERM])
def test_a_strike_that_came_too_late_is_none(stage: Stage, status: int) -> None:
    stage.havoc.strike([0], 0.0)
    assert not stage.end(0, status)


def test_a_sigkill_of_somebody_else_is_no_strike(stage: Stage) -> None:
    assert not stage.end(0, KILLED)
    stage.havoc.strike([0], 0.0)
    stage.end(0, 1)
    stage.seats[0].begin()
    assert not stage.end(0, KILLED)


def test_a_life_after_a_barren_one_is_spared_until_it_has_worked(stage: Stage) -> None:
    seat = stage.seats[0]
    seat.has_worked = False
    stage.havoc.strike([0], 0.0)
    stage.end(0, KILLED)
    seat.begin()
    stage.havoc.strike([0], 0.0)
    assert seat.signals == []
    stage.havoc.strike([0], 0.1)  # a freeze takes nothing from it
    assert seat.signals == [signal.SIGSTOP]
    seat.has_worked = True
    stage.havoc.strike([0], 0.0)
    assert seat.signals == [signal.SIGSTOP, signal.SIGKILL]
    stage.end(0, KILLED)
    seat.begin()
    stage.havoc.strike([0], 0.0)  # after one that has worked, any instant will do
    assert seat.signals == [signal.SIGKILL]


def test_only_barren_lives_that_were_killed_here_spare_the_next(stage: Stage) -> None:
    stage.seats[0].has_worked = False
    stage.end(0, KILLED)
    stage.seats[0].begin()
    stage.havoc.strike([0], 0.0)
    assert stage.seats[0].signals == [signal.SIGKILL]


# Freezes


def test_a_freeze_ends_by_a_timer_and_is_told_then(stage: Stage) -> None:
    stage.havoc.strike([0], 0.1)
    assert stage.seats[0].signals == [signal.SIGSTOP]
    assert stage.timers == [(0.1, Thaw(0, 1))]
    assert stage.events == []
    stage.clock.advance(0.15)
    stage.thaw(0)
    assert stage.seats[0].signals == [signal.SIGSTOP, signal.SIGCONT]
    assert stage.events == [froze(0, 0.15)]


def test_a_frozen_actor_is_not_frozen_again_but_the_next_one_is(stage: Stage) -> None:
    stage.havoc.strike([0], 0.1)
    stage.havoc.strike([0, 1], 0.1)
    assert [seat.signals for seat in stage.seats] == [[signal.SIGSTOP], [signal.SIGSTOP], []]


def test_a_process_that_was_not_found_stopped_goes_on_and_is_not_counted(stage: Stage) -> None:
    stage.seats[0].stops = False  # it was just dying, or somebody else has thawed it
    stage.havoc.strike([0], 0.1)
    stage.thaw(0)
    assert stage.seats[0].signals == [signal.SIGSTOP, signal.SIGCONT]
    assert stage.events == []


def test_the_thaw_of_a_life_before_leaves_this_one_alone(stage: Stage) -> None:
    stage.havoc.strike([0], 0.1)
    stage.end(0, 1)
    stage.seats[0].begin()
    stage.thaw(0, generation=1)
    assert stage.seats[0].signals == []
    stage.havoc.strike([0], 0.1)
    stage.thaw(0, generation=1)
    assert stage.seats[0].signals == [signal.SIGSTOP]


def test_one_that_is_killed_while_it_is_frozen_counts_twice(stage: Stage) -> None:
    stage.havoc.strike([0], 0.1)
    stage.clock.advance(0.05)
    stage.havoc.strike([0], 0.0)
    assert stage.end(0, KILLED)
    assert stage.events == [froze(0, 0.05)]


@pytest.mark.parametrize("status", [0, 1, KILLED])
def test_one_that_dies_otherwise_was_dying_before_it_was_frozen(stage: Stage, status: int) -> None:
    stage.havoc.strike([0], 0.1)
    assert not stage.end(0, status)
    assert stage.events == []


# Truces


def test_a_truce_thaws_everybody_and_is_over_when_every_death_was_seen(stage: Stage) -> None:
    stage.havoc.strike([0], 0.1)
    stage.havoc.strike([1], 0.1)
    stage.havoc.strike([2], 0.0)
    stage.havoc.calm()
    assert [seat.signals[-1] for seat in stage.seats] == [signal.SIGCONT, signal.SIGCONT, signal.SIGKILL]
    assert stage.events == [froze(0, 0.0), froze(1, 0.0)]
    stage.end(2, KILLED)
    assert stage.events[2:] == [ChaosEnded()]
    stage.end(1, KILLED)
    assert stage.events[3:] == []


def test_a_truce_without_any_strike_is_over_at_once(stage: Stage) -> None:
    stage.havoc.calm()
    assert stage.events == [ChaosEnded()]
    stage.havoc.calm()
    assert stage.events == [ChaosEnded()] * 2


def test_nothing_is_told_of_a_truce_that_nobody_asked_for(stage: Stage) -> None:
    stage.havoc.strike([0], 0.0)
    stage.end(0, KILLED)
    assert stage.events == []


def test_the_fake_seat_has_what_a_seat_has() -> None:
    assert all(hasattr(Seat, name) for name in ("name", "kill", "is_stopped", "has_worked", "begin"))
