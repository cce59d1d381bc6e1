"""How values become bytes, and how many bytes at most before they have.

Values that can't change after send are staged as they are and written as one batch: ints of 64 bits
(in a slice also of 32) or floats alone as an array, bytes alone back to back behind their lengths, mixed ones
pickled as a list. Large bytes are a record of their own, raw. Anything else is pickled in send. Short pickles
wait for a batch as well, and are written back to back; what is large in a message is not copied into its pickle:
it goes from where it is straight into the ring (`decoding.py` is the way back).
"""

from __future__ import annotations

import gc
import marshal
import pickle
import struct
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from steady_mp.errors import MessageTooLarge, NotPicklable
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.channel.ring import Part

#: Most bytes of a batch that a number, a bool or None takes; a short text takes four a letter more.
ATOM: Final = 16
#: Most bytes that a batch takes beside its atoms.
BATCH_OVERHEAD: Final = 64
IMMUTABLE: Final = frozenset({int, float, bool, type(None), str, bytes})
#: The kinds of values that have an array: its code, and the kind of its records.
ARRAYS: Final = {int: ("q", layout.RECORD_INTS), float: ("d", layout.RECORD_FLOATS)}
#: The same for ints as long as none is below 0: to append one to such an array takes half the time.
NATURALS: Final = ("Q", layout.RECORD_NATURALS)
PROTOCOL: Final = pickle.HIGHEST_PROTOCOL

_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 63) - 1
_FIXED: Final = frozenset({float, bool, type(None)})
_SHORT_TEXT: Final = 256
#: Bytes up to which bytes wait for the batch; longer ones are written at once, which costs less than copying twice.
_LUMP: Final = 8192
#: Bytes of a pickle behind which its pickler is not used again: to clear a memo takes as long as it was large once.
_WORN: Final = 4096
#: Mean bytes from which joining them first costs more than writing them one by one.
_WORTH_A_PART: Final = 4096
#: The version of marshal's format without back references, what it writes before an int, and how far that reaches: the
#: letter and four bytes. A tuple or a list begins with five bytes as well, its letter and its length.
_MARSHAL: Final = 2
_INT: Final = b"i"
_MARSHALLED: Final = 5
#: What an int of 32 bits takes of a record of such.
SHORT_BYTES: Final = 4
#: Values from which that pays; never where arrays have their bytes the other way round.
_WORTH_A_PROOF: Final = 16 if sys.byteorder == "little" else sys.maxsize
#: Ints of 32 bits are below this, and not below its negative.
_SHORTS: Final = 1 << 31

#: The kind of a record, and what it is made of. That may be the message's own memory: write it before `send` returns.
Encoded: TypeAlias = "tuple[int, Sequence[Part]]"


def is_number(value: object) -> bool:
    """Tell whether `value` takes at most ATOM bytes of any batch."""
    kind = type(value)
    return kind in _FIXED or (kind is int and _LEAST <= value <= _MOST)  # type: ignore[operator]


def lump(values: Sequence[bytes], alone: int = layout.RECORD_BYTES, together: int = layout.RECORD_BYTES) -> Encoded:
    """Encode bytes as one record: alone as they are, several behind their lengths; of these two kinds."""
    if len(values) == 1:
        return alone, values
    sizes = list(map(len, values))
    count, size = len(sizes), sizes[0]
    alike = sizes.count(size) == count
    lengths = struct.pack("I", size) * count if alike else struct.pack(f"{count}I", *sizes)
    if sum(sizes) >= _WORTH_A_PART * count:
        return together, (lengths, *values)
    return together, (lengths, b"".join(values))


def lump_pickles(pickles: Sequence[bytes]) -> Encoded:
    """Encode messages that are pickled already as one record."""
    return lump(pickles, layout.RECORD_OBJECT, layout.RECORD_PICKLES)


def encode_mixed(atoms: Any) -> Encoded:  # noqa: ANN401 - a list of what can wait
    """Encode what was staged as it is, of several kinds."""
    return layout.RECORD_BATCH, (pickle.dumps(atoms, PROTOCOL),)


@lru_cache(maxsize=64)
def _packer(code: str, count: int) -> Callable[..., bytes]:
    """Return what packs so many numbers: given a tuple, without a copy of it, as `struct.pack` makes two."""
    return struct.Struct(f"{count}{code}").pack


def _is_short(value: object) -> bool:
    return type(value) is int and -_SHORTS <= value < _SHORTS


def encode_shorts(values: list[Any] | tuple[Any, ...]) -> Encoded | None:
    """Encode ints of at most 32 bits as one record; None where there are few or anything else among `values`.

    To look at each type takes as long as to have `marshal` write all, which proves it on the way: before each value
    stands a letter for its type, and four bytes behind that of an int of 32 bits (not a bool, nor of a class made of
    int), so where that letter stands in every fifth place there can't be anything else.
    """
    count = len(values)
    if count < _WORTH_A_PROOF or not all(map(_is_short, values[:: count - 1])):  # both ends of a list that may shrink
        return None
    if gc.get_referents(*values):  # in a container, `marshal` would write out again and again what stands there twice
        return None
    try:
        written = bytearray(marshal.dumps(values, _MARSHAL))
    except ValueError:  # of a class that it does not know
        return None
    letters = written[_MARSHALLED::_MARSHALLED]
    if letters != _INT * len(letters):
        return None
    del written[::_MARSHALLED]
    return layout.RECORD_SHORTS, (memoryview(written)[SHORT_BYTES:],)


def encode_slice(values: tuple[Any, ...]) -> Encoded | None:
    """Encode several messages as one record; None when some of them could change, and must be pickled apart."""
    return encode_shorts(values) or encode_kinds(values)


def encode_kinds(values: tuple[Any, ...]) -> Encoded | None:
    """Do the same by a look at the type of each."""
    kinds = list(map(type, values))
    kind = kinds[0]
    if kinds.count(kind) == len(kinds):
        if kind in ARRAYS:
            code, record = ARRAYS[kind]
            try:
                return record, (_packer(code, len(kinds))(*values),)
            except struct.error:  # an int of more than 64 bits
                pass
        elif kind is bytes:
            return lump(values) if sum(map(len, values)) <= layout.RECORD_MAX_BYTES else None
    if IMMUTABLE.issuperset(kinds):
        return layout.RECORD_BATCH, (pickle.dumps(list(values), PROTOCOL),)
    return None


class _Kit:
    """A pickler, and where it leaves what it makes: the pickle in pieces, and the buffers that stay out of it."""

    __slots__ = ("buffers", "parts", "pickler", "write")

    def __init__(self) -> None:
        self.parts: list[bytes | bytearray] = []
        self.buffers: list[pickle.PickleBuffer] = []
        # Bytes of 64 KiB and more, however deep in the message, are handed to `write` as they are.
        self.write = self.parts.append
        self.pickler = pickle.Pickler(self, PROTOCOL, buffer_callback=self.buffers.append)


class Encoder:
    """Makes the messages of one channel into what its records are made of.

    One pickler serves for small messages again and again: that takes less time than `pickle.dumps`, and lets
    buffers out of band (pickle protocol 5) at no cost for messages that have none.
    """

    __slots__ = ("_channel", "_kit", "_lump", "_ring_bytes")

    def __init__(self, channel: str, ring_bytes: int) -> None:
        """Encode for a ring of so many bytes."""
        self._channel = channel
        self._ring_bytes = ring_bytes
        self._lump = min(_LUMP, ring_bytes // 8)
        self._kit: _Kit | None = None

    def beyond(self, value: Any, *, lumps: bool) -> int:  # noqa: ANN401 - any message
        """Return the bytes beyond ATOM that `value` takes of a list, or of bytes only; -1 if it can't wait."""
        kind = type(value)
        if kind not in IMMUTABLE:
            return -1
        if kind is bytes:
            return len(value) if len(value) <= self._lump else -1
        if lumps:
            return -1
        if kind is str:
            return 4 * len(value) if len(value) <= _SHORT_TEXT else -1
        return 0 if is_number(value) else -1

    def encode(self, value: Any) -> tuple[Encoded | None, int]:  # noqa: ANN401 - any message
        """Encode `value` unless it can wait for the batch; tell how many bytes it needs.

        Raises NotPicklable and MessageTooLarge, naming the channel.
        """
        extra = self.beyond(value, lumps=False)
        if extra >= 0:
            return None, ATOM + BATCH_OVERHEAD + extra
        encoded = (layout.RECORD_BYTES, (value,)) if type(value) is bytes else self.pickle(value)
        return encoded, self.need(encoded, value)

    def pickle(self, value: object) -> Encoded:
        """Encode `value` as a pickle, whatever it is: of the kind RECORD_PICKLES where it may wait for a batch.

        Raises NotPicklable.
        """
        kit = self._kit or _Kit()
        self._kit = None  # a failed one is not used again, nor one that is at work when a __reduce__ sends
        parts, buffers = kit.parts, kit.buffers
        try:
            kit.pickler.dump(value)
            encoded = out_of_band(parts, buffers) if buffers else (layout.RECORD_OBJECT, parts)
        except Exception as error:
            for buffer in buffers:
                buffer.release()
            message = f"channel {self._channel!r}: a {type(value).__name__} can't be pickled: {error}"
            raise NotPicklable(message) from error
        if len(parts) > 1:
            return encoded
        data = parts.pop()
        size = len(data)
        if size <= _WORN:
            kit.pickler.clear_memo()
            self._kit = kit
        if buffers:
            buffers.clear()
            return encoded
        return layout.RECORD_PICKLES if size <= self._lump else layout.RECORD_OBJECT, (data,)

    def need(self, encoded: Encoded, value: object) -> int:
        """Return the bytes that it needs at most, alone or in a batch. Raises MessageTooLarge, naming the channel."""
        kind, parts = encoded
        size = sum(map(len, parts))
        if kind == layout.RECORD_PICKLES:
            return ATOM + BATCH_OVERHEAD + size
        need = layout.record_bytes(size)
        if need <= self._ring_bytes and size <= layout.RECORD_MAX_BYTES:
            return need
        for part in parts:
            if isinstance(part, memoryview):
                part.release()  # or who handles the error finds its memory in use
        pickled = "" if kind == layout.RECORD_BYTES else "pickled "
        message = (
            f"channel {self._channel!r}: a {type(value).__name__} of {size} {pickled}bytes exceeds the ring of "
            f"{self._ring_bytes} bytes; give the channel a larger ring_bytes"
        )
        raise MessageTooLarge(message)


def out_of_band(parts: Sequence[bytes | bytearray], buffers: Sequence[pickle.PickleBuffer]) -> Encoded:
    """Encode a pickle with its buffers beside it: what is how long, the pickle, the buffers.

    Raises BufferError for a buffer that is not contiguous.
    """
    views = [buffer.raw() for buffer in buffers]
    sizes = [len(view) << 1 | (not view.readonly) for view in views]
    table = struct.pack(f"{len(views) + 2}Q", len(views), sum(map(len, parts)), *sizes)
    return layout.RECORD_OOB, (table, *parts, *views)
