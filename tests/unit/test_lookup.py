"""One message by its position, shown in one line: what it costs, and what may stand there."""

from __future__ import annotations

import pickle
import tracemalloc
from typing import Any

import pytest

from steady_mp.channel.lookup import leads_on, shown
from steady_mp.channel.ring import Ring
from steady_mp.memory import layout
from steady_mp.memory.control import Cursor
from steady_mp.memory.mapping import Mapping
from steady_mp.standin import bounded
from steady_mp.testing.rig import pair


class array:  # noqa: N801 - reprlib has a way of its own to show what is called so
    """A class of the user's."""


class deque(list[int]):  # noqa: N801 - likewise
    """Another one."""


def seen(value: Any, ring_bytes: int = 1 << 23) -> str:
    _, source, sink, channel = pair(ring_bytes=ring_bytes)
    source.send(channel, value)
    return shown(sink.life._place.stores[0], sink.control.journal().cursors[0], 0)


@pytest.mark.parametrize(
    ("value", "text"), [(array(), "array()"), (deque([1]), "deque([1])"), ([array()], "[array()]")]
)
def test_a_class_may_have_any_name(value: object, text: str) -> None:
    assert seen(value) == text


def test_long_bytes_are_cut_before_they_are_written_out() -> None:
    for kind in (bytes, bytearray):
        value = kind(b"x" * (1 << 20))
        tracemalloc.start()
        try:
            text = bounded([value], 200)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(text) <= 200
        assert "..." in text
        assert peak < 1 << 14


@pytest.mark.parametrize("value", [bytes(3 << 20), ["x" * (3 << 20)]], ids=["bytes", "text"])
def test_a_very_large_message_is_told_by_its_size(value: object) -> None:
    _, source, sink, channel = pair(ring_bytes=1 << 23)
    source.send(channel, value)
    ring, cursor = sink.life._place.stores[0], sink.control.journal().cursors[0]
    tracemalloc.start()
    try:
        text = shown(ring, cursor, 0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert text.startswith("a message of 3,145,")
    assert text.endswith(" bytes")
    assert peak < 1 << 16


def test_whatever_can_not_be_shown_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("no repr")

    monkeypatch.setattr("steady_mp.channel.lookup.decode", broken)
    assert "no repr" in seen([1])


landed: list[int] = []


def _land(load: bytes) -> int:
    landed.append(len(load))
    return 7


class Alien:
    """Whoever unpickles it for real is told of."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _land, (b"x" * (1 << 17),)


def test_a_large_message_around_the_end_of_the_ring_runs_no_code() -> None:
    size = 1 << 18
    mapping = Mapping(None, layout.channel_bytes(size))
    Ring.format(mapping, 64)
    ring = Ring(mapping, "ring")
    begin = size - layout.PAGE
    end = ring.write(begin, layout.RECORD_OBJECT, 1, 0, pickle.dumps(Alien()))
    assert len(ring.read(begin, 0).views) == 2
    ring.words[layout.HEAD_POS], ring.words[layout.TAIL_POS], ring.words[layout.TAIL] = begin, end, 1
    assert shown(ring, Cursor(0, begin, 0), 0).startswith("_land(")
    assert landed == []


def test_records_lead_to_no_place_from_one_at_which_none_begins() -> None:
    """The last bytes of a ring are fewer than a header, but no record begins there."""
    mapping = Mapping(None, layout.channel_bytes(4096))
    Ring.format(mapping, 8)
    ring = Ring(mapping, "odd")
    assert not leads_on(ring, Cursor(0, 4096 - 8, 0), Cursor(1, 4096 + 8, 0))
    ring.release()
