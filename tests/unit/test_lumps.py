"""Byte strings that share a record: those of one length are written and read in other ways than the rest."""

from __future__ import annotations

import pytest

from steady_mp.testing.rig import pair

LUMPS = {
    "empty ones": [b""] * 5,
    "of one length": [bytes([fill]) * 100 for fill in range(200)],
    "two of one length": [b"ab", b"cd"],
    "of one length but the last": [b"ab", b"cd", b"e"],
    "empty ones among others": [b"", b"a", b"", b"bcd"],
    "of a length that has its bytes in order": [bytes([fill]) * 259 for fill in range(3)],
    "so long that they are not joined": [bytes([fill]) * 5000 for fill in range(3)],
    "long ones of several lengths": [bytes([fill]) * (5000 + fill) for fill in range(3)],
}


@pytest.mark.parametrize("dtype", [None, bytes])
@pytest.mark.parametrize("values", LUMPS.values(), ids=LUMPS)
def test_they_come_out_as_they_went_in(values: list[bytes], dtype: type | None) -> None:
    _, source, sink, channel = pair(capacity=256, ring_bytes=1 << 16, dtype=dtype)
    for _ in range(5):  # the ring goes round
        source.send(channel, *values)
        assert sink.take(channel) == values
        source.tx(channel).send_slice(values)
        source.turn.commit()
        assert sink.take(channel) == values
