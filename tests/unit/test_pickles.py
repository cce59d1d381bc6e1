"""Short messages that are pickled wait for each other and share a record; each of them stays one by itself."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.channel.decoding import decode, unwrap, wrap
from steady_mp.channel.lookup import values_in
from steady_mp.life import Life
from steady_mp.memory import layout
from steady_mp.memory.letters import Mail
from steady_mp.testing.rig import Overslept, Party, pair
from tests.unit.records import kinds, records
from tests.unit.values import told_apart

if TYPE_CHECKING:
    from collections.abc import Callable

UNPICKLED: list[int] = []


class Told:
    """A message that tells when it is unpickled."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Callable[[int], Told], tuple[int]]:
        return _tell, (self.number,)


def _tell(number: int) -> Told:
    UNPICKLED.append(number)
    return Told(number)


class Bomb:
    """A message that can't be unpickled."""

    def __reduce__(self) -> tuple[Callable[[], Bomb], tuple[()]]:
        return _go_off, ()


def _go_off() -> Bomb:
    message = "a bomb"
    raise ValueError(message)


@pytest.fixture(autouse=True)
def _nothing_yet() -> None:
    UNPICKLED.clear()


def reborn(sink: Party, *holes: int) -> Any:
    """Begin the next life of the sink, behind which these messages were put aside."""
    place = sink.life._place
    if holes:
        place = dataclasses.replace(place, mail=lambda _: Mail(frozenset(holes)))
    return Life(place, 2).ends[0]


def test_those_of_a_turn_share_a_record() -> None:
    _, source, sink, channel = pair(capacity=64, ring_bytes=1 << 16)
    sent = [(number, "x" * number) for number in range(20)]
    source.send(channel, *sent)
    assert kinds(source, channel) == [(layout.RECORD_PICKLES, 20)]
    assert sink.take(channel) == sent


def test_one_alone_and_a_long_one_have_a_record_of_their_own() -> None:
    _, source, sink, channel = pair(capacity=64, ring_bytes=1 << 20)
    sent: list[Any] = [(1,), ["x" * 9000], (2,)]
    source.send(channel, *sent)
    assert kinds(source, channel) == [(layout.RECORD_OBJECT, 1)] * 3
    assert sink.take(channel) == sent


def test_what_need_not_be_pickled_joins_them_and_is_staged_as_it_is_again_behind_the_commit() -> None:
    _, source, sink, channel = pair(capacity=64)
    mixed = [(1,), 2, "x", b"y", None, 2.5, 1 << 70, True, -3, [4]]
    source.send(channel, *mixed)
    source.send(channel, 5, 6, 7)
    source.send(channel, b"a", b"b")
    assert kinds(source, channel) == [
        (layout.RECORD_PICKLES, len(mixed)),
        (layout.RECORD_NATURALS, 3),
        (layout.RECORD_BYTES, 2),
    ]
    assert told_apart(sink.take(channel)) == told_apart([*mixed, 5, 6, 7, b"a", b"b"])


@pytest.mark.parametrize("before", [[1, 2], [1.5], [b"x", b"y"], ["x", 1], [-1]], ids=str)
def test_what_was_staged_before_them_comes_before_them(before: list[Any]) -> None:
    _, source, sink, channel = pair(capacity=64)
    for _ in range(3):
        source.send(channel, *before, (3,), 4, *before)
    assert told_apart(sink.take(channel)) == told_apart([*before, (3,), 4, *before] * 3)


def test_no_record_is_a_large_part_of_the_ring() -> None:
    _, source, sink, channel = pair(capacity=1000, ring_bytes=1 << 16)
    sent = [(number, "x" * 300) for number in range(180)]
    source.send(channel, *sent)
    found = records(source, channel)
    assert max(record.length for record in found) < (1 << 13) + 4 * 30
    assert len(found) < 12
    assert sink.take(channel) == sent


def test_a_full_ring_keeps_its_bound_and_its_order() -> None:
    _, source, sink, channel = pair(capacity=1000, ring_bytes=layout.PAGE)
    tx, rx = source.tx(channel), sink.rx(channel)
    sent: list[Any] = []
    seen: list[Any] = []
    for number in range(2000):
        message = (number, "x" * (number * 7 % 90))
        if tx.try_send(message).name == "SENT":
            sent.append(message)
        if number % 9 == 0:
            source.turn.commit()
        if number % 11 == 0:
            seen += rx.take_slice(5)
            sink.turn.commit()
        assert tx._position - tx._ring.words[layout.HEAD_POS] <= layout.PAGE
    source.turn.commit()
    seen += rx.take_slice(1000)
    assert seen == sent
    assert len(sent) > 500


@pytest.mark.parametrize("before", range(7))
def test_a_message_that_sends_while_it_is_pickled_takes_no_room_that_is_not_there(before: int) -> None:
    _, source, sink, channel = pair(capacity=8)
    tx = source.tx(channel)

    class Chatty:
        def __reduce__(self) -> tuple[type[int], tuple[int]]:
            tx.send((0,))
            return int, (7,)

    for _ in range(20):
        for _ in range(before):
            tx.send((1,))
        tx.send(Chatty())
        for _ in range(6 - before):
            tx.send((2,))
        with pytest.raises(Overslept):
            tx.send((3,))
        source.turn.commit()
        assert sink.take(channel) == [(1,)] * before + [(0,), 7] + [(2,)] * (6 - before)


def test_those_that_were_taken_are_not_unpickled_again_by_the_next_life() -> None:
    _, source, sink, channel = pair(capacity=64, ring_bytes=1 << 16)
    source.send(channel, *map(Told, range(10)))
    assert [sink.rx(channel).take().number for _ in range(4)] == [0, 1, 2, 3]
    sink.turn.commit()
    UNPICKLED.clear()
    rx = reborn(sink)
    assert [each.number for each in rx.take_slice(6)] == [4, 5, 6, 7, 8, 9]
    assert UNPICKLED == [4, 5, 6, 7, 8, 9]


def test_what_was_put_aside_is_not_unpickled() -> None:
    _, source, sink, channel = pair(capacity=64)
    source.send(channel, *map(Told, range(6)))
    rx = reborn(sink, 0, 3, 5)
    UNPICKLED.clear()
    assert [each.number for each in rx.take_slice(9)] == [1, 2, 4]
    assert UNPICKLED == [1, 2, 4]


@pytest.mark.parametrize("take", ["take", "try_take", "take_slice", "try_peek"])
def test_one_that_cant_be_unpickled_is_told_of_by_its_own_take(take: str) -> None:
    _, source, sink, channel = pair(capacity=64)
    source.send(channel, (0,), (1,), Bomb(), (3,))
    rx = sink.rx(channel)
    assert [rx.take(), rx.take()] == [(0,), (1,)]
    for _ in range(2):  # it stays
        with pytest.raises(ValueError, match="a bomb"):
            getattr(rx, take)(*([2] if take == "take_slice" else []))
        assert rx.position() == 2


def test_who_looks_without_taking_sees_each_of_them() -> None:
    _, source, _, channel = pair(capacity=64)
    source.send(channel, (0,), Bomb(), (2,))
    [record] = records(source, channel)
    first, bomb, last = values_in(record)
    assert (first, last) == ((0,), (2,))
    assert "_go_off" in repr(bomb)
    assert unwrap(wrap(record, 2)) == (2,)
    with pytest.raises(ValueError, match="a bomb"):
        decode(record)


def test_what_is_behind_the_one_taken_is_left_for_its_own_turn() -> None:
    _, source, sink, channel = pair(capacity=64)
    for number in range(3):
        source.send(channel, Told(number))
    for number in range(3):
        assert sink.rx(channel).take().number == number
        assert list(range(number + 1)) == UNPICKLED
        sink.turn.commit()
