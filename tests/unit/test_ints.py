"""Ints one by one: they travel as arrays, of one kind or another."""

from __future__ import annotations

from typing import Any

import pytest

from steady_mp.testing.rig import pair

INTS = {
    "naturals": [1, 2, (1 << 63) - 1],
    "of 64 bits, without a sign": [1, 2, (1 << 64) - 1, 1 << 63],
    "below 0 at first": [-1, 2, 3],
    "below 0 behind naturals": [1, 2, -3, 4],
    "below 0 behind 64 bits": [1, (1 << 64) - 1, -(1 << 63), (1 << 63) - 1],
    "64 bits behind one below 0": [1, -2, 1 << 63, 4],
    "below 0 behind what is no number": [1, "two", -3],
    "more than 64 bits": [1, 1 << 64, -1, -1 << 64],
}


@pytest.mark.parametrize("ints", INTS.values(), ids=INTS)
def test_ints_arrive_whatever_their_signs(ints: list[Any]) -> None:
    _, source, sink, channel = pair()
    for _ in range(3):  # as the first ones of a life, and on a grant
        source.send(channel, *ints)
        assert sink.take(channel) == ints
