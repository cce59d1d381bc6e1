"""Bundles: lanes together, each in its turn."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp import RxBundle, TxBundle
from steady_mp.testing import Bench
from steady_mp.testing.rig import Overslept, Party, Rig

if TYPE_CHECKING:
    from steady_mp import Actor


class Fan:
    """Sources, each on a lane of its own, and one sink."""

    def __init__(self, lanes: int = 3, capacity: int = 4) -> None:
        self.rig = Rig()
        self.sink = self.rig.party("sink")
        self.sources = [self.rig.party(f"source {lane}") for lane in range(lanes)]
        self.channels = [self.rig.channel(source, self.sink, capacity=capacity) for source in self.sources]
        self.rig.start()
        self.bundle = RxBundle[Any]([self.sink.rx(channel) for channel in self.channels])
        self.actor = self.sink.actor()

    def send(self, lane: int, *values: object) -> None:
        self.sources[lane].send(self.channels[lane], *values)

    def close(self, lane: int) -> None:
        self.sources[lane].tx(self.channels[lane]).mark_closed()
        self.sources[lane].turn.commit()

    def next_lane(self, count: int = 1) -> int | None:
        return self.actor.await_for_lane(self.bundle.wait_avail(count))


def test_each_lane_that_is_ready_has_its_turn() -> None:
    fan = Fan()
    for lane in range(3):
        fan.send(lane, *"abc")
    assert [fan.next_lane() for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]


def test_a_lane_that_is_not_ready_is_passed_over() -> None:
    fan = Fan()
    fan.send(0, 1)
    fan.send(2, 1)
    assert [fan.next_lane() for _ in range(4)] == [0, 2, 0, 2]
    fan.send(1, 1)
    assert [fan.next_lane() for _ in range(3)] == [0, 1, 2]


def test_it_waits_for_the_first_lane_with_enough() -> None:
    fan = Fan()
    fan.send(0, 1)
    fan.sink.parker.plans.append(lambda: fan.send(1, 1, 2))
    assert fan.next_lane(2) == 1


def test_no_lane_is_left_while_there_is_hope_and_none_after() -> None:
    fan = Fan(lanes=2)
    fan.close(0)
    with pytest.raises(Overslept):
        fan.next_lane()
    fan.send(1, 1)
    fan.close(1)
    assert fan.next_lane() == 1
    assert not fan.bundle.is_closed_and_empty()
    assert fan.bundle[1].take() == 1
    assert fan.next_lane() is None
    assert fan.bundle.is_closed_and_empty()


def test_a_shutdown_answers_none_once() -> None:
    fan = Fan()
    fan.rig.request_shutdown()
    assert fan.next_lane() is None
    with pytest.raises(Overslept):
        fan.next_lane()


@given(lanes=st.integers(1, 5), arrivals=st.lists(st.integers(0, 4), min_size=1, max_size=40), data=st.data())
def test_no_lane_waits_longer_than_one_round(lanes: int, arrivals: list[int], data: st.DataObject) -> None:
    fan = Fan(lanes, capacity=64)
    waiting = [0] * lanes
    rounds = [0] * lanes
    for arrival in arrivals:
        fan.send(arrival % lanes, arrival)
        waiting[arrival % lanes] += 1
        if data.draw(st.booleans()):
            served = fan.next_lane()
            assert served is not None
            fan.bundle[served].take()
            waiting[served] -= 1
            for lane in range(lanes):
                rounds[lane] = rounds[lane] + 1 if waiting[lane] and lane != served else 0
                assert rounds[lane] < lanes
        if not any(waiting):
            rounds = [0] * lanes


def test_room_on_a_lane_is_given_out_in_turn() -> None:
    rig = Rig()
    source = rig.party("source")
    sinks: list[Party] = [rig.party(f"sink {lane}") for lane in range(2)]
    channels = [rig.channel(source, sink, capacity=1) for sink in sinks]
    rig.start()
    bundle = TxBundle[Any]([source.tx(channel) for channel in channels])
    actor = source.actor()
    got = []
    for number in range(2):
        lane = actor.await_for_lane(bundle.wait_vacant(1))
        assert lane is not None
        bundle[lane].send(number)
        got.append(lane)
    source.turn.commit()
    assert got == [0, 1]
    source.parker.plans.append(lambda: sinks[1].take(channels[1]))
    assert actor.await_for_lane(bundle.wait_vacant(1)) == 1
    bundle.mark_closed()
    assert all(tx.is_closed() for tx in bundle)  # type: ignore[attr-defined]


def test_a_bundle_is_a_sequence_of_its_lanes() -> None:
    lanes: list[Any] = ["a", "b", "c"]
    bundle = RxBundle[Any](lanes)
    assert len(bundle) == 3
    assert list(bundle) == lanes
    assert [bundle[0], *bundle[1:]] == lanes
    assert list(pickle.loads(pickle.dumps(bundle))) == ["a", "b", "c"]  # noqa: S301 - made in this line


def test_a_bundle_is_one_argument_of_a_behavior() -> None:
    def merge(actor: Actor, inputs: RxBundle[int], results: Any) -> None:
        while actor.is_running():
            lane = actor.await_for_lane(inputs.wait_avail(1))
            if lane is not None and actor.await_for_all(results.wait_vacant(1)):
                results.send((lane, inputs[lane].take()))

    bench = Bench()
    inputs, results = [bench.input() for _ in range(3)], bench.output()
    bench.actor(merge, RxBundle([each.end for each in inputs]), results.end)
    inputs[0].send_all([10, 11], close=True)
    inputs[2].send_all([30], close=True)
    bench.run()
    assert results.take_all() == [(0, 10), (2, 30), (0, 11)]
    inputs[1].close()
    bench.run()
    assert bench.finished
