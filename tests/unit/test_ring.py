"""The ring alone: records of any size at growing positions."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp.channel.ring import Ring
from steady_mp.errors import CorruptChannel
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping

SIZE = layout.PAGE
HEADER = layout.RECORD.size
LARGEST = SIZE - HEADER


def make_ring(size: int = SIZE, capacity: int = 64) -> Ring:
    mapping = Mapping(None, layout.channel_bytes(size))
    Ring.format(mapping, capacity)
    return Ring(mapping, "ring")


def test_a_formatted_ring_knows_its_capacity_and_size() -> None:
    ring = make_ring(2 * SIZE, capacity=7)
    assert (ring.capacity, ring.size, ring.name) == (7, 2 * SIZE, "ring")
    assert ring.words[layout.WAKE_TAIL] == ring.words[layout.WAKE_HEAD] == layout.NEVER


def test_a_file_of_another_layout_is_refused() -> None:
    mapping = Mapping(None, layout.channel_bytes(SIZE))
    with pytest.raises(CorruptChannel, match="'ring' was written by another version"):
        Ring(mapping, "ring")


@given(st.integers(0, 5000))
def test_a_record_takes_its_header_its_payload_and_padding_to_sixteen(length: int) -> None:
    assert layout.record_bytes(length) % layout.RECORD_ALIGN == 0
    assert HEADER + length <= layout.record_bytes(length) < HEADER + length + layout.RECORD_ALIGN


@given(
    start=st.integers(0, 3 * SIZE // layout.RECORD_ALIGN).map(layout.RECORD_ALIGN.__mul__),
    payload=st.one_of(st.binary(max_size=40), st.integers(0, LARGEST).map(lambda n: bytes(i & 255 for i in range(n)))),
    count=st.integers(1, layout.RECORD_MAX_COUNT),
    first=st.integers(0, layout.NEVER),
    kind=st.sampled_from([layout.RECORD_OBJECT, layout.RECORD_BATCH]),
)
def test_a_record_is_read_as_it_was_written_wherever_it_stands(
    start: int, payload: bytes, count: int, first: int, kind: int
) -> None:
    ring = make_ring()
    end = ring.write(start, kind, count, first, payload)
    record = ring.read(start, first)
    assert (record.kind, record.messages, record.first) == (kind, count, first)
    assert bytes(record.payload) == payload
    assert record.end == end == start + layout.record_bytes(len(payload))
    assert ring.first_at(start) == first


@pytest.mark.parametrize("start", [0, 16, SIZE // 2, SIZE - 16, 5 * SIZE - 32])
def test_one_record_can_fill_the_ring_exactly(start: int) -> None:
    ring = make_ring()
    payload = bytes(i % 251 for i in range(LARGEST))
    assert ring.write(start, layout.RECORD_OBJECT, 1, 9, payload) == start + ring.size
    assert bytes(ring.read(start, 9).payload) == payload


@given(st.lists(st.one_of(st.integers(0, 100), st.integers(0, LARGEST)), min_size=1, max_size=60))
def test_records_behind_each_other_never_touch_those_that_wait(lengths: list[int]) -> None:
    ring = make_ring()
    waiting: deque[tuple[int, int, bytes]] = deque()
    tail = head = 0
    for number, length in enumerate(lengths):
        while tail + layout.record_bytes(length) - head > ring.size:
            position, first, payload = waiting.popleft()
            record = ring.read(position, first)
            assert bytes(record.payload) == payload
            head = record.end
        payload = bytes((number + i) & 255 for i in range(length))
        waiting.append((tail, number, payload))
        tail = ring.write(tail, layout.RECORD_OBJECT, 1, number, payload)
    for position, first, payload in waiting:
        assert bytes(ring.read(position, first).payload) == payload


def test_only_a_payload_that_wraps_is_copied() -> None:
    ring = make_ring()
    ring.write(0, layout.RECORD_OBJECT, 1, 0, b"whole")
    assert isinstance(ring.read(0, 0).payload, memoryview)
    ring.write(SIZE - 32, layout.RECORD_OBJECT, 1, 1, bytes(100))
    assert isinstance(ring.read(SIZE - 32, 1).payload, bytes)


def test_a_record_that_is_not_the_expected_one_is_an_error_that_names_both() -> None:
    ring = make_ring()
    ring.write(0, layout.RECORD_OBJECT, 1, 5, b"five")
    with pytest.raises(CorruptChannel, match="at byte 0 stands message 5, expected was 6"):
        ring.read(0, 6)


def test_a_length_beyond_the_ring_is_an_error() -> None:
    ring = make_ring()
    ring.write(0, layout.RECORD_OBJECT, 1, 5, b"five")
    ring._data[0:4] = (SIZE).to_bytes(4, "little")
    with pytest.raises(CorruptChannel):
        ring.read(0, 5)


def test_a_closed_ring_gives_its_memory_back() -> None:
    mapping = Mapping(None, layout.channel_bytes(SIZE))
    Ring.format(mapping, 1)
    ring = Ring(mapping, "ring")
    ring.close()
    with pytest.raises(ValueError, match="released"):
        ring.words[0]
