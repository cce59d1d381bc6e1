"""The ring: records of bytes at ever-growing positions in a channel's file.

It knows positions and nothing else; who may write or read where is the business of the two ends.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from steady_mp.channel.store import Store
from steady_mp.errors import CorruptChannel
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HEADER = layout.RECORD
_HEADER_BYTES = layout.RECORD.size
_ALIGN = layout.RECORD_ALIGN

#: What a payload is put together from: bytes, one after the other.
Part: TypeAlias = bytes | bytearray | memoryview


class Record(NamedTuple):
    """One record as read back: its payload stands in the ring in one piece, or in two where it wraps."""

    kind: int
    messages: int
    first: int
    views: tuple[memoryview, ...]
    end: int
    #: Bytes of the payload.
    length: int

    @property
    def payload(self) -> memoryview | bytes:
        """The payload in one piece: a view into the ring unless the record wraps, else a copy."""
        views = self.views
        return views[0] if len(views) == 1 else b"".join(views)


#: What a record is made of, which is made and unpacked in a fraction of the time.
Found: TypeAlias = tuple[int, int, int, tuple[memoryview, ...], int, int]
#: A record of these, made in half the time that the class takes.
as_record: Callable[[Found], Record] = functools.partial(tuple.__new__, Record)


class Ring(Store):
    """A mapped channel file: header words, and records behind them."""

    __slots__ = ()

    KIND = layout.KIND_OBJECT

    def write(self, position: int, kind: int, count: int, first: int, *parts: Part) -> int:
        """Write one record at `position`, its payload from `parts`, and return the position behind it.

        The caller has made sure that the ring has room for it.
        """
        offset = position % self.size
        length = len(parts[0]) if len(parts) == 1 else sum(map(len, parts))
        _HEADER.pack_into(self._data, offset, length, kind, count, first)
        start = offset + _HEADER_BYTES
        stop = start + length
        if stop > self.size:
            self._write_around(start, parts)
        elif len(parts) == 1:
            self._data[start:stop] = parts[0]
        else:
            for part in parts:
                stop = start + len(part)
                self._data[start:stop] = part
                start = stop
        return position + ((_HEADER_BYTES + length + _ALIGN - 1) & -_ALIGN)

    def _write_around(self, start: int, parts: Sequence[Part]) -> None:
        """Write `parts` from `start` to the end of the ring, and on from its beginning."""
        for part in parts:
            with memoryview(part) as view:
                rest = max(0, min(self.size - start, len(view)))
                self._data[start : start + rest] = view[:rest]
                again = max(0, start - self.size)
                self._data[again : again + len(view) - rest] = view[rest:]
                start += len(view)

    def read(self, position: int, first: int) -> Record:
        """Read the record at `position`, whose first message must be number `first`.

        The payload is good until the caller lets the producer have its room back.
        """
        return as_record(self.find(position, first))

    def find(self, position: int, first: int) -> Found:
        """Return what `read` makes a record of."""
        data, size = self._data, self.size
        offset = position % size
        length, kind, count, found = _HEADER.unpack_from(data, offset)
        if found != first or _HEADER_BYTES + length > size:
            message = f"channel {self.name!r}: at byte {position} stands message {found}, expected was {first}"
            raise CorruptChannel(message)
        start = offset + _HEADER_BYTES
        stop = start + length
        if stop <= size:
            views: tuple[memoryview, ...] = (data[start:stop],)
        else:
            views = (data[start:], data[: stop - size])
        end = position + ((_HEADER_BYTES + length + _ALIGN - 1) & -_ALIGN)
        return kind, count, found, views, end, length

    def header(self, position: int) -> tuple[int, int, int, int]:
        """Return length, kind, count and first message of the record at `position`; padding is one, of no message."""
        return _HEADER.unpack_from(self._data, position % self.size)

    def first_at(self, position: int) -> int:
        """Return the number of the first message of the record at `position`."""
        return self.header(position)[3]
