"""The sending end of an object channel: any picklable value."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final, TypeVar

from steady_mp.channel.encoding import (
    ARRAYS,
    ATOM,
    BATCH_OVERHEAD,
    IMMUTABLE,
    NATURALS,
    Encoder,
    encode_mixed,
    lump,
    lump_pickles,
)
from steady_mp.channel.endpoints import SendOutcome, SendSaturation
from steady_mp.channel.producing import ProducingEnd
from steady_mp.channel.slices import send_slice
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.channel.encoding import Encoded
    from steady_mp.channel.ring import Ring
    from steady_mp.channel.waits import Pace
    from steady_mp.memory.control import Cursor, CursorWords

T = TypeVar("T")

#: Bytes a message up to which a record of several, with its header, stays within what a grant reserves: ATOM each.
_NARROW: Final = ATOM // 2


class ObjectTx(ProducingEnd[T]):
    """See `Tx`. Single writer: only the actor that owns it may touch it.

    `send` runs on a grant: a count of small messages for which room is certain, and the bytes to spare for
    what in them is more than a number. The last one of a grant takes the slow path, which looks at the
    consumer's cursors and makes the next grant.
    """

    __slots__ = (
        "_append",
        "_atoms",
        "_encoder",
        "_extra",
        "_join",
        "_kind",
        "_position",
        "_record",
        "_ring",
        "_sent",
        "_share",
        "_size",
        "_spare",
    )

    def __init__(self, ring: Ring, turn: Pace, cursor: Cursor) -> None:
        """Continue at `cursor`, where the last commit stands."""
        super().__init__(ring, turn, cursor)
        self._ring = ring
        self._size = ring.size
        #: Most bytes of pickles in a record: room comes back by whole records, so none may be a large part of the ring.
        self._share = ring.size // 8
        self._sent, self._position, _ = cursor
        self._encoder = Encoder(ring.name, ring.size)
        self._spare = 0
        self._extra = 0
        self._open_batch(int)

    def send(self, value: T, saturation: SendSaturation = SendSaturation.AWAIT_FOR_ROOM) -> None:
        """See `Tx.send`."""
        if type(value) is self._kind and self._grant:
            self._grant -= 1  # first: behind the append a signal's handler may raise
            self._turn.touched = True
            try:
                self._append(value)
            except OverflowError:  # the first int below 0, or one of more than 64 bits
                pass
            else:
                return
        elif self._grant and self._join is lump_pickles and (self._atoms or type(value) not in IMMUTABLE):
            self._send_pickled(value, saturation)
            return
        self._send_slowly(value, saturation)

    def _send_pickled(self, value: T, saturation: SendSaturation) -> None:
        """Send what may join a batch of pickles, on a grant."""
        encoded = self._encoder.pickle(value)
        kind, parts = encoded
        if kind == layout.RECORD_PICKLES:
            data = parts[0]
            extra = len(data)
            if extra <= self._spare and self._grant and self._join is lump_pickles:  # its __reduce__ may have sent
                self._extra += extra
                self._spare -= extra
                self._grant -= 1
                self._turn.touched = True
                self._append(data)
                return
        self._send_encoded(value, encoded, self._encoder.need(encoded, value), saturation)

    def _send_slowly(self, value: T, saturation: SendSaturation) -> None:
        """Send what the grant does not cover."""
        if self._rests:
            self._go_on()
            self.send(value, saturation)
            return
        if self._grant and self._kind is None and self._join is not lump_pickles:
            extra = self._encoder.beyond(value, lumps=self._join is lump)
            if 0 <= extra <= self._spare:
                self._extra += extra
                self._spare -= extra
                self._grant -= 1
                self._turn.touched = True
                self._append(value)
                return
        self._check_open()
        payload, need = self._encode(value)
        self._send_encoded(value, payload, need, saturation)

    def _send_encoded(self, value: T, payload: Encoded | None, need: int, saturation: SendSaturation) -> None:
        if not self._fits(need):
            self._hold(saturation, lambda: self._fits(need))
        self._stage(value, payload, need)

    def try_send(self, value: T) -> SendOutcome:
        """See `Tx.try_send`."""
        if self.is_closed():
            return SendOutcome.CLOSED
        payload, need = self._encode(value)
        if not self._fits(need):
            return SendOutcome.FULL
        self._stage(value, payload, need)
        return SendOutcome.SENT

    def send_slice(self, values: Sequence[T]) -> None:
        """See `Tx.send_slice`."""
        send_slice(self, values)

    def send_together(self, encoded: Encoded, count: int) -> bool:
        """Stage several messages as one record, if there is room for its bytes now; by number there has to be."""
        kind, parts = encoded
        size = len(parts[0]) if len(parts) == 1 else sum(map(len, parts))
        # A grant was given on a look at the consumer, and is for less than a group: until its last message none is due.
        granted = count < self._grant and not self._atoms and size <= count * _NARROW
        if not granted and not self._admit_record(size):
            return False
        self._turn.touched = True
        self._stir()
        self._grant = self._grant - count if granted else 0
        self._position = self._ring.write(self._position, kind, count, self._sent, *parts)
        self._sent += count
        if not granted:
            self._regrant()
        return True

    def _admit_record(self, size: int) -> bool:
        """Tell whether a record of `size` bytes has room now, behind what is staged. Raises PeerGone and ClosedByMe."""
        if self._closed or self._words[layout.RX_CLOSED]:
            self._check_open()
        if self._atoms:
            self._flush()
        last = self._position + layout.record_bytes(size) - self._size
        if last > self._head_position:
            self._refresh()
        return last <= self._head_position and size <= layout.RECORD_MAX_BYTES

    def position(self) -> int:
        """See `Tx.position`."""
        return self._sent + len(self._atoms)

    # Staging

    def _encode(self, value: T) -> tuple[Encoded | None, int]:
        """See `Encoder.encode`; where pickles are staged, what comes next is one as well."""
        if self._join is lump_pickles and self._atoms:
            encoded = self._encoder.pickle(value)
            return encoded, self._encoder.need(encoded, value)
        return self._encoder.encode(value)

    def _pending(self) -> int:
        """Most bytes that the atoms staged so far will take in the ring."""
        return len(self._atoms) * ATOM + self._extra + BATCH_OVERHEAD if self._atoms else 0

    def _fits(self, need: int) -> bool:
        """Tell whether one more message of `need` bytes has room."""
        for _ in range(2):
            used = self._position + self._pending() - self._head_position
            if self.position() - self._head < self._capacity and used + need <= self._size:
                return True
            self._refresh()
        if not self._atoms or self.position() - self._head >= self._capacity:
            return False
        self._flush()  # written, the batch takes less than what was reserved for it
        return self._position - self._head_position + need <= self._size

    def _stage(self, value: object, payload: Encoded | None, need: int) -> None:
        self._turn.touched = True
        self._stir()
        self._grant = 0
        if payload is None:
            self._admit(type(value))
            self._stage_atom(value, need - ATOM - BATCH_OVERHEAD)
        elif payload[0] == layout.RECORD_PICKLES:
            data = payload[1][0]
            self._admit_pickle(len(data))
            self._stage_atom(data, len(data))
        else:
            self._flush()
            self._write(payload, 1)
        self._regrant()

    def _stage_atom(self, atom: object, extra: int) -> None:
        self._extra += extra
        try:
            self._append(atom)
        except OverflowError:  # the first int below 0, of which nothing is extra
            self._flush()
            self._open_batch(int, naturals=False)
            self._append(atom)
        if len(self._atoms) >= layout.RECORD_MAX_COUNT:
            self._flush()

    def _regrant(self) -> None:
        """Count the small messages that may follow without a look, and see whether a commit is due."""
        staged, burst, bulk = len(self._atoms), self._burst, self._bulk
        position = self._sent + staged
        end = self._position + BATCH_OVERHEAD
        if staged:
            end += staged * ATOM + self._extra + BATCH_OVERHEAD
        room = self._capacity - position + self._head
        free = self._size - end + self._head_position
        if room <= burst or free < bulk:
            self._refresh()
            room = self._capacity - position + self._head
            free = self._size - end + self._head_position
        left = min(room, free // ATOM, layout.RECORD_MAX_COUNT - staged)
        ungrouped = self._group - position + self._committed[0]
        if ungrouped <= 0 or left < burst or free < bulk:
            self._turn.call_for_commit()
        else:
            left = min(left - burst + 1, ungrouped)  # behind the grant the next turn must still have its room
        self._grant = 0 if left <= 0 or self._closed or self._words[layout.RX_CLOSED] else left - 1
        self._spare = max(0, free - self._bulk - self._grant * ATOM)
        if self._join is lump_pickles:
            self._spare = min(self._spare, self._share - self._extra)

    def _rest(self) -> None:
        """See `ProducingEnd._rest`."""
        self._rested, self._grant = self._grant, 0

    def _go_on(self) -> None:
        """See `ProducingEnd._go_on`."""
        self._stir()
        self._grant = self._rested

    def _write(self, encoded: Encoded, count: int) -> None:
        kind, parts = encoded
        self._position = self._ring.write(self._position, kind, count, self._sent, *parts)
        self._sent += count

    def _open_batch(self, kind: type, *, naturals: bool = True) -> None:
        """Begin a batch for values of `kind`: an array where there is one for them, else a list.

        Ints count as `naturals` until one is below 0.
        """
        code, self._record = NATURALS if naturals and kind is int else ARRAYS.get(kind, (None, layout.RECORD_BATCH))
        self._kind = None if code is None else kind
        #: What makes a record of the batch, where that is no array.
        self._join: Callable[[Any], Encoded] = lump if kind is bytes else encode_mixed
        self._atoms: array[Any] | list[Any] = [] if code is None else array(code)
        self._append: Callable[[Any], None] = self._atoms.append

    def _admit(self, kind: type) -> None:
        """Make the batch one that takes values of `kind`."""
        if kind is self._kind or (self._join is lump and kind is bytes):
            return
        if not self._atoms:
            self._open_batch(kind)
        elif self._kind is not None:
            mixed = list(self._atoms)
            self._open_batch(object)
            self._atoms.extend(mixed)
        else:
            self._join = encode_mixed

    def _admit_pickle(self, size: int) -> None:
        """Make the batch one of pickles, with room for another one."""
        if self._join is not lump_pickles:
            self._flush()
            self._open_batch(object)
            self._join = lump_pickles
        elif self._extra + size > self._share:
            self._flush()

    def _flush(self) -> None:
        """Write the batch of atoms into the ring, beyond the committed tail."""
        atoms = self._atoms
        if atoms:
            if self._kind is None:
                self._write(self._join(atoms), len(atoms))
            else:
                numbers: Any = atoms  # an array
                count, data = len(numbers), numbers.tobytes()
                self._position = self._ring.write(self._position, self._record, count, self._sent, data)
                self._sent += count
            del atoms[:]
            self._extra = 0
            self._grant = 0  # it was for this batch

    def has_room(self, count: int) -> bool:
        """Tell whether `count` more messages fit, by number; False once closed."""
        return self._grant >= count or super().has_room(count)

    def _written(self) -> int:
        """See `ProducingEnd._written`."""
        return self._position

    def freeze(self) -> CursorWords:
        """Write what is staged into the ring and return the cursor to commit, the last one where nothing has moved."""
        self._flush()
        return self._cursor(self._sent, self._position)
