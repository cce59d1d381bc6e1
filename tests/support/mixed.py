"""A long stream of messages of every kind and size, each known from its number alone, and actors that pass it on."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Actor, Rx, SteadyState, Tx

_BLOB = random.Random(340).randbytes(1 << 17)
_TEXT = _BLOB.decode("latin-1")
_LARGEST = 1 << 16
_CYCLE = 997


@dataclass(frozen=True)
class Order:
    number: int
    customer: str
    lines: tuple[tuple[int, float], ...]


_KINDS: tuple[Callable[[int, int], Any], ...] = (
    lambda number, _: number,
    lambda number, _: number / 7,
    lambda number, size: f"{number}:{_TEXT[number % 4096 : number % 4096 + size]}",
    lambda number, size: number.to_bytes(8, "big") + _BLOB[number % 4096 : number % 4096 + size],
    lambda number, _: -number,
    lambda _number, _size: None,
    lambda number, size: Order(number, _TEXT[: size % 50], tuple((n, number / 3) for n in range(size % 7))),
    lambda number, size: {"number": number, "deep": {"list": [number, {"text": _TEXT[: size % 100]}]}, "none": None},
    lambda number, size: (1 << (64 + size % 512)) + number,
    lambda number, _: bool(number & 1),
    lambda _number, _size: b"\x00",
    lambda number, size: bytearray(number.to_bytes(8, "big") + _BLOB[number % 4096 : number % 4096 + size]),
    lambda number, size: Frame(str(number), bytearray(_BLOB[number % 4096 : number % 4096 + size])),
    lambda number, size: [Frame(str(number), _BLOB[:size]), {"text": _TEXT[:size]}, Frame("", bytearray(size % 99))],
)


def _make_recipe() -> list[tuple[Callable[[int, int], Any], int]]:
    """Return kinds and sizes, mostly small ones, in an order without a pattern; the largest size is among them."""
    rng = random.Random(87971)
    recipe = [(rng.choice(_KINDS), int(2 ** rng.triangular(0, 16, 4))) for _ in range(_CYCLE)]
    recipe[_CYCLE // 2] = (_KINDS[3], _LARGEST)
    recipe[_CYCLE // 3] = (_KINDS[2], _LARGEST)
    recipe[_CYCLE // 4] = (_KINDS[-2], _LARGEST)
    recipe[_CYCLE // 5] = (_KINDS[8], 511)
    return recipe


_RECIPE = _make_recipe()


def message(number: int) -> Any:
    kind, size = _RECIPE[number % _CYCLE]
    return kind(number, size)


@dataclass
class Account:
    """What each actor keeps: how many messages, a checksum that depends on their order, and the first wrong one."""

    count: int = 0
    checksum: int = 0
    wrong: int = -1

    def enter(self, value: Any) -> None:
        """Count `value` as the next message."""
        expected = message(self.count)
        if self.wrong < 0 and (type(value) is not type(expected) or value != expected):
            self.wrong = self.count
        self.checksum = zlib.crc32(_essence(value), self.checksum)
        self.count += 1


def _essence(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else repr(value)).encode("latin-1")


# Actors whose turns differ in length and in the ways that they take and send


def source(actor: Actor, out: Tx[Any], total: int, state: SteadyState[Account]) -> None:
    """Send `total` messages, up to 8 a turn, waiting for room now before the turn and now in it."""
    sent = state.acquire(Account)
    while actor.is_running() and sent.count < total:
        length = min(1 + sent.count * 5 % 8, total - sent.count)
        if sent.count % 3:
            actor.await_for_all(out.wait_vacant(length))
        for _ in range(length):
            value = message(sent.count)
            sent.enter(value)
            out.send(value)


def middle(actor: Actor, numbers: Rx[Any], out: Tx[Any], state: SteadyState[Account]) -> None:
    """Pass on one message, some, or all there are."""
    passed = state.acquire(Account)
    while actor.is_running():
        if not actor.await_for_all(numbers.wait_avail(1), out.wait_vacant(1)) and not numbers.avail():
            continue
        if passed.count % 5 == 0:
            values = numbers.take_slice(min(numbers.avail(), out.vacant()))
            for value in values:
                passed.enter(value)
            out.send_slice(values)
        else:
            for _ in range(min(1 + passed.count % 4, numbers.avail(), out.vacant())):
                assert numbers.position() == passed.count
                value = numbers.take()
                passed.enter(value)
                out.send(value)


def sink(actor: Actor, numbers: Rx[Any], state: SteadyState[Account]) -> None:
    """Take one message, two with a wait between them, or all there are."""
    arrived = state.acquire(Account)
    while actor.is_running():
        if arrived.count % 7 == 0:
            arrived.enter(numbers.take())
            arrived.enter(numbers.take())
        else:
            actor.await_for_all(numbers.wait_avail(1))
            for value in numbers.take_slice(1 + arrived.count % 16):
                arrived.enter(value)
