"""Waking: waits hold when they should, and who sleeps is rung when it has asked for it, once, and else never."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.channel.bundle import RxBundle, TxBundle
from steady_mp.testing.conformance.kind import Kind, fill
from steady_mp.testing.conformance.surviving import die, oversleep
from steady_mp.testing.rig import Overslept

if TYPE_CHECKING:
    from steady_mp.testing.conformance.link import MakeLink

_CAPACITY = 6
_BATCHES = (1, 2, 4)
counts = pytest.mark.parametrize("count", range(1, _CAPACITY + 1))


class Waking(Kind):
    """Part of `ChannelConformance`."""

    # Conditions

    @counts
    def test_a_wait_for_messages_holds_when_so_many_are_there(self, make: MakeLink, count: int) -> None:
        link = make(capacity=_CAPACITY)
        for number, value in enumerate(self.values(_CAPACITY), 1):
            link.tx().send(value)
            assert link.rx().wait_avail(count).holds() == (number > count)
            link.source.turn.commit()
            assert link.rx().wait_avail(count).holds() == (number >= count)
        link.rx().take()
        assert link.rx().wait_avail(count).holds() == (count < _CAPACITY)

    @counts
    def test_a_wait_for_room_holds_when_so_much_is_there(self, make: MakeLink, count: int) -> None:
        link = make(capacity=_CAPACITY)
        for number, value in enumerate(self.values(_CAPACITY)):
            assert link.tx().wait_vacant(count).holds() == (number + count <= _CAPACITY)
            link.tx().send(value)
        link.source.turn.commit()
        for number in range(1, _CAPACITY + 1):
            link.rx().take()
            assert link.tx().wait_vacant(count).holds() == (number > count)
            link.sink.turn.commit()
            assert link.tx().wait_vacant(count).holds() == (number >= count)

    def test_a_wait_to_be_empty_holds_when_all_was_taken(self, make: MakeLink) -> None:
        link = make()
        assert link.tx().wait_empty().holds()
        link.tx().send(self.values(1)[0])
        assert not link.tx().wait_empty().holds()
        link.source.turn.commit()
        assert not link.tx().wait_empty().holds()
        link.rx().take()
        assert not link.tx().wait_empty().holds()
        link.sink.turn.commit()
        assert link.tx().wait_empty().holds()

    def test_more_than_the_capacity_is_the_capacity(self, make: MakeLink) -> None:
        link = make(capacity=2)
        assert link.tx().wait_vacant(99).holds()
        link.send(self.values(2))
        assert link.rx().wait_avail(99).holds()

    def test_what_can_never_hold_ends_its_wait(self, make: MakeLink) -> None:
        link, values = make(capacity=4), self.values(4)
        link.send(values[:2])
        link.close()
        assert not link.sink.actor().await_for_all(link.rx().wait_avail(3))
        assert link.sink.actor().await_for_all(link.rx().wait_avail(2))
        assert not link.source.actor().await_for_all(link.tx().wait_vacant(1))
        other = make(capacity=4)
        other.send(values)
        other.sink.finish()
        assert not other.source.actor().await_for_all(other.tx().wait_vacant(1))
        assert not other.source.actor().await_for_all(other.tx().wait_empty())

    # Rings

    def test_nobody_is_rung_who_has_asked_for_nothing(self, make: MakeLink) -> None:
        link, values = make(capacity=2), self.values(2)
        for _ in range(3):
            link.send(values)
            link.take()
        link.close()
        link.take()
        link.sink.finish()
        link.source.finish()
        assert (link.source.bell.rings, link.sink.bell.rings) == (0, 0)

    @counts
    def test_a_consumer_is_rung_once_when_its_target_is_crossed(self, make: MakeLink, count: int) -> None:
        for batch in _BATCHES:
            link, values = make(capacity=_CAPACITY), self.values(_CAPACITY + 3)
            link.send(values[:3])
            link.take()
            oversleep(link.sink, link.rx().wait_avail(count))
            sent = 3
            while sent < len(values):
                link.send(values[sent : sent + batch])
                sent = min(sent + batch, len(values))
                assert link.sink.bell.rings == (sent - 3 >= count)

    @counts
    def test_a_producer_is_rung_once_when_its_target_is_crossed(self, make: MakeLink, count: int) -> None:
        for batch in _BATCHES:
            link = make(capacity=_CAPACITY)
            fill(link, self.values(_CAPACITY))
            oversleep(link.source, link.tx().wait_vacant(count))
            taken = 0
            while taken < _CAPACITY:
                taken += len(link.take(batch))
                assert link.source.bell.rings == (taken >= count)

    def test_a_producer_that_waits_for_the_end_of_everything_is_rung_then(self, make: MakeLink) -> None:
        link = make()
        link.send(self.values(3))
        oversleep(link.source, link.tx().wait_empty())
        for rings in (0, 0, 1):
            link.take(1)
            assert link.source.bell.rings == rings

    def test_what_is_staged_rings_nobody(self, make: MakeLink) -> None:
        link = make()
        oversleep(link.sink, link.rx().wait_avail(1))
        link.tx().send(self.values(1)[0])
        assert link.sink.bell.rings == 0
        link.source.turn.commit()
        assert link.sink.bell.rings == 1

    def test_a_close_rings_whoever_waits_whatever_for(self, make: MakeLink) -> None:
        link = make(capacity=_CAPACITY)
        oversleep(link.sink, link.rx().wait_avail(_CAPACITY))
        link.close()
        assert link.sink.bell.rings == 1
        other = make(capacity=2)
        fill(other, self.values(2))
        oversleep(other.source, other.tx().wait_vacant(2))
        other.sink.finish()
        assert other.source.bell.rings == 1

    def test_who_is_awake_again_has_asked_for_nothing(self, make: MakeLink) -> None:
        link, values = make(capacity=2), self.values(8)
        link.sink.parker.plans.append(lambda: link.send(values[:1]))
        assert link.sink.actor().await_for_all(link.rx().wait_avail(1))
        link.send(values[1:2])
        link.source.parker.plans.append(lambda: link.take(1))
        assert link.source.actor().await_for_all(link.tx().wait_vacant(1))
        link.take()
        assert (link.sink.bell.rings, link.source.bell.rings) == (1, 1)

    @pytest.mark.parametrize("near_first", [True, False])
    def test_of_several_targets_the_nearest_wakes(
        self,
        make: MakeLink,
        near_first: bool,  # noqa: FBT001 - a parameter of the test
    ) -> None:
        wanted = (1, _CAPACITY) if near_first else (_CAPACITY, 1)
        link, values = make(capacity=_CAPACITY), self.values(_CAPACITY)
        link.sink.parker.plans.append(lambda: link.send(values[:1]))
        assert link.sink.actor().await_for_any(*map(link.rx().wait_avail, wanted))
        assert link.sink.bell.rings == 1
        link.send(values[1:])
        link.source.parker.plans.append(lambda: link.take(1))
        assert link.source.actor().await_for_any(*map(link.tx().wait_vacant, wanted))
        assert link.source.bell.rings == 1

    # Sleeps

    @pytest.mark.parametrize("point", ["park:armed", "park:sleep"])
    def test_what_comes_on_the_way_to_sleep_ends_the_wait(self, make: MakeLink, point: str) -> None:
        """Before the second look it is seen; behind it the peer sees who waits, and rings."""
        link, values = make(capacity=1), self.values(2)
        for party, wait, move in (
            (link.sink, link.rx().wait_avail(1), lambda: link.send(values[:1])),
            (link.source, link.tx().wait_vacant(1), link.take),
        ):
            party.at(point, move)
            party.parker.plans.append(lambda: None)
            assert party.actor().await_for_all(wait)
            assert party.bell.rings == 1
            assert len(party.parker.sleeps) == (point == "park:sleep")
            party.parker.plans.clear()

    def test_a_take_waits_for_a_message(self, make: MakeLink) -> None:
        link, values = make(), self.values(2)
        link.sink.parker.plans.append(lambda: link.send(values[:1]))
        assert self.plain(link.rx().take()) == self.plain(values[0])
        with pytest.raises(Overslept):
            link.rx().take()
        assert link.sink.parker.sleeps == [(None, [])] * 2

    def test_a_send_waits_for_room_without_ending_its_turn(self, make: MakeLink) -> None:
        link, values = make(capacity=3), self.values(4)
        link.send(values[:2])
        link.tx().send(values[2])
        seen: list[int] = []

        def make_room() -> None:
            seen.append(link.rx().avail())
            link.take(1)

        link.source.parker.plans.append(make_room)
        link.tx().send(values[3])
        assert seen == [2]  # the message that the turn had staged was not shown meanwhile
        assert link.rx().avail() == 1
        link.source.begin()
        assert link.tx().position() == 2
        assert self.all_plain(link.take()) == self.all_plain(values[1:2])

    def test_a_send_waits_for_room_in_bytes(self, make: MakeLink) -> None:
        link = make(capacity=64)
        value = self.must_be_bulky(link.tx().statistics().ring_bytes * 2 // 5)
        link.send([value, value])
        link.source.parker.plans.append(link.take)
        link.send([value])
        assert len(link.source.parker.sleeps) == 1
        assert self.all_plain(link.take()) == [self.plain(value)]

    # Bundles

    def test_lanes_do_not_mix(self, make: MakeLink) -> None:
        link, values = make(lanes=3), self.values(9)
        for lane in range(3):
            link.send(values[lane::3], lane)
        for lane in (2, 0, 1):
            assert self.all_plain(link.take(lane=lane)) == self.all_plain(values[lane::3])

    def test_each_ready_lane_has_its_turn(self, make: MakeLink) -> None:
        link, values = make(lanes=3), self.values(6)
        inputs, actor = RxBundle[Any]([link.rx(lane) for lane in range(3)]), link.sink.actor()
        for lane in (0, 2):
            link.send(values[:3], lane)
        served = [actor.await_for_lane(inputs.wait_avail(1)) for _ in range(4)]
        assert served == [0, 2, 0, 2]
        link.send(values[3:], 1)
        assert [actor.await_for_lane(inputs.wait_avail(1)) for _ in range(3)] == [0, 1, 2]

    def test_any_lane_wakes_whoever_waits_for_one(self, make: MakeLink) -> None:
        for lane in range(3):
            link, values = make(lanes=3, capacity=2), self.values(2)
            inputs = RxBundle[Any]([link.rx(each) for each in range(3)])
            link.sink.parker.plans.append(partial(link.send, values, lane))
            assert link.sink.actor().await_for_lane(inputs.wait_avail(2)) == lane
            assert link.sink.bell.rings == 1
            for other in range(3):
                link.send(values[: link.tx(other).vacant()], other)
            outputs = TxBundle[Any]([link.tx(each) for each in range(3)])
            link.source.parker.plans.append(partial(link.take, 1, lane))
            assert link.source.actor().await_for_lane(outputs.wait_vacant(1)) == lane
            assert link.source.bell.rings == 1

    def test_a_bundle_ends_with_its_last_lane(self, make: MakeLink) -> None:
        link, values = make(lanes=2), self.values(1)
        inputs, actor = RxBundle[Any]([link.rx(lane) for lane in range(2)]), link.sink.actor()
        link.send(values, 1)
        TxBundle[Any]([link.tx(lane) for lane in range(2)]).mark_closed()
        link.source.turn.commit()
        assert actor.await_for_lane(inputs.wait_avail(1)) == 1
        assert not inputs.is_closed_and_empty()
        link.take(lane=1)
        assert actor.await_for_lane(inputs.wait_avail(1)) is None
        assert inputs.is_closed_and_empty()

    @pytest.mark.parametrize("point", ["commit:journal", "commit:publish"])
    def test_a_turn_over_several_lanes_is_one_turn(self, make: MakeLink, point: str) -> None:
        link, values = make(lanes=3), self.values(3)

        def seen() -> list[int]:
            return [link.rx(lane).avail() for lane in range(3)]

        for lane, value in enumerate(values):
            link.tx(lane).send(value)
        assert seen() == [0, 0, 0]
        die(link.source, point, link.source.turn.commit)
        link.source.begin()
        assert seen() == ([1, 1, 1] if point == "commit:publish" else [0, 0, 0])
