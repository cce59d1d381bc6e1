"""The conformance suites, run over lanes of each sort of item."""

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from steady_mp.channel.items import items_of, text_of
from steady_mp.testing.conformance import LaneConformance, Link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.testing.conformance import MakeLink


class Lane(LaneConformance):
    """What all lanes can do, whatever the items."""

    dtype: Any = "Q"

    @pytest.fixture
    def make(self) -> MakeLink:
        return functools.partial(Link, dtype=self.dtype, mirror=self.mirrored)

    def values(self, count: int) -> list[Any]:
        return list(range(1, count + 1))

    def unfit(self) -> Sequence[Any]:
        return ("many", -1, 1 << 64, 1.5, None)

    def shown(self, view: memoryview) -> list[Any]:
        return view.tolist()

    def filled(self, view: memoryview, values: list[Any]) -> None:
        for index, value in enumerate(values):
            view[index] = value


class TestNumbers(Lane):
    pass


class TestMirrored(Lane):
    mirrored = True


class TestFloats(Lane):
    dtype = np.float64

    def values(self, count: int) -> list[Any]:
        return [number / 8 for number in range(1, count + 1)]

    def unfit(self) -> Sequence[Any]:
        return ("many", None)


class Structs(Lane):
    """Their views are bytes."""

    dtype = "=QdB"

    def values(self, count: int) -> list[Any]:
        return [(number, number / 4, number % 251) for number in range(1, count + 1)]

    def unfit(self) -> Sequence[Any]:
        return ((1, 2.0), (1, 2.0, 3, 4), (1, "a", 3), 5, None)

    def shown(self, view: memoryview) -> list[Any]:
        return list(struct.iter_unpack(self.dtype, view))

    def filled(self, view: memoryview, values: list[Any]) -> None:
        for index, value in enumerate(values):
            struct.pack_into(self.dtype, view, index * struct.calcsize(self.dtype), *value)


class TestStructs(Structs):
    pass


class TestStructsMirrored(Structs):
    """An itemsize of 17 bytes: the ring is 17 pages."""

    mirrored = True


class TestText(Lane):
    """One value of a struct stands for itself."""

    dtype = "4s"

    def values(self, count: int) -> list[Any]:
        return [b"%04d" % number for number in range(1, count + 1)]

    def unfit(self) -> Sequence[Any]:
        return ("text", 1, None)

    def shown(self, view: memoryview) -> list[Any]:
        return [value for (value,) in struct.iter_unpack(self.dtype, view)]

    def filled(self, view: memoryview, values: list[Any]) -> None:
        for index, value in enumerate(values):
            struct.pack_into(self.dtype, view, index * 4, value)


class Records(Lane):
    """Structured items of numpy."""

    dtype: Any = np.dtype([("id", "<u8"), ("at", "<f4", (2,)), ("tag", "S3")])

    def values(self, count: int) -> list[Any]:
        return [(number, [number / 2, number / 4], b"t%d" % (number % 10)) for number in range(1, count + 1)]

    def unfit(self) -> Sequence[Any]:
        return (("x", [1, 2], b""), (1, 2), (-1, [1, 2], b""))

    def plain(self, value: Any) -> Any:
        return tuple(part.tolist() if isinstance(part, np.ndarray) else part for part in value)

    def shown(self, view: memoryview) -> list[Any]:
        return list(items_of(text_of(self.dtype)).as_array(view).copy())

    def filled(self, view: memoryview, values: list[Any]) -> None:
        items_of(text_of(self.dtype)).as_array(view)[: len(values)] = values


class TestRecords(Records):
    pass


class TestRecordsMirrored(Records):
    mirrored = True


class TestDates(Records):
    """Items for which no buffer has a name: their views are bytes."""

    dtype = np.dtype("M8[s]")

    def values(self, count: int) -> list[Any]:
        return [np.datetime64(number, "s") for number in range(1, count + 1)]

    def unfit(self) -> Sequence[Any]:
        return ("many", object())

    def plain(self, value: Any) -> Any:
        return value
