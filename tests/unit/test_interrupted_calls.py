"""A send or a take that something breaks off in its midst, a signal's handler say: nothing is lost or doubled by it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from steady_mp import NotPicklable, SendOutcome
from steady_mp.memory import layout
from steady_mp.testing.rig import Overslept, Party, pair

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

RING: Final = 4096
CAPACITY: Final = 6


class TimeUp(Exception):
    """What a handler raises."""


class Thing:
    """What has to be pickled."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing) and other.text == self.text

    __hash__ = None  # type: ignore[assignment]


#: What is sent, by kind: numbers, some of another sort behind them, what fills the ring, and what has a record each.
OBJECTS: Final = {
    "ints": [1, 2, 3, 4, 5, 6],
    "below 0": [1, 2, -3, 4, 1 << 63, -1],
    "floats": [0.5, 1.5, 2.5],
    "bytes": [b"a" * 500, b"b" * 400, b"c" * 600, b"d" * 100],
    "mixed": [1, "two", 3.0, None, b"x" * 300, True],
    "things": [Thing("a"), Thing("b" * 300), Thing("c"), Thing("d" * 200)],
    "both": [Thing("a"), 1, b"b" * 500, Thing("c" * 300), 2, "d"],
    "large": [b"a" * 1500, 1, Thing("b" * 1200)],
}
KINDS: Final = [
    *((None, values) for values in OBJECTS.values()),
    (bytes, [b"a", b"b" * 300, b"", b"c" * 700, b"d" * 200]),
    ("q", [1, -2, 3, 4, -5]),
]
IDS: Final = [*OBJECTS, "bytes lane", "lane"]


def broken_off(call: Callable[[], Any], step: int) -> Any:
    """Make the call, and raise TimeUp in its step number `step`: where Python would run a signal's handler."""
    left = step

    def look(frame: FrameType, event: str, arg: object) -> None:
        nonlocal left
        where = frame.f_code
        if event not in {"call", "c_return"} or "steady_mp/channel/" not in where.co_filename or arg is sys.setprofile:
            return
        if where.co_filename.endswith("bytes_rx.py") and where.co_name in {
            "take",
            "take_slice",
            "_copied",
            "<listcomp>",
        }:
            return  # a message that was taken is made a copy of: as an exception behind the call it can't be helped
        left -= 1
        if not left:
            raise TimeUp

    sys.setprofile(look)
    try:
        return call()
    finally:
        sys.setprofile(None)


def channel(dtype: object) -> tuple[Any, Party, Party, int]:
    sized = {} if dtype == "q" else {"ring_bytes": RING}
    return pair(capacity=CAPACITY, dtype=dtype, grouped=True, **sized)


def fill(source: Party, at: int, values: list[Any], sent: list[Any]) -> None:
    """Send until the channel is full."""
    for number in range(2 * CAPACITY):
        value = values[number % len(values)]
        try:
            source.tx(at).send(value)
        except Overslept:
            return
        sent.append(value)


@pytest.mark.parametrize("way", ["send", "try_send", "send_slice"])
@pytest.mark.parametrize(("dtype", "values"), KINDS, ids=IDS)
@pytest.mark.parametrize("ahead", range(CAPACITY - 1))
def test_a_send_that_is_broken_off_is_made_or_not(dtype: object, values: list[Any], way: str, ahead: int) -> None:
    """And `position` says which; there is never more in the channel than it holds, nor anything else."""
    step, done = 0, False
    while not done:
        step += 1
        rig, source, sink, at = channel(dtype)
        tx, rx, words = source.tx(at), sink.rx(at), rig.words(at)
        sent = [values[number % len(values)] for number in range(ahead)]
        sent = [value for value in sent if tx.try_send(value) is SendOutcome.SENT]
        before, batch = tx.position(), values[:2] if way == "send_slice" else values[:1]
        argument = batch if way == "send_slice" else batch[0]
        try:
            broken_off(lambda: getattr(tx, way)(argument), step)  # noqa: B023 - called at once
            done = True
        except (TimeUp, NotPicklable):  # the same, where it is a pickle that is broken off
            pass
        except Overslept:  # no room for it
            done = True
        sent += batch[: tx.position() - before]
        source.turn.commit()
        assert words[layout.TAIL] == tx.position() == len(sent)
        fill(source, at, values, sent)
        source.turn.touched = True
        source.turn.commit()
        assert tx.position() == len(sent) <= CAPACITY
        assert words[layout.TAIL_POS] - words[layout.HEAD_POS] <= max(words[layout.CH_RING_BYTES], RING)
        assert rx.take_slice(CAPACITY * 2) == sent


@pytest.mark.parametrize("way", ["take", "try_take", "take_slice"])
@pytest.mark.parametrize(("dtype", "values"), KINDS, ids=IDS)
@pytest.mark.parametrize("ahead", range(3))
def test_a_take_that_is_broken_off_has_taken_nothing(dtype: object, values: list[Any], way: str, ahead: int) -> None:
    step, done = 0, False
    while not done:
        step += 1
        rig, source, sink, at = channel(dtype)
        sent: list[Any] = []
        fill(source, at, values, sent)
        source.turn.touched = True
        source.turn.commit()
        rx, words = sink.rx(at), rig.words(at)
        got = [rx.take() for _ in range(min(ahead, len(sent) - 1))]
        try:
            found = broken_off(lambda: rx.take_slice(2) if way == "take_slice" else getattr(rx, way)(), step)  # noqa: B023
            got += found if way == "take_slice" else [found]
            done = True
        except TimeUp:
            pass
        assert rx.position() == len(got)
        sink.turn.commit()
        assert words[layout.HEAD] == len(got)
        while rx.avail():
            got.append(rx.take())
        assert got == sent
        sink.turn.touched = True
        sink.turn.commit()
        assert words[layout.HEAD] == len(sent)
