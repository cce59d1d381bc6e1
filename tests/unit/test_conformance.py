"""The conformance suites, run over all kinds of channels and doorbells that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.errors import DoesNotFit
from steady_mp.memory.doorbell import Doorbell
from steady_mp.testing.conformance import ChannelConformance, DoorbellConformance, Link
from steady_mp.testing.rig import Party, Rig
from tests.support.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from steady_mp.testing.conformance import MakeDoorbell, MakeLink


class ObjectChannel(ChannelConformance):
    """What all object channels can do, whatever the values."""

    @pytest.fixture
    def make(self) -> MakeLink:
        return Link

    def changing(self) -> Sequence[tuple[Any, Callable[[], object]]]:
        row, table, data = [1], {"k": [2]}, bytearray(b"x")
        return ((row, row.clear), (table, table["k"].clear), (data, data.clear))

    def unfit(self) -> Sequence[Any]:
        return (lambda: None, [1, lambda: None])

    def bulky(self, size: int) -> Any:
        return bytes(size)


class TestNumbers(ObjectChannel):
    """They travel as arrays."""

    def values(self, count: int) -> list[Any]:
        return list(range(count))


class TestSigned(ObjectChannel):
    """Arrays as well, until an int below 0 asks for another one, and until one has more than 63 bits."""

    def values(self, count: int) -> list[Any]:
        kinds: list[Callable[[int], int]] = [*[int] * 5, lambda n: (1 << 63) + n, lambda n: -n - 1]
        return [(kinds[number % len(kinds)])(number) for number in range(count)]


class TestMixed(ObjectChannel):
    """Batches of atoms, now and then cut by a record of its own; some do not fit 64 bits, or half a page."""

    def values(self, count: int) -> list[Any]:
        kinds: list[Callable[[int], Any]] = [
            *(int, float, str, lambda n: -n - 1, lambda n: (n,), lambda n: 2**64 + n),
            *(lambda n: "é" * 100 + str(n), lambda n: b"%d" % n, lambda n: (n, "x" * 300)),
        ]
        return [(kinds[number % len(kinds)])(number + 2) for number in range(count)]

    def plain(self, value: Any) -> Any:
        return type(value), value


class TestBytes(ObjectChannel):
    """Batches of bytes, cut by longer ones that are records of their own."""

    def values(self, count: int) -> list[Any]:
        return [b"%d " % number + b"x" * (number * 7 % 11 * 60) for number in range(count)]


class TestBuffers(ObjectChannel):
    """Each with a buffer beside its pickle."""

    def values(self, count: int) -> list[Any]:
        return [Frame(str(number), bytearray(b"x" * (number % 50))) for number in range(count)]

    def changing(self) -> Sequence[tuple[Any, Callable[[], object]]]:
        frame, long = Frame("short", bytearray(b"x")), bytearray(1000)
        return ((frame, frame.data.clear), (long, long.clear))  # type: ignore[union-attr]

    def unfit(self) -> Sequence[Any]:
        return ([Frame("behind it", b"x"), lambda: None],)

    def bulky(self, size: int) -> Any:
        return Frame("bulky", bytearray(size))


class _BytesRig(Rig):
    """Makes bytes lanes."""

    def channel(self, producer: Party, consumer: Party, **told: Any) -> int:
        """See `Rig.channel`."""
        return super().channel(producer, consumer, **{**told, "dtype": bytes})


class TestBytesLane(ChannelConformance):
    """Bytes without a pickle: short ones that share a record, and some that are a good part of the ring."""

    refusal = DoesNotFit

    @pytest.fixture
    def make(self) -> MakeLink:
        def link(*, capacity: int = 8, lanes: int = 1) -> Link:
            return Link(capacity=capacity, lanes=lanes, rig=_BytesRig())

        return link

    def values(self, count: int) -> list[Any]:
        lengths = [number * 7 % 11 * 60 if number % 4 == 1 else number % 9 for number in range(count)]
        return [b"%d " % number + b"x" * length for number, length in enumerate(lengths)]

    def unfit(self) -> Sequence[Any]:
        return ("text", 7, [b"x"], memoryview(b"abcd")[::2])

    def changing(self) -> Sequence[tuple[Any, Callable[[], object]]]:
        short, long = bytearray(b"x"), bytearray(1000)
        return ((short, short.clear), (long, long.clear))

    def plain(self, value: Any) -> Any:
        return bytes(value)

    def bulky(self, size: int) -> Any:
        return bytes(size)


class TestFifo(DoorbellConformance):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDoorbell:
        made: list[Path] = []

        def doorbell() -> Callable[[], Doorbell]:
            path = tmp_path / f"bell-{len(made)}"
            made.append(path)
            Doorbell.create(path)
            return lambda: Doorbell(path)

        return doorbell
