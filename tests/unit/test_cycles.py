"""Cycles of channels, found in the plan."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp.cycles import Cycle, blocked_cycles, cycles_of, moves_of
from steady_mp.events import CycleBlocked, CycleDeclared
from steady_mp.memory import layout
from steady_mp.plan import ActorPlan, ChannelPlan, Plan
from tests.support.simulated import Simulated

Cycles = dict[Cycle, tuple[tuple[int, int], ...]]


def plan_of(*ways: tuple[int, int], actors: int = 8) -> Plan:
    """Return a plan of actors a, b, ... and channels with capacities of 1, 2, 4, ..."""
    names = "abcdefgh"[:actors]
    return Plan(
        graph="cycles",
        actors=tuple(ActorPlan(name=name, behavior="", ends=()) for name in names),
        channels=tuple(
            ChannelPlan(
                name=f"{names[producer]}{names[consumer]}{index}",
                capacity=1 << index,
                ring_bytes=4096,
                producer=producer,
                consumer=consumer,
            )
            for index, (producer, consumer) in enumerate(ways)
        ),
        log_level=0,
        path=(),
        modules=(),
    )


def ways_of(*ways: tuple[int, int]) -> list[str]:
    return ["".join(cycle.actors) for cycle in cycles_of(plan_of(*ways))]


def test_two_that_send_to_each_other() -> None:
    assert cycles_of(plan_of((0, 1), (1, 0), (1, 2))) == [Cycle(actors=("a", "b"), channels=("ab0", "ba1"), capacity=3)]


def test_three_in_a_circle_beginning_with_the_first_that_was_declared() -> None:
    found = cycles_of(plan_of((2, 1), (1, 0), (3, 2), (0, 2)))
    assert found == [Cycle(actors=("a", "c", "b"), channels=("cb0", "ba1", "ac3"), capacity=1 + 2 + 8)]


def test_one_that_sends_to_itself() -> None:
    assert cycles_of(plan_of((0, 0))) == [Cycle(actors=("a",), channels=("aa0",), capacity=1)]


def test_several_channels_on_one_way_count_together() -> None:
    assert cycles_of(plan_of((0, 1), (0, 1), (1, 0)))[0].capacity == 7


@pytest.mark.parametrize(
    "ways",
    [
        (),
        ((0, 1), (1, 2)),
        ((0, 1), (0, 2), (1, 3), (2, 3)),  # a diamond
        ((0, 1), (0, 1)),
        ((0, 2), (1, 2), (2, 3), (0, 3)),
    ],
)
def test_none_where_there_is_none(ways: tuple[tuple[int, int], ...]) -> None:
    assert ways_of(*ways) == []


def test_two_cycles_that_share_an_actor() -> None:
    assert ways_of((0, 1), (1, 0), (1, 2), (2, 1)) == ["ab", "bc"]


def test_a_short_and_a_long_way_round() -> None:
    assert ways_of((0, 1), (1, 2), (2, 0), (1, 0)) == ["ab", "abc"]


actor = st.integers(0, 5)


@given(st.lists(st.tuples(actor, actor), max_size=12))
def test_each_channel_is_named_if_and_only_if_it_is_part_of_a_cycle(ways: list[tuple[int, int]]) -> None:
    plan = plan_of(*ways)
    reached = {start: {start} for start in range(6)}
    for _ in range(6):
        for producer, consumer in ways:
            for seen in reached.values():
                if producer in seen:
                    seen.add(consumer)
    round_trips = {f"{'abcdef'[a]}{'abcdef'[b]}{index}" for index, (a, b) in enumerate(ways) if a in reached[b]}
    found = cycles_of(plan)
    assert {name for cycle in found for name in cycle.channels} == round_trips
    assert len({cycle.actors for cycle in found}) == len(found)
    for cycle in found:
        assert len(set(cycle.actors)) == len(cycle.actors)
        assert cycle.actors[0] == min(cycle.actors)


def test_the_event_names_the_way_round_and_its_room() -> None:
    (cycle,) = cycles_of(plan_of((0, 1), (1, 2), (2, 0)))
    event = CycleDeclared(actors=cycle.actors, channels=cycle.channels, capacity=cycle.capacity)
    assert event.text.startswith("a cycle of channels: a → b → c → a, with room for 7 messages; ")


class Words:
    """Three actors that send round, everyone asleep until there is room in the channel to the next one."""

    def __init__(self) -> None:
        self.plan = plan_of((0, 1), (1, 2), (2, 0), actors=3)
        self.controls = [memoryview(bytearray(layout.PAGE)).cast("Q") for _ in range(3)]
        self.channels = [memoryview(bytearray(layout.PAGE)).cast("Q") for _ in range(3)]
        for control, channel, plan in zip(self.controls, self.channels, self.plan.channels, strict=True):
            control[layout.PHASE] = layout.PHASE_WAITING
            channel[layout.TAIL] = 10 + plan.capacity
            channel[layout.HEAD] = 10
            channel[layout.WAKE_HEAD] = 11

    def found(self, *, draining: bool = False) -> list[Cycle]:
        return blocked_cycles(self.plan, self.controls, self.channels, draining=draining)


def test_everybody_waits_for_room() -> None:
    words = Words()
    (cycle,) = words.found()
    assert cycle.actors == ("a", "b", "c")
    assert cycle.way == "a → b → c → a"
    moves = moves_of(words.plan, cycle, words.channels)
    words.channels[1][layout.TAIL] += 1
    assert moves_of(words.plan, cycle, words.channels) != moves


@pytest.mark.parametrize(
    ("word", "value"),
    [("PHASE", layout.PHASE_RUNNING), ("PHASE", layout.PHASE_STARTING), ("OTHER_WAYS", 1)],
)
def test_one_that_does_not_wait_for_room_alone(word: str, value: int) -> None:
    words = Words()
    words.controls[1][getattr(layout, word)] = value
    assert not words.found()


@pytest.mark.parametrize(
    ("word", "value"),
    [("WAKE_HEAD", layout.NEVER), ("HEAD", 11), ("RX_HELD", 11), ("RX_CLOSED", 1)],
)
def test_one_channel_that_will_not_stay_full(word: str, value: int) -> None:
    words = Words()
    words.channels[2][getattr(layout, word)] = value
    assert not words.found()


def test_at_the_end_of_a_shutdown_a_full_channel_will_do() -> None:
    words = Words()
    words.controls[1][layout.OTHER_WAYS] = 1
    assert not words.found()
    assert words.found(draining=True)
    words.channels[0][layout.HEAD] += 1
    assert not words.found(draining=True)


def test_a_deadlock_is_told_at_its_second_look_and_again_when_it_comes_back() -> None:
    (cycle,) = cycles_of(plan_of((0, 1), (1, 0)))
    there: Cycles = {cycle: ((4, 0), (4, 0))}
    moved: Cycles = {cycle: ((5, 1), (4, 0))}
    with Simulated() as run:

        def look(cycles: Cycles) -> int:
            events = run.board.update(dataclasses.replace(run.sampler.sample(), cycles=cycles))
            told = CycleBlocked(actors=("a", "b"), channels=("ab0", "ba1"))
            assert set(events) <= {told}
            return events.count(told)

        assert [look(there) for _ in range(4)] == [0, 1, 0, 0]
        assert [look(moved) for _ in range(3)] == [0, 1, 0]
        assert look({}) == 0  # a shutdown wakes them, or somebody was killed
        assert [look(moved) for _ in range(3)] == [0, 1, 0]
