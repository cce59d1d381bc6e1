"""There is a longest record, whatever the ring: more goes by several, and one message of more is refused."""

from __future__ import annotations

from typing import Any

import pytest

from steady_mp import MessageTooLarge
from steady_mp.memory import layout
from steady_mp.testing.rig import Party, pair

MOST = 1 << 14


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "RECORD_MAX_BYTES", MOST)


def longest(source: Party, channel: int) -> int:
    """Return the bytes of the longest record in the ring of a channel that nobody has taken from."""
    ring, found, position, following = source.tx(channel)._ring, [], 0, 0
    while following < source.tx(channel).position():
        record = ring.read(position, following)
        found.append(record.length)
        position, following = record.end, following + record.messages
    return max(found)


@pytest.mark.parametrize("dtype", [None, bytes])
@pytest.mark.parametrize("values", [[b"x" * 9000] * 9, [b"x" * 8200] * 50, [b"x" * 9000, b"y" * 13000, b"z"] * 3])
def test_a_slice_of_more_goes_by_several(dtype: type | None, values: list[bytes]) -> None:
    _, source, sink, channel = pair(capacity=4096, ring_bytes=1 << 20, dtype=dtype)
    source.tx(channel).send_slice(values)
    source.turn.commit()
    assert longest(source, channel) <= MOST
    assert sink.take(channel) == values


@pytest.mark.parametrize("values", [[*range(9000, 12000), "text"], list(range(3000)), [0.5] * 3000])
def test_numbers_and_texts_do_so_as_well(values: list[Any]) -> None:
    _, source, sink, channel = pair(capacity=4096, ring_bytes=1 << 20)
    source.tx(channel).send_slice(values)
    source.turn.commit()
    assert longest(source, channel) <= MOST
    assert sink.take(channel) == values


@pytest.mark.parametrize("dtype", [None, bytes])
def test_one_message_of_more_is_refused(dtype: type | None) -> None:
    _, source, _, channel = pair(capacity=8, ring_bytes=1 << 20, dtype=dtype)
    with pytest.raises(MessageTooLarge, match=f"of {MOST + 1} bytes"):
        source.tx(channel).send_slice([b"x", b"y" * (MOST + 1)])
