"""The ring of a bytes lane: each record stands in one piece, so that a view of a message is one piece too.

A record that would wrap leaves the rest of the lap to a padding record and begins at the start of the ring.
What is written ahead of the tail and where its end is stays a sum of positions; `find` passes padding by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady_mp.channel.ring import Ring
from steady_mp.memory import layout

if TYPE_CHECKING:
    from steady_mp.channel.ring import Found, Part

_HEADER = layout.RECORD
_HEADER_BYTES = layout.RECORD.size


def largest_record(ring_bytes: int) -> int:
    """Return the bytes of the largest record that can be, and fits an empty ring wherever its tail stands."""
    return min((ring_bytes + _HEADER_BYTES) // 2, layout.RECORD_MAX_BYTES) & -layout.RECORD_ALIGN


class BytesRing(Ring):
    """A mapped channel file whose records never wrap."""

    __slots__ = ()

    KIND = layout.KIND_BYTES

    def start(self, position: int, length: int) -> int:
        """Return where a record with `length` bytes of payload begins that is written at `position`."""
        left = self.size - position % self.size
        return position if layout.record_bytes(length) <= left else position + left

    def write(self, position: int, kind: int, count: int, first: int, *parts: Part) -> int:
        """See `Ring.write`; padding comes first where the record would wrap."""
        start = self.start(position, sum(map(len, parts)))
        if start != position:
            self._pad(position, start, first)
        return super().write(start, kind, count, first, *parts)

    def reserve(self, position: int, length: int) -> memoryview:
        """Return the memory of a payload of `length` bytes that is to be written at `position`; see `seal`."""
        offset = self.start(position, length) % self.size + _HEADER_BYTES
        return self._data[offset : offset + length]

    def seal(self, position: int, start: int, length: int, first: int) -> int:
        """Make a record, begun at `start`, of a payload that stands there; return the position behind it."""
        if start != position:
            self._pad(position, start, first)
        _HEADER.pack_into(self._data, start % self.size, length, layout.RECORD_BYTES, 1, first)
        return start + layout.record_bytes(length)

    def find(self, position: int, first: int) -> Found:
        """See `Ring.find`; padding is passed by."""
        kind, _, _, _, end, _ = found = super().find(position, first)
        return super().find(end, first) if kind == layout.RECORD_PADDING else found

    def _pad(self, position: int, stop: int, first: int) -> None:
        length = stop - position - _HEADER_BYTES
        _HEADER.pack_into(self._data, position % self.size, length, layout.RECORD_PADDING, 0, first)
