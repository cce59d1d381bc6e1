"""Slices of ints: an array where they are nothing else, whatever hides among them where they are not."""

from __future__ import annotations

import enum
import random
from typing import Any

import pytest

from steady_mp.memory import layout
from steady_mp.testing.rig import pair
from tests.unit.records import kinds
from tests.unit.values import told_apart

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


@pytest.mark.parametrize("ints", SHORTS.values(), ids=SHORTS)
def test_ints_of_32_bits_are_an_array_of_those(ints: list[int]) -> None:
    _, source, sink, channel = pair(capacity=200, ring_bytes=1 << 16)
    source.tx(channel).send_slice(ints)
    source.turn.commit()
    assert kinds(source, channel) == [(layout.RECORD_SHORTS, len(ints))]
    assert told_apart(sink.rx(channel).take_slice(len(ints))) == told_apart(ints)


@pytest.mark.parametrize("place", [0, 20, 39])
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_is_among_them_arrives_as_what_it_is(odd: object, place: int) -> None:
    _, source, sink, channel = pair(capacity=200, ring_bytes=1 << 16)
    sent = [*range(place), odd, *range(39 - place)]
    source.tx(channel).send_slice(sent)
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
