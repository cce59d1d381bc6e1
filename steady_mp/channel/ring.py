"""The ring: records of bytes at ever-growing positions in a channel's file.

It knows positions and nothing else; who may write or read where is the business of the two ends.
"""

from __future__ import annotations

from typing import NamedTuple

from steady_mp.channel.store import Store
from steady_mp.errors import CorruptChannel
from steady_mp.memory import layout

_HEADER = layout.RECORD
_HEADER_BYTES = layout.RECORD.size


class Record(NamedTuple):
    """One record as read back: `payload` is a view into the ring unless the record wraps."""

    kind: int
    messages: int
    first: int
    payload: memoryview | bytes
    end: int


class Ring(Store):
    """A mapped channel file: header words, and records behind them."""

    __slots__ = ()

    KIND = layout.KIND_OBJECT

    def write(self, position: int, kind: int, count: int, first: int, payload: bytes) -> int:
        """Write one record at `position` and return the position behind it.

        The caller has made sure that the ring has room for it.
        """
        offset = position % self.size
        length = len(payload)
        _HEADER.pack_into(self._data, offset, length, kind, count, first)
        start = offset + _HEADER_BYTES
        stop = start + length
        if stop <= self.size:
            self._data[start:stop] = payload
        else:
            split = self.size - start
            self._data[start:] = payload[:split]
            self._data[: length - split] = payload[split:]
        return position + layout.record_bytes(length)

    def read(self, position: int, first: int) -> Record:
        """Read the record at `position`, whose first message must be number `first`.

        The payload is good until the caller lets the producer have its room back.
        """
        offset = position % self.size
        length, kind, count, found = _HEADER.unpack_from(self._data, offset)
        if found != first or _HEADER_BYTES + length > self.size:
            message = f"channel {self.name!r}: at byte {position} stands message {found}, expected was {first}"
            raise CorruptChannel(message)
        start = offset + _HEADER_BYTES
        stop = start + length
        payload: memoryview | bytes
        if stop <= self.size:
            payload = self._data[start:stop]
        else:
            payload = bytes(self._data[start:]) + bytes(self._data[: stop - self.size])
        return Record(kind, count, found, payload, position + layout.record_bytes(length))

    def first_at(self, position: int) -> int:
        """Return the number of the first message of the record at `position`."""
        return int(_HEADER.unpack_from(self._data, position % self.size)[3])
