"""Bytes lanes: messages of any length in one piece, and views straight into the ring."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ConfigurationError, MessageTooLarge, PeerGone
from steady_mp.channel.bytes_tx import SMALL, as_bytes
from steady_mp.cli.peek import copy, unpacked
from steady_mp.errors import ClosedByMe, CorruptChannel, DoesNotFit, OutOfReach, ViewInUse
from steady_mp.graph import Topology
from steady_mp.memory import layout
from steady_mp.memory.layout import PAGE
from steady_mp.plan import Plan
from tests.support import parcels
from tests.support.bytes_lane import Lane

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = PAGE // 2 - layout.RECORD.size


# What it carries


def test_any_buffer_arrives_as_its_bytes() -> None:
    lane = Lane()
    values: list[Any] = [
        b"bytes",
        bytearray(b"array"),
        memoryview(b"view"),
        memoryview(b"a-b-c")[::1],
        b"",
        bytearray(),
    ]
    lane.send(*values)
    lane.tx.send_slice(values)
    lane.source.turn.commit()
    assert lane.take() == [bytes(value) for value in values] * 2


def test_what_refuses_to_be_a_buffer_does_not_fit() -> None:
    released = memoryview(b"x")
    released.release()
    with pytest.raises(DoesNotFit, match="channel 'frames' carries bytes: a memoryview is none"):
        as_bytes(released, "frames", 1 << 16)


def test_arrays_too() -> None:
    numpy = pytest.importorskip("numpy")
    lane = Lane(ring_bytes=1 << 16)
    for made in (numpy.arange(6, dtype="<u2").reshape(2, 3), numpy.empty(0), numpy.ones(2000)):
        lane.send(made)
        assert lane.take() == [made.tobytes()]


@pytest.mark.parametrize(
    "value", ["text", 1, None, [b"x"], memoryview(b"abcd")[::2]], ids=lambda value: type(value).__name__
)
def test_what_is_no_bytes_is_refused_by_the_channels_name(value: Any) -> None:
    lane = Lane()
    for way in (lane.tx.send, lane.tx.try_send, lambda v: lane.tx.send_slice([v])):
        with pytest.raises(DoesNotFit, match=r"channel 'channel 0' carries bytes: a .* is none, or not in one"):
            way(value)
    assert lane.tx.position() == 0


def test_half_the_ring_passes_wherever_it_stands_and_one_byte_more_is_refused() -> None:
    lane = Lane()
    for number in range(300):
        lane.send(bytes([number & 255]) * LARGEST)
        assert lane.take() == [bytes([number & 255]) * LARGEST]
        lane.send(b"x" * (number % 50))
        lane.take()
    message = f"a {{}} of {LARGEST + 1} bytes exceeds {LARGEST}, the most that fits a ring of {PAGE} bytes in one piece"
    held = bytearray(LARGEST + 1)
    for way in (lane.tx.send, lane.tx.try_send, lambda v: lane.tx.send_slice([v, v])):
        with pytest.raises(MessageTooLarge, match=message.format("bytearray")):
            way(held)
    for poke in (lane.tx.poke, lane.tx.try_poke):
        with pytest.raises(MessageTooLarge, match=message.format("message")):
            poke(len(held))
    held.clear()
    assert lane.tx.position() == 600


def test_a_message_is_a_value_as_of_the_call() -> None:
    lane = Lane(ring_bytes=1 << 17)
    for size in (5, SMALL, SMALL + 1, 50_000):
        value = bytearray(b"x" * size)
        lane.tx.send(value)
        value.clear()  # nobody holds it
        lane.source.turn.commit()
        assert lane.take() == [b"x" * size]


def test_short_messages_share_a_record_and_none_wraps() -> None:
    lane = Lane(ring_bytes=PAGE, capacity=64)
    ring: Any = lane.source.life.ends[0]
    written = 0
    for number in range(200):
        batch = [b"%d:" % number + b"x" * (n * 13 % 90) for n in range(1 + number % 11)]
        for value in batch:
            lane.tx.send(value)
        before = ring._position
        lane.source.turn.commit()
        written += ring._position - before > 0
        assert lane.take() == batch
    assert written <= 200


def test_a_file_of_another_kind_is_refused() -> None:
    lane = Lane()
    mapping = lane.rig.mappings[0]
    mapping.words[layout.CH_KIND] = layout.KIND_OBJECT
    with pytest.raises(CorruptChannel, match="is of kind 0 in its file, and of kind 2 here"):
        lane.source.begin()


def test_a_graph_says_so_by_dtype_and_the_plan_keeps_it() -> None:
    topology = Topology("bytes")
    tx, rx = topology.channel(8, dtype=bytes, ring_bytes=1 << 16)
    topology.actor("a", parcels.source, tx, 1, 1, topology.state())
    topology.actor("b", parcels.sink, rx, 1, topology.state())
    plan = topology.plan()
    assert plan.channels[0].shape.kind == "bytes"
    assert Plan.from_json(plan.to_json()).channels[0] == plan.channels[0]
    with pytest.raises(ConfigurationError, match="a message of a bytes lane stands in one piece without it"):
        topology.channel(8, dtype=bytes, mirror=True)  # type: ignore[arg-type]


def test_peek_of_the_command_line_passes_padding_by() -> None:
    lane = Lane()
    for first in range(0, 60, 3):
        values = [b"a" * 900, b"b" * 7, b"c" * 700]
        lane.send(*values)
        lane.take(1)
        seen: Any = unpacked(copy(lane.sink.life._place.stores[0], 9))
        assert [value for position, value in seen if position > first] == values[1:]
        lane.take()


def test_a_behavior_that_wants_a_bytes_lane_is_given_no_other_channel() -> None:
    topology = Topology("bytes")
    _, rx = topology.channel(8)
    with pytest.raises(ConfigurationError, match=r"'parcels' wants the receiving end of a bytes lane \(BytesRx\)"):
        topology.actor("b", parcels.sink, rx, 1, topology.state())


# Written in place


def test_what_is_written_in_place_is_a_message() -> None:
    lane = Lane()
    view = lane.tx.poke(5)
    assert (view.nbytes, view.readonly, view.format) == (5, False, "B")
    view[:] = b"hello"
    assert lane.tx.position() == 0
    lane.tx.advance_send(1)
    assert lane.tx.position() == 1
    with pytest.raises(ValueError, match="released"):
        view[0] = 1
    assert lane.rx.avail() == 0
    lane.source.turn.commit()
    assert lane.take() == [b"hello"]


def test_it_is_the_memory_of_the_ring() -> None:
    lane = Lane(ring_bytes=1 << 16)
    lane.tx.poke(SMALL + 1)[:6] = b"inside"
    assert bytes(lane.data[PAGE + 16 : PAGE + 22]) == b"inside"
    lane.tx.advance_send()
    lane.source.turn.commit()
    view = lane.rx.peek()
    lane.data[PAGE + 16] = ord("I")
    assert bytes(view[:6]) == b"Inside"


def test_a_part_of_what_was_poked_can_be_sent_or_nothing() -> None:
    lane = Lane()
    view = lane.tx.poke(100)
    view[:4] = b"part"
    lane.tx.advance_send(size=4)
    lane.tx.poke(7)
    lane.tx.advance_send(0)
    lane.tx.advance_send(0)
    lane.tx.poke(0)
    lane.tx.advance_send()
    lane.source.turn.commit()
    assert lane.take() == [b"part", b""]


def test_advancing_without_a_message_or_beyond_it_says_so() -> None:
    lane = Lane()
    with pytest.raises(OutOfReach, match="'channel 0': 1 messages are to be sent, 0 was poked"):
        lane.tx.advance_send()
    lane.tx.poke(3)
    with pytest.raises(ValueError, match="2 messages are to be sent, 1 was poked"):
        lane.tx.advance_send(2)
    for size in (-1, 4):
        with pytest.raises(ValueError, match=f"{size} bytes are to be sent of a message of 3"):
            lane.tx.advance_send(size=size)
    lane.send(b"x")
    with pytest.raises(ValueError, match="1 messages are to be taken, 0 are there"):
        Lane().rx.advance_take()
    for count in (2, -1):
        with pytest.raises(ValueError, match=f"{count} messages are to be taken, 1 are there"):
            lane.rx.advance_take(count)


@pytest.mark.parametrize("way", ["send", "try_send", "send_slice", "poke", "try_poke", "commit"])
def test_a_poke_is_given_up_by_whatever_comes_next(way: str) -> None:
    lane = Lane()
    lane.send(b"before")
    view = lane.tx.poke(4)
    if way == "commit":
        lane.tx.send(b"after")
        lane.source.turn.commit()
    elif "poke" in way:
        getattr(lane.tx, way)(5)[:] = b"after"
        lane.tx.advance_send()
    else:
        getattr(lane.tx, way)([b"after"] if way == "send_slice" else b"after")
    with pytest.raises(ValueError, match="released"):
        view[0] = 1
    lane.source.turn.commit()
    assert lane.take() == [b"before", b"after"]


def test_a_full_lane_has_nothing_to_poke_and_poke_waits() -> None:
    lane = Lane(capacity=2)
    lane.send(b"a", b"b")
    assert lane.tx.try_poke(1) is None
    lane.source.parker.plans.append(lambda: lane.take(1))
    lane.put(b"c")
    assert lane.tx.try_poke(1) is None
    lane.source.turn.commit()
    assert lane.take() == [b"b", b"c"]
    lane.sink.finish()
    with pytest.raises(PeerGone):
        lane.tx.poke(1)
    with pytest.raises(PeerGone):
        lane.tx.try_poke(1)


# Looked at in place


def test_a_view_shows_the_next_message_until_the_commit_that_takes_it() -> None:
    lane = Lane(ring_bytes=1 << 16)
    for data in (b"short", b"x" * (SMALL + 1)):
        lane.send(data, b"next")
        view = lane.rx.peek()
        assert view == data
        assert view.readonly
        lane.sink.turn.commit()
        assert view == data, "it was not taken"
        lane.rx.advance_take(1)
        assert view == data, "nor is that committed"
        following = lane.rx.peek()
        lane.sink.turn.commit()
        with pytest.raises(ValueError, match="released"):
            view[0]
        assert bytes(following) == b"next"
        lane.take()
        with pytest.raises(ValueError, match="released"):
            bytes(following)


def test_a_view_that_its_holder_has_released_is_made_anew() -> None:
    lane = Lane()
    lane.send(b"message")
    with lane.rx.peek() as view:
        assert bytes(view) == b"message"
    assert bytes(lane.rx.peek()) == b"message"
    assert lane.rx.take() == b"message"
    lane.sink.turn.commit()


@pytest.mark.parametrize("size", [5, SMALL + 1])
def test_what_still_holds_a_view_stops_the_commit(size: int) -> None:
    lane = Lane(ring_bytes=1 << 16)
    lane.send(b"x" * size)
    part = lane.rx.peek()[1:3]
    lane.rx.advance_take()
    with pytest.raises(ViewInUse, match=r"channel 'channel 0': an array or a slice of a view is alive"):
        lane.sink.turn.commit()
    assert lane.rig.words(0)[layout.HEAD] == 0
    assert bytes(part) == b"xx"
    part.release()
    lane.sink.turn.commit()
    assert lane.rig.words(0)[layout.HEAD] == 1
    poked = lane.tx.poke(size)
    part = poked[:1]
    for act in (lane.tx.advance_send, lambda: lane.send(b"other"), lambda: lane.tx.poke(1)):
        with pytest.raises(ViewInUse):
            act()
    part.release()
    lane.tx.advance_send()
    lane.source.turn.commit()
    assert len(lane.take()[0]) == size


@pytest.mark.parametrize(
    ("close", "error"),
    [(lambda lane: lane.sink.finish(), PeerGone), (lambda lane: lane.tx.mark_closed(), ClosedByMe)],
)
def test_a_poke_is_given_up_also_where_nothing_can_be_sent_any_more(
    close: Callable[[Lane], None], error: type[Exception]
) -> None:
    lane = Lane()
    view = lane.tx.poke(4)
    close(lane)
    with pytest.raises(error):
        lane.tx.advance_send(1)
    lane.tx.advance_send(0)
    with pytest.raises(ValueError, match="released"):
        view[0] = 1
    lane.tx.advance_send(0)  # there is nothing any more, and nothing to complain of
    lane.source.turn.commit()
    assert lane.tx.position() == 0


def test_what_was_taken_stays_when_the_ring_goes_round() -> None:
    lane = Lane(ring_bytes=1 << 16)
    got: list[bytes] = []
    for fill in range(40):
        lane.send(bytes([fill]) * (SMALL + 1), bytes([fill]) * 9)
        got += [lane.rx.take(), lane.rx.take()] if fill % 2 else lane.rx.take_slice(2)
        lane.sink.turn.commit()
    assert got == [bytes([fill]) * size for fill in range(40) for size in (SMALL + 1, 9)]


def test_no_view_is_left_behind() -> None:
    lane = Lane(ring_bytes=1 << 16)
    for _ in range(20):
        lane.put(b"x" * (SMALL + 1))
        lane.source.turn.commit()
        lane.rx.peek()
        lane.rx.advance_take()
        lane.sink.turn.commit()
    gc.collect()
    inside = [view for view in gc.get_objects() if isinstance(view, memoryview) and _is_in_use(view, SMALL + 1)]
    assert len(inside) <= 1  # what was read last, until the next


def _is_in_use(view: memoryview, size: int) -> bool:
    try:
        return view.nbytes == size
    except ValueError:
        return False
