"""How the bytes of a record become messages again: each large piece is copied once, out of the ring.

What comes out of here is the taker's own memory, whatever the ring holds later in that place.
"""

from __future__ import annotations

import pickle
import struct
import sys
from array import array
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from steady_mp.channel.ring import Record
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Bytes from which a message is decoded when it is taken, not before, and a pickle that wraps is not joined first.
LARGE: Final = 1 << 16
#: Before the payload of a message with buffers beside its pickle; no pickle begins so.
_OUT_OF_BAND: Final = b"buffers\0"
_COUNTS: Final = struct.Struct("QQ")
_SIZE: Final = 8
_LENGTH: Final = 4
#: The records that are arrays, and of what.
CODES: Final = {
    layout.RECORD_INTS: "q",
    layout.RECORD_NATURALS: "Q",
    layout.RECORD_FLOATS: "d",
    layout.RECORD_SHORTS: "i",
}


class Loads(Protocol):
    """Reads a pickle, with the buffers that were left out of it: `pickle.loads`, or what reads with more care."""

    def __call__(self, data: memoryview | bytes, /, *, buffers: Iterable[bytes | bytearray] = ()) -> Any:  # noqa: ANN401
        """Return what was pickled."""


def decode(record: Record, loads: Loads = pickle.loads) -> list[Any]:
    """Return the messages of a record."""
    kind = record.kind
    if kind in CODES:
        return decode_array(CODES[kind], record.views)
    if kind in (layout.RECORD_BYTES, layout.RECORD_PICKLES):
        lumps = _lumps(record)
        return lumps if kind == layout.RECORD_BYTES else list(map(loads, lumps))
    if kind == layout.RECORD_BATCH:
        values: list[Any] = loads(record.payload)
        return values
    if kind == layout.RECORD_OOB:
        return [_out_of_band(record, loads)]
    # Who reads with more care, as the supervisor does, has to: the real one runs the code of whoever sent it.
    if loads is pickle.loads and len(record.views) > 1 and record.length >= LARGE:
        return [pickle.Unpickler(Splice(record.views)).load()]  # noqa: S301 - our own 0700 directory
    return [loads(record.payload)]


def decode_array(code: str, views: Sequence[memoryview]) -> list[Any]:
    """Return the messages of a record that is an array of this code."""
    numbers = array(code)
    # This copy takes less time than `tolist` of an array wins on that of a view.
    numbers.frombytes(views[0] if len(views) == 1 else b"".join(views))
    return numbers.tolist()


def apart(record: Record) -> list[Record]:
    """Return the messages of a record of pickles as records of their own, so that each can be decoded by itself."""
    pickles = enumerate(_lumps(record), record.first)
    return [
        Record(layout.RECORD_OBJECT, 1, number, (memoryview(each),), record.end, len(each)) for number, each in pickles
    ]


def _lumps(record: Record) -> list[bytes]:
    count = record.messages
    if count == 1:
        return [bytes(record.payload)]
    payload = memoryview(record.payload)
    lengths, rest = bytes(payload[: count * _LENGTH]), payload[count * _LENGTH :]
    if lengths == lengths[:_LENGTH] * count:
        return list(_alike(lengths[:_LENGTH], count).unpack_from(rest))
    sizes = memoryview(lengths).cast("I").tolist()
    return list(struct.Struct("%ds" * count % tuple(sizes)).unpack_from(rest))


@lru_cache(maxsize=4)
def _alike(length: bytes, count: int) -> struct.Struct:
    """Return what reads so many messages of one length, which a busy channel does again and again."""
    return struct.Struct(f"{int.from_bytes(length, sys.byteorder)}s" * count)


def _out_of_band(record: Record, loads: Loads) -> Any:  # noqa: ANN401 - any message
    """Read a pickle whose buffers follow it; writable ones become memory that can be written to, as they were."""
    splice = Splice(record.views)
    count, size = _COUNTS.unpack(splice.read(_COUNTS.size))
    table = memoryview(splice.read(count * _SIZE)).cast("Q").tolist()
    stream = splice.read(size)
    buffers: list[bytes | bytearray] = []
    for entry in table:
        views = splice.cut(entry >> 1)
        if len(views) == 1:
            buffers.append(bytearray(views[0]) if entry & 1 else bytes(views[0]))
        else:
            buffers.append((bytearray() if entry & 1 else b"").join(views))
    return loads(stream, buffers=buffers)


def wrap(record: Record, index: int) -> bytes:
    """Return one message of a record by itself, for `unwrap`, without running code of anybody's class."""
    payload = bytes(record.payload)
    if record.kind == layout.RECORD_OBJECT:
        return payload
    if record.kind == layout.RECORD_OOB:
        return _OUT_OF_BAND + payload
    if record.kind == layout.RECORD_PICKLES:
        return _lumps(record)[index]
    return pickle.dumps(decode(record)[index], pickle.HIGHEST_PROTOCOL)  # other batches have atoms only


def unwrap(message: bytes, loads: Loads = pickle.loads) -> Any:  # noqa: ANN401 - any message
    """Return the message that `wrap` has put by itself."""
    if not message.startswith(_OUT_OF_BAND):
        return loads(message)
    view = memoryview(message)[len(_OUT_OF_BAND) :]
    return _out_of_band(Record(layout.RECORD_OOB, 1, 0, (view,), 0, len(view)), loads)


class Splice:
    """The payload of a record that may wrap, read as if it were in one piece: a file for `pickle`."""

    __slots__ = ("_views",)

    def __init__(self, views: Sequence[memoryview]) -> None:
        """Read from the first of `views` to the end of the last."""
        self._views = list(views)

    def cut(self, size: int) -> list[memoryview]:
        """Return views of the next `size` bytes, fewer where there are no more."""
        pieces = []
        while size and self._views:
            view = self._views[0]
            piece = view[:size]
            pieces.append(piece)
            size -= len(piece)
            if len(piece) == len(view):
                self._views.pop(0)
            else:
                self._views[0] = view[len(piece) :]
        return pieces or [memoryview(b"")]

    def read(self, size: int) -> bytes:
        """Return a copy of the next `size` bytes."""
        return b"".join(self.cut(size))

    def readinto(self, target: Any) -> int:  # noqa: ANN401 - any writable buffer
        """Copy what comes next into `target`; return how many bytes that was."""
        done = 0
        with memoryview(target) as whole:
            for piece in self.cut(len(whole)):
                whole[done : done + len(piece)] = piece
                done += len(piece)
        return done

    def readline(self) -> bytes:
        """Return a copy of what comes next, up to the end of a line."""
        line = bytearray()
        while not line.endswith(b"\n") and (byte := self.read(1)):
            line += byte
        return bytes(line)
