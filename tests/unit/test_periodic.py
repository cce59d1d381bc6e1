"""wait_periodic: beats on the multiples of a period, whatever the clock and the actor do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp.testing.rig import Party, Rig, pair

if TYPE_CHECKING:
    from steady_mp.conditions import Condition

periods = st.one_of(st.integers(1, 3000).map(lambda ms: ms / 1000), st.floats(1e-3, 100.0))
starts = st.one_of(st.just(0.0), st.floats(0.0, 1e7))


def alone(start: float = 0.0) -> tuple[Rig, Party]:
    rig = Rig(start=start)
    party = rig.party("it")
    rig.start()
    return rig, party


def beat(rig: Rig, party: Party, periodic: Condition) -> float:
    """Wait for the next beat by a clock that moves only while the actor sleeps; return its time."""
    party.parker.clock = rig.clock
    before = len(party.parker.sleeps)
    assert party.actor().await_for_all(periodic)
    assert len(party.parker.sleeps) - before <= 3
    return rig.clock()


@given(period=periods, start=starts)
def test_every_multiple_has_its_beat_and_none_drifts(period: float, start: float) -> None:
    rig, party = alone(start)
    rig.clock.advance(1e-6)  # the run began before this life did
    periodic = party.actor().wait_periodic(period)
    begin = int(start * 1e9) / 1e9
    for number in range(1, 60):
        assert beat(rig, party, periodic) == pytest.approx(begin + number * period, rel=1e-12)


@given(period=periods, delays=st.lists(st.floats(0.0, 5.0), min_size=1, max_size=20))
def test_a_late_beat_comes_once_and_the_next_on_its_multiple(period: float, delays: list[float]) -> None:
    rig, party = alone()
    actor = party.actor()
    periodic = actor.wait_periodic(period)
    due = period
    for delay in delays:
        rig.clock.advance(delay * period)
        if rig.clock() >= due:
            assert periodic.holds()
            assert actor.await_for_all(periodic)
        if math.isclose(rig.clock() / period, round(rig.clock() / period)):
            return  # too close to a multiple to say on which side of it
        assert not periodic.holds()
        due = math.floor(rig.clock() / period + 1) * period
        assert periodic.holds() == (rig.clock() >= due)


def test_the_period_counts_from_the_start_of_the_run_not_of_the_life() -> None:
    rig, party = alone(start=100.0)
    rig.clock.advance(0.7)
    party.begin()
    assert beat(rig, party, party.actor().wait_periodic(0.5)) == 101.0


def test_the_same_period_is_the_same_beat() -> None:
    rig, party = alone()
    actor = party.actor()
    periodic = actor.wait_periodic(1.0)
    assert actor.wait_periodic(1.0) is periodic
    rig.clock.advance(1.0)
    assert actor.await_for_all(actor.wait_periodic(1.0))
    assert not periodic.holds()


def test_two_periods_are_two_beats() -> None:
    rig, party = alone()
    actor = party.actor()
    slow, fast = actor.wait_periodic(3.0), actor.wait_periodic(1.0)
    rig.clock.advance(3.0)
    assert actor.await_for_any(fast, slow)
    assert not fast.holds()
    assert not slow.holds()


def test_a_beat_whose_wait_was_not_met_is_still_to_come() -> None:
    """all(beat, message): the beat is not used up before the message is there."""
    rig, source, sink, channel = pair()
    actor = sink.actor()
    both = (actor.wait_periodic(1.0), sink.rx(channel).wait_avail(1))
    sink.parker.plans.append(lambda: rig.clock.advance(1.0))
    sink.parker.plans.append(lambda: source.send(channel, "late"))
    assert actor.await_for_all(*both)
    assert [seconds for seconds, _ in sink.parker.sleeps] == [1.0, None]
    assert not both[0].holds()
