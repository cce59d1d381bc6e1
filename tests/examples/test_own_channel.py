"""The conformance suite over a kind of channel: here the one that there is, with messages of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.testing.conformance import ChannelConformance, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.testing.conformance import MakeLink


@dataclass
class Order:
    number: int
    goods: list[object]


class TestOrders(ChannelConformance):
    """Over a hundred tests: order, bounds, atomic turns, closing, crashes, rings, bundles."""

    @pytest.fixture
    def make(self) -> MakeLink:
        return Link

    def values(self, count: int) -> list[Any]:
        return [Order(number, ["apples"]) for number in range(count)]

    def changing(self) -> Sequence[tuple[Any, Callable[[], object]]]:
        order = Order(1, ["apples"])
        return [(order, order.goods.clear)]

    def bulky(self, size: int) -> Any:
        return Order(1, ["a" * size])

    def unfit(self) -> Sequence[Any]:
        return [Order(1, [lambda: "apples"])]
