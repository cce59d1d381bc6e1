"""Large messages on object channels: each large piece goes into the ring as it is, and out of it in one copy."""

from __future__ import annotations

import pickle
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp import MessageTooLarge, NotPicklable
from steady_mp.channel.decoding import Splice, decode
from steady_mp.channel.encoding import Encoder
from steady_mp.channel.ring import Ring
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping
from steady_mp.testing.rig import pair
from tests.support.frames import Frame
from tests.unit.values import told_apart

if TYPE_CHECKING:
    from collections.abc import Callable

LARGE = 1 << 17
NOISE = random.Random(5).randbytes(LARGE)
RING = 1 << 20


def numpy_array(*, writable: bool) -> Any:
    numpy = pytest.importorskip("numpy")
    return numpy.frombuffer(bytearray(NOISE) if writable else NOISE, "<i4").reshape(64, -1)


def parts_of(value: Any) -> list[Any]:
    encoded, need = Encoder("c", RING).encode(value)
    assert encoded is not None
    assert need == layout.record_bytes(sum(map(len, encoded[1])))
    return list(encoded[1])


def test_one_pickler_serves_small_messages_again_and_again_with_buffers_or_without() -> None:
    encoder = Encoder("c", RING)
    encoder.encode((1,))
    kit = encoder._kit
    assert kit is not None
    for value in (Frame("small", bytearray(b"x")), (2,), Frame("small", b"y")):
        encoder.encode(value)
        assert encoder._kit is kit
        assert [*kit.parts, *kit.buffers] == []


# What is large is not copied on its way to the ring


@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: value,
        lambda value: (1, value, "end"),
        lambda value: {"deep": [[{"in": value}]]},
    ],
    ids=["alone", "in a tuple", "deep"],
)
@pytest.mark.parametrize("value", [NOISE, bytearray(NOISE)], ids=["bytes", "bytearray"])
def test_large_bytes_are_handed_to_the_ring_as_they_are(value: Any, wrap: Callable[[Any], Any]) -> None:
    parts = parts_of(wrap(value))
    assert [part is value for part in parts].count(True) == 1
    assert sum(len(part) for part in parts if part is not value) < 200


@pytest.mark.parametrize("data", [NOISE, bytearray(NOISE)], ids=["read-only", "writable"])
def test_buffers_are_handed_to_the_ring_as_they_are(data: Any) -> None:
    parts = parts_of([Frame("a", data), 7])
    assert [part.obj is data for part in parts if isinstance(part, memoryview)] == [True]
    assert sum(len(part) for part in parts if not isinstance(part, memoryview)) < 300


def test_so_are_the_buffers_of_arrays() -> None:
    made = numpy_array(writable=True)
    views = [part for part in parts_of({"frame": made}) if isinstance(part, memoryview)]
    assert [view.nbytes for view in views] == [LARGE]
    made[0, 0] += 1
    assert bytes(views[0][:4]) == made[0, 0].tobytes()


# And arrives as it was, wherever the ring ends


MESSAGES: dict[str, Callable[[], Any]] = {
    "bytes": lambda: NOISE,
    "bytearray": lambda: bytearray(NOISE),
    "text": lambda: NOISE.decode("latin-1"),
    "bytes inside": lambda: {"head": 1, "body": [NOISE, bytearray(NOISE)], "tail": (None,)},
    "read-only buffer": lambda: Frame("read-only", NOISE),
    "writable buffer": lambda: Frame("writable", bytearray(NOISE)),
    "buffers": lambda: [Frame(str(n), bytearray(NOISE[: n * n * 999])) for n in range(9)],
    "empty buffers": lambda: [Frame("", b""), Frame("", bytearray())],
}


@pytest.mark.parametrize("make", MESSAGES.values(), ids=MESSAGES)
def test_a_large_message_arrives_as_it_was_wherever_it_wraps(make: Callable[[], Any]) -> None:
    _, source, sink, channel = pair(ring_bytes=RING)
    for number in range(25):
        sent = make()
        source.send(channel, sent, number, b"x" * (number * 997))
        assert told_apart(sink.take(channel)) == told_apart([make(), number, b"x" * (number * 997)])


@pytest.mark.parametrize("writable", [True, False])
def test_an_array_can_be_written_to_if_it_could_be(*, writable: bool) -> None:
    _, source, sink, channel = pair(ring_bytes=RING)
    for _ in range(20):
        made = numpy_array(writable=writable)
        source.send(channel, ("frame", made))
        _, got = sink.take(channel)[0]
        assert got.flags.writeable is writable
        assert (got.dtype, got.shape) == (made.dtype, made.shape)
        assert (got == made).all()


def test_what_was_taken_is_the_takers_own() -> None:
    _, source, sink, channel = pair(ring_bytes=RING)
    got = []
    for fill in range(1, 30):
        source.send(channel, bytes([fill]) * LARGE, bytearray([fill]) * LARGE, Frame("f", bytearray([fill]) * LARGE))
        got.append(sink.take(channel))
    for fill, (data, array, frame) in enumerate(got, start=1):
        assert set(data) == set(array) == set(frame.data) == {fill}
        array.append(1)
        frame.data.clear()


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 513, 1000, 4000])
def test_bytes_of_any_size_among_others(size: int) -> None:
    _, source, sink, channel = pair(capacity=64)
    values = [b"a" * size, b"b" * min(size, 3), 1, b"c" * (size // 2), None, "text", b"", b"d", b"e" * size, 2.5]
    for value in values:
        source.tx(channel).send(value)
        if size > 300:
            source.turn.commit()
            assert told_apart(sink.take(channel)) == told_apart([value])
    if size <= 300:
        source.turn.commit()
        assert told_apart(sink.take(channel)) == told_apart(values)


def test_large_messages_among_small_ones_in_every_way_to_take() -> None:
    """A large one is decoded when it is taken; nobody can tell."""
    _, source, sink, channel = pair(ring_bytes=RING, grouped=True)
    large = [NOISE, [Frame("f", bytearray(NOISE))], "x" * LARGE]
    values: list[Any] = [1, large[0], 2, 3, large[1], large[2], [4], 5, b"six"]
    for start in range(len(values)):
        sent = values[start:] + values[:start]
        source.send(channel, *sent)
        rx = sink.rx(channel)
        assert told_apart(rx.peek_slice(9)) == told_apart(sent)
        first = rx.try_peek()
        assert rx.take() is first
        got = [first, *rx.take_slice(2), rx.take(), rx.try_take()]
        sink.turn.commit()
        sink.begin()  # and it begins again where the commit stands
        rx = sink.rx(channel)
        assert rx.position() == start * 9 + 5
        got += [rx.take(), *rx.take_slice(2), rx.take()]
        sink.turn.commit()
        assert told_apart(got) == told_apart(sent)


# A value as of the call


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "bytearray": (lambda: bytearray(NOISE), bytearray.clear),
    "bytearray inside": (lambda: [bytearray(NOISE)], lambda value: value[0].clear()),
    "buffer": (lambda: Frame("f", bytearray(NOISE)), lambda value: value.data.clear()),
}


@pytest.mark.parametrize(("make", "change"), CHANGES.values(), ids=CHANGES)
def test_what_changes_behind_send_arrives_as_it_was_and_send_keeps_no_hold_of_it(
    make: Callable[[], Any], change: Callable[[Any], Any]
) -> None:
    _, source, sink, channel = pair(ring_bytes=RING)
    for way in (source.tx(channel).send, source.tx(channel).try_send, lambda v: source.tx(channel).send_slice([v, v])):
        value = make()
        way(value)
        change(value)  # a bytearray that somebody holds a view of can't change its size
    source.turn.commit()
    assert sink.take(channel) == [make()] * 4


def test_nor_does_a_send_that_is_refused() -> None:
    _, source, _, channel = pair(ring_bytes=1 << 16)
    tx = source.tx(channel)
    for make, change in CHANGES.values():
        value = make()
        for way in (tx.send, tx.try_send):
            try:
                way(value)
            except MessageTooLarge:
                change(value)
                value = make()
    assert tx.position() == 0


# What can't be sent


def test_a_message_that_is_too_large_says_by_how_much() -> None:
    _, source, _, channel = pair(ring_bytes=1 << 16)
    tx = source.tx(channel)
    with pytest.raises(MessageTooLarge, match=f"'channel 0': a bytes of {LARGE} bytes exceeds the ring of 65536 bytes"):
        tx.send(NOISE)
    with pytest.raises(MessageTooLarge, match=r"'channel 0': a Frame of 131\d{3} pickled bytes exceeds the ring"):
        tx.send(Frame("f", NOISE))


def test_a_buffer_with_gaps_is_refused_by_the_channels_name() -> None:
    _, source, sink, channel = pair(ring_bytes=RING)

    class Gaps:
        def __reduce_ex__(self, _protocol: Any) -> Any:
            return bytes, (pickle.PickleBuffer(memoryview(NOISE)[::2]),)

    with pytest.raises(NotPicklable, match="channel 'channel 0': a Gaps can't be pickled"):
        source.tx(channel).send(Gaps())
    source.send(channel, [1])
    assert sink.take(channel) == [[1]]


def test_a_message_that_fails_half_way_leaves_nothing_behind() -> None:
    _, source, sink, channel = pair(ring_bytes=RING)
    held = bytearray(NOISE)
    for _ in range(3):
        with pytest.raises(NotPicklable):
            source.tx(channel).send(["x" * 100_000, Frame("f", held), lambda: None])
        held.append(1)
    source.send(channel, [held], [2])
    assert sink.take(channel) == [[held], [2]]


def test_a_message_that_sends_another_one_while_it_is_pickled() -> None:
    _, source, sink, channel = pair(ring_bytes=RING)

    class Talkative:
        def __reduce__(self) -> Any:
            source.tx(channel).send(["inner"])
            return list, (("outer",),)

    source.send(channel, [Talkative(), Talkative()])
    assert sink.take(channel) == [["inner"], ["inner"], [["outer"], ["outer"]]]


def test_messages_share_no_memory_of_each_other() -> None:
    """Each message is a pickle of its own: a part that two of them have in common arrives twice."""
    _, source, sink, channel = pair()
    part = ["shared"]
    source.send(channel, [part, part], [part], (part,))
    first, second, third = sink.take(channel)
    assert first[0] is first[1]
    assert (first[0], second[0], third[0]) == (part, part, part)
    assert len({id(first[0]), id(second[0]), id(third[0])}) == 3


# The way back


@given(st.binary(max_size=40), st.integers(0, 40), st.lists(st.integers(0, 9), max_size=12))
def test_a_splice_reads_two_pieces_as_one(data: bytes, cut: int, reads: list[int]) -> None:
    cut = min(cut, len(data))
    splice, at = Splice((memoryview(data)[:cut], memoryview(data)[cut:])), 0
    for number, size in enumerate(reads):
        if number % 2:
            assert splice.read(size) == data[at : at + size]
        else:
            target = bytearray(size)
            done = splice.readinto(target)
            assert bytes(target[:done]) == data[at : at + size]
        at = min(at + size, len(data))
    line = data[at:].split(b"\n")[0]
    assert splice.readline() == (line + b"\n" if b"\n" in data[at:] else line)


def test_buffers_wherever_the_ring_ends() -> None:
    mapping = Mapping(None, layout.channel_bytes(8192))
    Ring.format(mapping, 64)
    ring = Ring(mapping, "ring")
    value = [Frame("a", bytearray(NOISE[:1000])), Frame("b", NOISE[:3000]), NOISE[:700]]
    encoded, _ = Encoder("ring", 8192).encode(value)
    assert encoded is not None
    for start in range(0, 8192, 16):
        ring.write(start, encoded[0], 1, 3, *encoded[1])
        assert decode(ring.read(start, 3)) == [value]
