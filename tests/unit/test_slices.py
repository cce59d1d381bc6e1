"""Slices of ints: an array where they are nothing else, whatever hides among them where they are not."""

from __future__ import annotations

import enum
import random
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.channel.slices import send_slice
from steady_mp.memory import layout
from steady_mp.testing.rig import Overslept, pair
from tests.unit.records import kinds
from tests.unit.values import told_apart

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.channel.encoding import Encoded
    from steady_mp.channel.slices import Slicing

SHORTS = {
    "rising": list(range(100)),
    "the least and the most": [-(1 << 31), (1 << 31) - 1] * 20,
    "few": [0, 1] * 8,
    "letters": [0x69696969, 0x28282828, 0x69, 0x28] * 10,
}


class Level(enum.IntEnum):
    LOW = 5


class Number(int):
    __slots__ = ()


class Index:
    __slots__ = ()

    def __index__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        return type(other) is Index

    __hash__ = None  # type: ignore[assignment]


ODD: dict[str, Any] = {
    "True": True,
    "False": False,
    "None": None,
    "a float": 3.0,
    "an enum": Level.LOW,
    "a class made of int": Number(6),
    "what has an index": Index(),
    "33 bits": 1 << 31,
    "-33 bits": -(1 << 31) - 1,
    "many bits": 1 << 300,
    "its letter": "i",
    "text": "i" * 9,
    "bytes": b"iiii",
    "an array of bytes": bytearray(b"i"),
    "an empty tuple": (),
    "a list of ints": [1, 2, 3],
    "a range": range(3),
    "a method": "".join,
}


@pytest.mark.parametrize("sequence", [list, tuple])
@pytest.mark.parametrize("ints", SHORTS.values(), ids=SHORTS)
def test_ints_of_32_bits_are_an_array_of_those(ints: list[int], sequence: type) -> None:
    _, source, sink, channel = pair(capacity=200, ring_bytes=1 << 16)
    source.tx(channel).send_slice(sequence(ints))
    source.turn.commit()
    assert kinds(source, channel) == [(layout.RECORD_SHORTS, len(ints))]
    assert told_apart(sink.rx(channel).take_slice(len(ints))) == told_apart(ints)


@pytest.mark.parametrize("sequence", [list, tuple])
@pytest.mark.parametrize("place", [0, 20, 39])
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_is_among_them_arrives_as_what_it_is(odd: object, place: int, sequence: type) -> None:
    _, source, sink, channel = pair(capacity=200, ring_bytes=1 << 16)
    sent = [*range(place), odd, *range(39 - place)]
    source.tx(channel).send_slice(sequence(sent))
    source.turn.commit()
    assert layout.RECORD_SHORTS not in dict(kinds(source, channel))
    taken = sink.rx(channel).take_slice(40)
    assert told_apart(taken) == told_apart(sent)
    assert type(taken[place]) is type(odd)


def test_what_holds_itself_twice_keeps_nobody_busy() -> None:
    _, source, sink, channel = pair(capacity=200, ring_bytes=1 << 16)
    circle: list[Any] = []
    circle += [circle, circle]
    source.tx(channel).send_slice([*range(20), circle, 20])
    source.turn.commit()
    taken = sink.rx(channel).take_slice(22)
    assert taken[20][0] is taken[20][1] is taken[20]


class Meanwhile:
    """A sending end, and another thread that changes the list as soon as there was a look at how long it is."""

    def __init__(self, tx: Slicing, change: Callable[[], object]) -> None:
        self.vacant, self.send, self._tx, self._changes = tx.vacant, tx.send, tx, [change]

    def has_room(self, count: int) -> bool:
        if self._changes:
            self._changes.pop()()
        return self._tx.has_room(count)

    def send_together(self, encoded: Encoded, count: int) -> bool:
        return self._tx.send_together(encoded, count)


@pytest.mark.parametrize("change", ["append", "pop", "clear"])
def test_a_list_that_is_changed_meanwhile_is_sent_as_it_was_at_one_moment(change: str) -> None:
    _, source, sink, channel = pair(capacity=200, ring_bytes=1 << 16)
    values = list(range(30))
    tx: Any = source.tx(channel)
    changes: dict[str, Callable[[], object]] = {
        "append": lambda: values.append(7), "pop": values.pop, "clear": values.clear
    }  # fmt: skip
    send_slice(Meanwhile(tx, changes[change]), values)
    tx.send("behind")
    source.turn.commit()
    assert sink.rx(channel).take_slice(200) == [*values, "behind"]


def test_any_mixture_arrives_as_it_was_sent() -> None:
    dice = random.Random(6)
    _, source, sink, channel = pair(capacity=5000, ring_bytes=1 << 20)
    for _ in range(300):
        width = dice.choice([8, 31, 32, 33, 64, 70])
        sent: list[Any] = [
            dice.getrandbits(width) - dice.choice([0, 1 << (width - 1)]) for _ in range(dice.randrange(60))
        ]
        if sent and dice.random() < 0.5:
            sent[dice.randrange(len(sent))] = dice.choice([True, None, 0.5, "x", Number(3)])
        source.tx(channel).send_slice(sent)
        source.turn.commit()
        assert told_apart(sink.rx(channel).take_slice(len(sent))) == told_apart(sent)
        sink.turn.commit()


def test_slices_that_follow_one_another_overwrite_nothing() -> None:
    """Without a look in between, as long as what was granted lasts; and then with one."""
    dice, ring_bytes = random.Random(7), 1 << 14
    kinds_of: list[Callable[[int], object]] = [
        lambda number: number,
        lambda number: number << 40,
        float,
        lambda number: b"%d" % number,
        lambda number: bytes([number % 256]) * 90,
        lambda number: f"{number}" * 30,
    ]
    _, source, sink, channel = pair(capacity=2000, ring_bytes=ring_bytes)
    tx, rx, sent, taken = source.tx(channel), sink.rx(channel), [], []
    for _ in range(2000):
        kind = dice.choice(kinds_of)
        values = list(map(kind, range(tx.position(), tx.position() + dice.randrange(1, 60))))
        begun = tx.position()
        try:
            tx.send_slice(values) if dice.random() < 0.8 else tx.send(values[0])
        except Overslept:  # the ring is full
            source.turn.commit()
        sent += values[: tx.position() - begun]
        assert tx.statistics().bytes_in_flight <= ring_bytes
        if dice.random() < 0.1 or tx.position() - begun < len(values):
            source.turn.commit()
            taken += rx.take_slice(2000)
            assert taken == sent
            sink.turn.commit()
    assert len(sent) > 20_000
