"""Carrying: what is sent arrives, as it was, in order, within the bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.channel.endpoints import SendOutcome
from steady_mp.errors import MessageTooLarge
from steady_mp.testing.conformance.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.channel.endpoints import Tx
    from steady_mp.testing.conformance.link import MakeLink

_ROUNDS = 200

#: The three ways to send one value.
WAYS: dict[str, Callable[[Tx[Any], Any], object]] = {
    "send": lambda tx, value: tx.send(value),
    "try_send": lambda tx, value: tx.try_send(value),
    "send_slice": lambda tx, value: tx.send_slice([value]),
}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


class Carrying(Kind):
    """Part of `ChannelConformance`."""

    # Order and staging

    def test_messages_arrive_in_order_round_after_round(self, make: MakeLink) -> None:
        link, sent, got = make(capacity=7), 0, []
        values = self.values(4 * _ROUNDS)
        for number in range(_ROUNDS):
            batch = values[sent : sent + 1 + number % 7][: link.tx().vacant()]
            link.send(batch)
            sent += len(batch)
            got += link.take(1 + number % 5)
        while more := link.take():
            got += more
        assert sent > _ROUNDS
        assert self.all_plain(got) == self.all_plain(values[:sent])

    def test_what_is_staged_is_seen_by_nobody_until_the_commit(self, make: MakeLink) -> None:
        link, values = make(), self.values(3)
        for value in values:
            link.tx().send(value)
        rx = link.rx()
        assert (rx.avail(), rx.try_take(), rx.try_peek(), rx.take_slice(9), self.peeked(rx, 9)) == (
            0,
            None,
            None,
            [],
            [],
        )
        link.source.turn.commit()
        assert rx.avail() == 3
        assert self.all_plain(rx.take_slice(9)) == self.all_plain(values)

    def test_room_comes_back_with_the_commit_of_the_consumer(self, make: MakeLink) -> None:
        link = make(capacity=4)
        link.send(self.values(4))
        link.rx().take()
        assert link.tx().vacant() == 0
        link.sink.turn.commit()
        assert link.tx().vacant() == 1

    def test_all_ways_to_take_give_the_same(self, make: MakeLink) -> None:
        link, values = make(), self.values(6)
        link.send(values)
        rx = link.rx()
        got = [rx.take(), rx.try_take(), *rx.take_slice(1), *rx.take_slice(2), rx.take()]
        assert self.all_plain(got) == self.all_plain(values)
        assert rx.try_take() is None

    def test_all_ways_to_send_do_the_same(self, make: MakeLink) -> None:
        link, values = make(), self.values(7)
        tx = link.tx()
        tx.send(values[0])
        assert tx.try_send(values[1]) is SendOutcome.SENT
        tx.send_slice(values[2:5])
        tx.send_slice([])
        tx.send(values[5])
        assert tx.try_send(values[6]) is SendOutcome.SENT
        link.source.turn.commit()
        assert self.all_plain(link.take()) == self.all_plain(values)

    # Bounds

    def test_it_holds_its_capacity_and_not_one_more(self, make: MakeLink) -> None:
        for capacity in (1, 2, 7):
            link, values = make(capacity=capacity), self.values(capacity + 1)
            assert (link.tx().capacity, link.rx().capacity) == (capacity, capacity)
            for start in range(3):  # wherever the ring begins
                link.send(values[: min(start, capacity)])
                link.take()
                tx = link.tx()
                outcomes = [tx.try_send(value) for value in values]
                assert outcomes == [SendOutcome.SENT] * capacity + [SendOutcome.FULL]
                assert (tx.vacant(), tx.is_full(), tx.is_empty()) == (0, True, False)
                link.source.turn.commit()
                assert tx.try_send(values[0]) is SendOutcome.FULL
                assert (link.rx().avail(), link.rx().is_full()) == (capacity, True)
                assert self.all_plain(link.take()) == self.all_plain(values[:capacity])
                assert (tx.vacant(), tx.is_full(), tx.is_empty()) == (capacity, False, True)
                assert (link.rx().avail(), link.rx().is_empty()) == (0, True)

    def test_it_holds_its_bytes_and_not_one_more(self, make: MakeLink) -> None:
        link = make(capacity=64)
        tx, size = link.tx(), link.tx().statistics().ring_bytes
        value = self.must_be_bulky(size // 5)
        for _ in range(9):  # around the end of the ring, too
            sent = 0
            while tx.try_send(value) is SendOutcome.SENT:
                sent += 1
                assert tx.statistics().bytes_in_flight <= size
            assert 3 <= sent <= 5
            link.source.turn.commit()
            assert tx.try_send(value) is SendOutcome.FULL
            assert self.all_plain(link.take(1)) == [self.plain(value)]
            assert tx.try_send(value) is SendOutcome.SENT
            link.source.turn.commit()
            assert self.all_plain(link.take()) == [self.plain(value)] * sent

    def test_a_slice_may_be_longer_than_the_channel(self, make: MakeLink) -> None:
        link, values = make(capacity=3), self.values(10)
        got: list[Any] = []
        link.source.parker.plans.extend([lambda: got.extend(link.take(2))] * 9)
        link.tx().send_slice(values)
        link.source.turn.commit()
        assert self.all_plain(got + link.take()) == self.all_plain(values)

    @pytest.mark.parametrize("room", [1, 3])
    def test_a_slice_that_waits_goes_on_where_it_was(self, make: MakeLink, room: int) -> None:
        link, values = make(capacity=8), self.values(8 - room + 6)
        before, together = values[:-6], values[-6:]
        link.send(before)
        got: list[Any] = []
        link.source.parker.plans.append(lambda: got.extend(link.take()))  # more room than for all of it
        link.tx().send_slice(together)
        link.source.turn.commit()
        assert self.all_plain(got + link.take()) == self.all_plain(values)

    # Values

    @ways
    def test_a_message_is_a_value_as_of_the_call(self, make: MakeLink, way: Callable[[Tx[Any], Any], object]) -> None:
        if not self.changing():
            pytest.skip("this kind of channel carries nothing that can be changed")
        for number, (value, _) in enumerate(self.changing()):
            link, (same, change) = make(), self.changing()[number]
            way(link.tx(), same)
            change()
            assert self.plain(same) != self.plain(value), "changing() must change its value"
            link.source.turn.commit()
            assert self.all_plain(link.take()) == [self.plain(value)]

    def test_a_message_is_nobodys_but_the_takers(self, make: MakeLink) -> None:
        """What was taken stays as it is, whatever the ring holds later in that place."""
        link, values = make(capacity=2), self.values(12)
        got = []
        for start in range(0, 12, 2):
            link.send(values[start : start + 2])
            got += link.take()
        assert self.all_plain(got) == self.all_plain(values)

    @ways
    def test_what_cant_be_carried_is_refused_and_stages_nothing(
        self, make: MakeLink, way: Callable[[Tx[Any], Any], object]
    ) -> None:
        if not self.unfit():
            pytest.skip("this kind of channel refuses no value for what it is")
        link, values = make(), self.values(2)
        for value in self.unfit():
            with pytest.raises(self.refusal, match=link.tx().name):
                way(link.tx(), value)
        assert link.tx().position() == 0
        link.send(values)
        assert self.all_plain(link.take()) == self.all_plain(values)

    @ways
    def test_what_is_too_large_is_refused_and_stages_nothing(
        self, make: MakeLink, way: Callable[[Tx[Any], Any], object]
    ) -> None:
        link, values = make(), self.values(2)
        value = self.must_be_bulky(link.tx().statistics().ring_bytes + 1)
        with pytest.raises(MessageTooLarge, match=link.tx().name):
            way(link.tx(), value)
        assert (link.tx().position(), link.tx().vacant()) == (0, link.tx().capacity)
        link.send(values)
        assert self.all_plain(link.take()) == self.all_plain(values)

    # Looking without taking

    def test_peeking_takes_nothing(self, make: MakeLink) -> None:
        link, values = make(), self.values(3)
        rx = link.rx()
        assert (rx.try_peek(), self.peeked(rx, 2)) == (None, [])
        link.send(values)
        for _ in range(2):
            assert self.plain(rx.try_peek()) == self.plain(values[0])
            assert self.all_plain(self.peeked(rx, 2)) == self.all_plain(values[:2])
            assert self.all_plain(self.peeked(rx, 9)) == self.all_plain(values)
            assert (rx.avail(), rx.position()) == (3, 0)
        link.sink.turn.commit()
        assert link.tx().vacant() == link.tx().capacity - 3
        rx.take()
        assert self.plain(rx.try_peek()) == self.plain(values[1])

    @pytest.mark.parametrize("count", [0, -1])
    def test_a_slice_of_nothing_is_nothing(self, make: MakeLink, count: int) -> None:
        link = make()
        link.send(self.values(2))
        assert link.rx().take_slice(count) == self.peeked(link.rx(), count) == []
        assert (link.rx().avail(), link.rx().position()) == (2, 0)

    def test_statistics_say_what_stands_where(self, make: MakeLink) -> None:
        link = make(capacity=8)
        link.send(self.values(5))
        link.take(2)
        link.tx().send(self.values(1)[0])
        seen = link.tx().statistics()
        assert (seen.name, seen.capacity) == (link.tx().name, 8)
        assert (seen.sent, seen.taken, seen.in_flight, seen.closed) == (6, 2, 4, False)
        link.rx().take()
        link.close()
        seen = link.rx().statistics()
        assert (seen.name, seen.capacity) == (link.rx().name, 8)
        assert (seen.sent, seen.taken, seen.in_flight, seen.closed) == (6, 3, 3, True)
        assert 0 < seen.bytes_in_flight <= seen.ring_bytes
