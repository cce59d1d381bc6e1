"""The two ends of a channel, one property at a time."""

from __future__ import annotations

import logging
import pickle
import struct
from collections.abc import Sequence
from typing import Any, overload

import pytest

from steady_mp import (
    ClosedByMe,
    EndOfStream,
    MessageTooLarge,
    NotPicklable,
    PeerGone,
    SendOutcome,
    SendSaturation,
)
from steady_mp.memory import layout
from steady_mp.memory.layout import PAGE
from steady_mp.testing.rig import Overslept, Party, Rig, pair
from tests.unit.values import told_apart

LIMIT = PAGE - layout.RECORD.size


def payload_of(length: int) -> str:
    """Return a value whose pickle has `length` bytes."""
    value = "x" * (length - len(pickle.dumps("x" * length, pickle.HIGHEST_PROTOCOL)) + length)
    assert len(pickle.dumps(value, pickle.HIGHEST_PROTOCOL)) == length
    return value


def test_what_is_sent_is_seen_from_the_commit_on() -> None:
    _, source, sink, channel = pair()
    source.tx(channel).send("a")
    assert sink.rx(channel).avail() == 0
    assert sink.rx(channel).try_take() is None
    source.turn.commit()
    assert sink.rx(channel).avail() == 1
    assert sink.rx(channel).take() == "a"


def test_room_comes_back_with_the_commit_of_the_consumer() -> None:
    _, source, sink, channel = pair(capacity=2)
    source.send(channel, 1, 2)
    assert sink.rx(channel).is_full()
    assert sink.rx(channel).take() == 1
    assert source.tx(channel).is_full()
    sink.turn.commit()
    assert source.tx(channel).vacant() == 1


@pytest.mark.parametrize("value", [[1], {"k": 1}, {1}, bytearray(b"x"), [[1]]])
def test_a_message_is_a_value_as_of_the_call_of_send(value: Any) -> None:
    _, source, sink, channel = pair()
    before = pickle.dumps(value)
    source.tx(channel).send(value)
    source.tx(channel).try_send(value)
    source.tx(channel).send_slice([value, value])
    value.clear()
    source.turn.commit()
    assert sink.take(channel) == [pickle.loads(before)] * 4  # noqa: S301 - made above


def test_values_arrive_with_their_types() -> None:
    _, source, sink, channel = pair()
    sent = [1, True, 1.0, None, 2**63, -(2**63) - 1]
    source.send(channel, *sent)
    assert told_apart(sink.take(channel)) == told_apart(sent)


class Counter(int):
    """A subclass of int."""


class Index:
    """What `struct` takes for an int."""

    def __index__(self) -> int:
        return 7


HALF = 1 << 31
NUMBERS: dict[str, list[Any]] = {
    "the least and the greatest of 32 bits": [-HALF, 0, HALF - 1],
    "one beyond": [0, HALF, 0],
    "one below": [0, -HALF - 1, 0],
    "beyond 64 bits": [0, 1 << 64, 0],
    "floats": [0.0, -0.0, 1e308, float("inf"), 5e-324],
    "bools take one byte": [1, True, False, 2],
    "a bool and a float take as much as two ints": [1, True, 0.5, 1],
    "the bytes of a float that look like an int's letter": [1, struct.unpack("<d", b"iiiiiiii")[0], True, 1],
    "an int among floats": [0.5, 1, 0.5],
    "None among floats": [0.5, None, 0.5],
    "bytes": [1, b"", 1],
    "more than 16 bits count": list(range(4096)),
}


@pytest.mark.parametrize("of", [list, tuple])
@pytest.mark.parametrize("sent", NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_a_slice_arrive_with_their_types_and_bits(sent: list[Any], of: type) -> None:
    _, source, sink, channel = pair(capacity=8192)
    source.tx(channel).send_slice(of(sent))
    source.turn.commit()
    seen = sink.rx(channel).take_slice(len(sent))
    assert [(type(value), repr(value)) for value in seen] == [(type(value), repr(value)) for value in sent]


@pytest.mark.parametrize("odd", [Counter(7), Index(), [1], bytearray(b"")], ids=["subclass", "index", "list", "bytes"])
def test_what_looks_like_a_number_among_them_arrives_as_what_it_is(odd: object) -> None:
    _, source, sink, channel = pair()
    source.tx(channel).send_slice([1, odd, 1])
    source.turn.commit()
    assert [type(value) for value in sink.rx(channel).take_slice(3)] == [int, type(odd), int]


class Growing(Sequence[int]):
    """What another thread adds to, between the question how long it is and the look at what is in it."""

    def __len__(self) -> int:
        return 3

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        return list(range(5))[index]


def test_a_slice_that_grows_meanwhile_is_sent_as_it_was_at_one_moment() -> None:
    _, source, sink, channel = pair()
    source.tx(channel).send_slice(Growing())
    source.send(channel, "behind")
    assert sink.take(channel) == [0, 1, 2, 3, 4, "behind"]


def test_what_cant_be_pickled_fails_in_send_and_stages_nothing() -> None:
    _, source, _, channel = pair()
    tx = source.tx(channel)
    for attempt in (tx.send, tx.try_send, lambda value: tx.send_slice([value])):
        with pytest.raises(NotPicklable, match="channel 'channel 0': a function can't be pickled"):
            attempt(lambda: None)
    assert tx.position() == 0
    with pytest.raises(NotPicklable):
        tx.send_slice([1, lambda: None, 3])
    assert tx.position() == 1  # of a slice, what comes before it has been sent


def test_a_message_as_large_as_the_ring_passes_and_one_byte_more_is_refused() -> None:
    _, source, sink, channel = pair()
    for _ in range(3):  # it wraps as well
        source.send(channel, payload_of(LIMIT))
        assert len(sink.take(channel)) == 1
        source.send(channel, 0)
        sink.take(channel)
    tx = source.tx(channel)
    wanted = rf"a str of {LIMIT + 1} pickled bytes exceeds the ring of {PAGE} bytes; .* larger ring_bytes"
    for attempt in (tx.send, tx.try_send, lambda value: tx.send_slice([value])):
        with pytest.raises(MessageTooLarge, match=wanted):
            attempt(payload_of(LIMIT + 1))
    assert tx.position() == 6


def test_a_full_channel_and_a_closed_one_answer_try_send_at_once() -> None:
    _, source, sink, channel = pair(capacity=1)
    tx = source.tx(channel)
    assert tx.try_send("a") is SendOutcome.SENT
    assert tx.try_send("b") is SendOutcome.FULL
    source.turn.commit()
    assert sink.take(channel) == ["a"]
    tx.mark_closed()
    assert tx.try_send("b") is SendOutcome.CLOSED


@pytest.mark.parametrize("first", [500, 501, 1000, 3000])
def test_two_records_that_fill_the_ring_to_the_last_byte_fit_and_not_one_more(first: int) -> None:
    rest = PAGE - layout.record_bytes(first) - layout.RECORD.size
    for length, outcome in ((rest, SendOutcome.SENT), (rest + 1, SendOutcome.FULL)):
        _, source, _, channel = pair()
        assert source.tx(channel).try_send(payload_of(first)) is SendOutcome.SENT
        assert source.tx(channel).try_send(payload_of(length)) is outcome


def test_a_ring_full_of_bytes_is_full_too() -> None:
    _, source, sink, channel = pair(capacity=64)
    tx = source.tx(channel)
    assert tx.try_send(bytes(3000)) is SendOutcome.SENT
    assert tx.try_send(bytes(3000)) is SendOutcome.FULL
    source.turn.commit()
    sink.take(channel)
    assert tx.try_send(bytes(3000)) is SendOutcome.SENT


def test_sending_after_closing_is_the_senders_mistake() -> None:
    _, source, _, channel = pair()
    tx = source.tx(channel)
    tx.send(1)
    tx.mark_closed()
    for value in (2, [2]):
        with pytest.raises(ClosedByMe, match=r"closed by this actor: send before mark_closed\(\)"):
            tx.send(value)
        with pytest.raises(ClosedByMe):
            tx.send_slice([value, value])


def test_and_stays_so_behind_the_commit_that_closes() -> None:
    _, source, sink, channel = pair()
    source.tx(channel).mark_closed()
    source.turn.commit()
    with pytest.raises(ClosedByMe):
        source.tx(channel).send(1)
    source.turn.commit()
    assert sink.rx(channel).is_closed_and_empty()


def test_a_consumer_that_finishes_is_noticed_in_the_next_turn() -> None:
    _, source, sink, channel = pair()
    source.tx(channel).send(1)
    sink.rx(channel).close()
    sink.turn.finish()
    source.turn.commit()
    with pytest.raises(PeerGone):
        source.tx(channel).send(2)


def test_sending_to_a_consumer_that_has_finished_says_so() -> None:
    _, source, sink, channel = pair()
    sink.rx(channel).close()
    sink.turn.finish()
    tx = source.tx(channel)
    assert tx.is_closed()
    assert tx.try_send(1) is SendOutcome.CLOSED
    with pytest.raises(PeerGone, match="has no consumer any more"):
        tx.send(1)


def test_a_closed_channel_gives_what_is_in_it_and_then_its_end() -> None:
    _, source, sink, channel = pair()
    source.tx(channel).send(1)
    source.tx(channel).mark_closed()
    source.turn.commit()
    rx = sink.rx(channel)
    assert not rx.is_closed_and_empty()
    assert rx.take() == 1
    assert rx.is_closed_and_empty()
    with pytest.raises(EndOfStream, match="closed and empty"):
        rx.take()
    assert rx.try_take() is None


def test_a_turn_may_send_more_than_any_record_counts() -> None:
    many = 70_000
    _, source, sink, channel = pair(capacity=many, ring_bytes=512 * PAGE)
    for number in range(many):
        source.tx(channel).send(number)
    source.turn.commit()
    assert sink.take(channel) == list(range(many))


def test_closing_is_part_of_the_turn() -> None:
    _, source, sink, channel = pair()
    source.tx(channel).mark_closed()
    assert not sink.rx(channel).is_closed()
    source.turn.commit()
    assert sink.rx(channel).is_closed()


def test_peeking_takes_nothing() -> None:
    _, source, sink, channel = pair()
    rx = sink.rx(channel)
    assert rx.try_peek() is None
    assert rx.peek_slice(2) == []
    source.send(channel, 1, [2], 3)
    assert rx.try_peek() == 1
    assert rx.peek_slice(2) == [1, [2]]
    assert rx.peek_slice(9) == [1, [2], 3]
    assert rx.avail() == 3
    assert rx.take_slice(9) == [1, [2], 3]


@pytest.mark.parametrize("count", [0, -1])
def test_a_slice_of_nothing_is_nothing(count: int) -> None:
    _, source, sink, channel = pair()
    source.send(channel, 1)
    assert sink.rx(channel).take_slice(count) == sink.rx(channel).peek_slice(count) == []
    assert sink.rx(channel).avail() == 1


def test_positions_count_messages_and_are_the_same_in_a_replay() -> None:
    _, source, sink, channel = pair()
    source.send(channel, "a", "b", "c")
    assert source.tx(channel).position() == 3
    sink.take(channel, 1)
    assert sink.rx(channel).take() == "b"
    assert sink.rx(channel).position() == 2
    sink.begin()
    assert sink.rx(channel).position() == 1
    assert sink.rx(channel).take() == "b"


def test_statistics_say_what_stands_where() -> None:
    _, source, sink, channel = pair(capacity=8)
    source.send(channel, *range(5))
    sink.take(channel, 2)
    source.tx(channel).send(5)
    seen = source.tx(channel).statistics()
    assert (seen.name, seen.capacity, seen.ring_bytes) == ("channel 0", 8, PAGE)
    assert (seen.sent, seen.taken, seen.in_flight, seen.closed) == (6, 2, 4, False)
    source.tx(channel).mark_closed()
    source.turn.commit()
    seen = sink.rx(channel).statistics()
    assert (seen.sent, seen.taken, seen.in_flight, seen.closed) == (6, 2, 4, True)
    assert 0 < seen.bytes_in_flight <= PAGE


def test_empty_and_full_from_both_sides() -> None:
    _, source, sink, channel = pair(capacity=1)
    tx, rx = source.tx(channel), sink.rx(channel)
    assert tx.is_empty()
    assert rx.is_empty()
    source.send(channel, 1)
    assert tx.is_full()
    assert rx.is_full()
    assert (tx.capacity, rx.capacity) == (1, 1)


def fill(source: Party, channel: int) -> None:
    while source.tx(channel).try_send(0) is SendOutcome.SENT:
        pass
    source.turn.commit()


def test_a_saturated_send_can_say_that_it_waits(caplog: pytest.LogCaptureFixture) -> None:
    _, source, sink, channel = pair(capacity=2)
    fill(source, channel)
    source.parker.plans.append(lambda: sink.take(channel))
    with caplog.at_level(logging.WARNING):
        source.tx(channel).send(1, SendSaturation.WARN_THEN_AWAIT)
    assert caplog.messages == ["channel channel 0 is full: waiting for room"]
    assert source.tx(channel).position() == 3
    with caplog.at_level(logging.WARNING):
        source.tx(channel).send(2)
    assert len(caplog.messages) == 1


def test_a_consumer_that_finishes_ends_the_wait_for_room() -> None:
    _, source, sink, channel = pair(capacity=2)
    fill(source, channel)

    def finish() -> None:
        sink.rx(channel).close()
        sink.turn.finish()

    source.parker.plans.append(finish)
    with pytest.raises(PeerGone):
        source.tx(channel).send(1)


def test_take_waits_for_a_message_and_gives_up_at_the_end_of_the_stream() -> None:
    _, source, sink, channel = pair()
    sink.parker.plans.append(lambda: source.send(channel, "late"))
    assert sink.rx(channel).take() == "late"

    def close() -> None:
        source.tx(channel).mark_closed()
        source.turn.commit()

    sink.parker.plans.append(close)
    with pytest.raises(EndOfStream):
        sink.rx(channel).take()


def test_nobody_to_wake_a_take_is_a_sleep_without_end() -> None:
    _, _, sink, channel = pair()
    with pytest.raises(Overslept):
        sink.rx(channel).take()
    assert sink.parker.sleeps == [(None, [])]


@pytest.mark.parametrize(("dtype", "value"), [(None, 7), ("q", 7), (bytes, b"7")], ids=["object", "lane", "bytes"])
def test_an_end_that_has_not_moved_has_nothing_to_publish(dtype: object, value: object) -> None:
    rig = Rig()
    source, sink = rig.party("source"), rig.party("sink")
    channel = rig.channel(source, sink, capacity=8, dtype=dtype)
    rig.start()
    source.send(channel, value)
    sink.take(channel, 1)
    for end in (source.tx(channel), sink.rx(channel)):
        before = end.freeze()
        assert before[0] == 1
        assert end.freeze() is before
