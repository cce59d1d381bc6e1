"""Looking into a channel: the messages between head and tail, as of one moment, and nothing is stored."""

from __future__ import annotations

import pickle
import sys
import threading
from array import array
from typing import Any

import pytest

from steady_mp.channel.encoding import Encoder
from steady_mp.channel.ring import Ring
from steady_mp.cli.peek import copy, items, unpacked
from steady_mp.errors import CorruptChannel, SteadyError
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping
from steady_mp.testing.rig import pair


class Channel:
    """A ring, written and emptied as the two ends of a channel do it."""

    def __init__(self) -> None:
        mapping = Mapping(None, layout.channel_bytes(layout.PAGE))
        Ring.format(mapping, 64)
        self.ring = Ring(mapping, "ring")
        self.words = self.ring.words

    def send(self, kind: int, count: int, *parts: bytes | bytearray | memoryview) -> None:
        words = self.words
        end = self.ring.write(words[layout.TAIL_POS], kind, count, words[layout.TAIL], *parts)
        words[layout.TAIL_POS] = end
        words[layout.TAIL] += count

    def send_object(self, value: object) -> None:
        self.send(layout.RECORD_OBJECT, 1, pickle.dumps(value))

    def take(self, count: int) -> None:
        """Take whole records until `count` messages are gone, or a part of the last one."""
        words = self.words
        head = words[layout.HEAD] + count
        position = words[layout.HEAD_POS]
        following = self.ring.first_at(position)
        while following < words[layout.TAIL]:
            record = self.ring.read(position, following)
            if head < following + record.messages:
                break
            position, following = record.end, following + record.messages
        words[layout.HEAD_POS] = position
        words[layout.HEAD] = head

    def peek(self, count: int = 100) -> dict[int, object]:
        seen = copy(self.ring, count)
        return {position: value for position, value in unpacked(seen) if position >= seen.head}


def test_an_empty_channel() -> None:
    channel = Channel()
    assert channel.peek() == {}
    channel.send_object("gone")
    channel.take(1)
    assert channel.peek() == {}


@pytest.mark.parametrize("taken", [1, 2, 3])
def test_a_consumer_that_stands_still_in_its_publish_does_not_hide_what_is_behind_it(taken: int) -> None:
    """Stopped, or dead with its supervisor, between the two words: it has said where it is, and not yet how far."""
    channel = Channel()
    for number in range(3):
        channel.send_object(number)
    channel.take(taken)
    channel.words[layout.HEAD] = 0
    assert channel.peek() == {number: number for number in range(taken, 3)}
    seen = copy(channel.ring, 100)
    assert (seen.head, seen.tail) == (0, 3)  # as the producer sees it


def test_every_kind_of_record_and_no_more_than_asked() -> None:
    channel = Channel()
    channel.send_object({"id": 1})
    channel.send(layout.RECORD_BATCH, 3, pickle.dumps([None, "a", b"b"]))
    channel.send(layout.RECORD_INTS, 2, array("q", [-1, 5]).tobytes())
    channel.send(layout.RECORD_FLOATS, 1, array("d", [0.5]).tobytes())
    before = bytes(channel.words.cast("B")[: layout.PAGE])
    assert channel.peek() == {0: {"id": 1}, 1: None, 2: "a", 3: b"b", 4: -1, 5: 5, 6: 0.5}
    assert len(copy(channel.ring, 1).pieces) == 1
    assert bytes(channel.words.cast("B")[: layout.PAGE]) == before
    channel.take(3)
    assert channel.peek() == {3: b"b", 4: -1, 5: 5, 6: 0.5}


def test_bytes_and_buffers_wherever_the_ring_ends() -> None:
    channel = Channel()
    encoder = Encoder("ring", layout.PAGE)
    values: list[Any] = [b"x" * 700, [1, pickle.PickleBuffer(b"y" * 300), pickle.PickleBuffer(bytearray(b"z" * 99))]]
    for first in range(0, 200, 4):
        for value in values:
            encoded, _ = encoder.encode(value)
            assert encoded is not None
            channel.send(encoded[0], 1, *encoded[1])
        channel.send(layout.RECORD_BYTES, 2, b"\1\0\0\0\2\0\0\0", b"abb")
        seen = channel.peek()
        assert seen[first] == values[0]
        assert seen[first + 1] == [1, b"y" * 300, bytearray(b"z" * 99)]
        assert (seen[first + 2], seen[first + 3]) == (b"a", b"bb")
        channel.take(4)


@pytest.mark.parametrize(
    ("kind", "count", "payload"),
    [
        (layout.RECORD_BYTES, 2, b"\1\0\0\0\xff\0\0\0abb"),
        (layout.RECORD_BYTES, 3, b"\1"),
        (layout.RECORD_OOB, 1, b"short"),
        (layout.RECORD_OOB, 1, b"\xff" * 64),
        (layout.RECORD_INTS, 1, b"seven"),
        (layout.RECORD_INTS, 2, b"only one"),
        (layout.RECORD_SHORTS, 1, b"seven"),
        (layout.RECORD_SHORTS, 2, b"one."),
    ],
)
def test_a_record_that_tells_nonsense_says_so_and_the_others_are_shown(kind: int, count: int, payload: bytes) -> None:
    channel = Channel()
    channel.send(kind, count, payload)
    channel.send_object("whole")
    found = channel.peek()
    assert isinstance(found[0], SteadyError)
    assert found[count] == "whole"


def test_what_is_staged_beyond_the_tail_is_not_seen() -> None:
    channel = Channel()
    channel.send_object("sent")
    channel.ring.write(channel.words[layout.TAIL_POS], layout.RECORD_OBJECT, 1, 1, pickle.dumps("staged"))
    assert channel.peek() == {0: "sent"}


def test_a_message_that_cant_be_unpickled_says_so_and_the_others_are_shown() -> None:
    channel = Channel()
    channel.send(layout.RECORD_OBJECT, 1, b"\x80nonsense")
    channel.send_object("whole")
    found = channel.peek()
    assert isinstance(found[0], SteadyError)
    assert found[1] == "whole"


def test_a_broken_ring_is_named() -> None:
    channel = Channel()
    channel.send_object("sent")
    channel.words[layout.HEAD] = 70_000
    channel.words[layout.TAIL] = 70_001
    with pytest.raises(CorruptChannel, match="ring"):
        copy(channel.ring, 5, looks=3)


def test_a_channel_that_is_in_full_flow() -> None:
    """Messages are the numbers of their positions: a record that was overwritten meanwhile would show."""
    channel = Channel()
    over = threading.Event()

    def flow() -> None:
        words = channel.words
        while not over.is_set():
            while words[layout.TAIL_POS] - words[layout.HEAD_POS] < layout.PAGE - 400:
                first = words[layout.TAIL]
                if first % 3:
                    channel.send_object((first, "x" * (first % 200)))
                else:
                    channel.send(layout.RECORD_BATCH, 5, pickle.dumps([(first + n, "") for n in range(5)]))
            channel.take(7)

    thread = threading.Thread(target=flow)
    heads: set[int] = set()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread.start()
    try:
        while len(heads) < 100:
            seen = copy(channel.ring, 10, looks=1_000_000)
            heads.add(seen.head)
            for position, value in unpacked(seen):
                assert value[0] == position
    finally:
        sys.setswitchinterval(interval)
        over.set()
        thread.join()


@pytest.mark.parametrize("dtype", ["q", "qd"])
def test_the_items_of_a_lane_are_looked_at_where_they_stand(dtype: str) -> None:
    _, source, sink, lane = pair(capacity=4, dtype=dtype)
    values = [(number, number / 2) if dtype == "qd" else number for number in range(6)]
    source.send(lane, *values[:3])
    sink.take(lane, 2)
    source.send(lane, *values[3:])
    store: Any = sink.life.ends[0]._store
    for count in (9, 2):
        seen = copy(store, count)
        assert (seen.head, seen.tail, items(store, seen)) == (2, 6, values[2 : 2 + count])
    sink.take(lane)
    assert items(store, copy(store, 9)) == []
    store.words[layout.HEAD] = 7
    with pytest.raises(CorruptChannel, match="6 messages sent and 7 taken can't be"):
        copy(store, 1)
