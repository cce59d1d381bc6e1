"""The sending end of a bytes lane: messages of any length, no pickle, and room to write them in place."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from steady_mp.channel.bytes_ring import largest_record
from steady_mp.channel.encoding import lump
from steady_mp.channel.endpoints import SendOutcome, SendSaturation
from steady_mp.channel.loans import Loans
from steady_mp.channel.producing import ProducingEnd
from steady_mp.errors import DoesNotFit, MessageTooLarge, OutOfReach
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.channel.bytes_ring import BytesRing
    from steady_mp.channel.ring import Ring
    from steady_mp.channel.waits import Pace
    from steady_mp.memory.control import Cursor, CursorWords

#: Bytes up to which a message waits for others, to share a record with them.
SMALL: Final = 8192
#: Most messages of a slice that one record takes: what does not fit has been counted in vain.
_TOGETHER: Final = 1024
#: Bytes that each message of a shared record takes beside its own.
_LENGTH: Final = 4
#: Most bytes that a record takes beside its payload.
_AROUND: Final = layout.RECORD.size + layout.RECORD_ALIGN


def share(ring: Ring, turn: Pace) -> int:
    """Return the bytes of records behind which either end calls for a commit: a quarter of the ring.

    So one part is written while another is read, and a third is on its way back. A ring that is handed over when it is
    full, or empty, has one end asleep at a time.
    """
    return ring.size if turn.spaced else ring.size // 4


def as_bytes(value: Any, channel: str, ring_bytes: int) -> bytes | memoryview:  # noqa: ANN401 - any buffer
    """Return the bytes of `value`, short ones as a copy. Raises DoesNotFit and MessageTooLarge, naming the channel."""
    kind = type(value).__name__
    if type(value) is bytes:
        _check_size(len(value), kind, channel, ring_bytes)
        return value
    try:
        view = memoryview(value)
        data = view.cast("B") if view.nbytes else b""
    except (TypeError, ValueError, BufferError) as error:
        message = f"channel {channel!r} carries bytes: a {kind} is none, or not in one piece; encode it first"
        raise DoesNotFit(message) from error
    size = len(data)
    if size <= SMALL or layout.record_bytes(size) > largest_record(ring_bytes):
        data = bytes(data) if size <= SMALL else b""
        view.release()  # or who handles an error finds its memory in use
    _check_size(size, kind, channel, ring_bytes)
    return data


def _check_size(size: int, kind: str, channel: str, ring_bytes: int) -> None:
    if size < 0:
        message = f"channel {channel!r}: a {kind} of {size} bytes can't be"
        raise OutOfReach(message)
    largest = largest_record(ring_bytes)
    if layout.record_bytes(size) > largest:
        message = (
            f"channel {channel!r}: a {kind} of {size} bytes exceeds {largest - layout.RECORD.size}, the most that fits "
            f"a ring of {ring_bytes} bytes in one piece; give the channel a larger ring_bytes"
        )
        raise MessageTooLarge(message)


class _Poked(NamedTuple):
    """Room that was handed out to be written to: its bytes, and the position of the record that it is for."""

    size: int
    start: int


class BytesTx(ProducingEnd[bytes]):
    """See `Tx`; any contiguous buffer is sent as its bytes. Single writer: only the actor that owns it may touch it.

    Zero copy: `poke` hands out a writable view into the ring, `advance_send` stages what was written there.

    Short messages are staged as they are, and share one record. A batch never crosses the end of the ring:
    what would, begins the next one. So the bytes that it will take are known exactly, padding included.
    """

    __slots__ = (
        "_atoms",
        "_filled",
        "_largest",
        "_loans",
        "_poked",
        "_position",
        "_ring",
        "_sent",
        "_share",
        "_size",
        "_small",
        "_spare",
        "_start",
    )

    def __init__(self, ring: BytesRing, turn: Pace, cursor: Cursor) -> None:
        """Continue at `cursor`, where the last commit stands."""
        super().__init__(ring, turn, cursor)
        self._ring = ring
        self._size = ring.size
        self._largest = largest_record(ring.size)
        self._share = share(ring, turn)
        self._sent, self._position, _ = cursor
        # Room comes back by whole records, so no record may be a large part of the ring.
        self._small = min(SMALL, ring.size // 8)
        self._atoms: list[bytes] = []
        #: The position where the record of the batch will begin.
        self._start = self._position
        #: Bytes that the messages of a grant may take, lengths included; with those of the batch, which are the rest.
        self._spare = self._filled = 0
        self._poked: _Poked | None = None
        self._loans = Loans()

    def send(self, value: Any, saturation: SendSaturation = SendSaturation.AWAIT_FOR_ROOM) -> None:  # noqa: ANN401 - any buffer
        """See `Tx.send`. Raises DoesNotFit for what has no contiguous bytes, and ViewInUse as `poke` does."""
        if type(value) is bytes:
            size = len(value)
            if size > self._small:
                if self._send_long(value, size):
                    return
            elif (grant := self._grant) and (spare := self._spare - size - _LENGTH) >= 0:
                self._spare = spare
                self._grant = grant - 1
                self._turn.touched = True
                self._atoms.append(value)
                return
        if self._rests:
            self._go_on()
            self.send(value, saturation)
            return
        self._check_open()
        data = as_bytes(value, self.name, self._ring.size)
        self._await_room(len(data), saturation)
        self._stage(data)

    def _send_long(self, value: bytes, size: int) -> bool:
        """Stage a long message if nothing has to be seen to before; tell whether it was.

        It is what `send` does else, in fewer steps: behind a copy of a megabyte each of them finds its memory cold.
        """
        need = layout.record_bytes(size)
        if self._atoms or self._poked is not None or need > self._largest:
            return False
        if self._closed or self._words[layout.RX_CLOSED]:
            return False
        self._refresh()
        stop = self._ring.start(self._position, size) + need
        if self._sent - self._head >= self._capacity or stop - self._head_position > self._size:
            return False
        self._turn.touched = True
        self._stir()
        self._grant = 0
        self._write(1, value)
        self._regrant()
        return True

    def try_send(self, value: Any) -> SendOutcome:  # noqa: ANN401 - any buffer
        """See `Tx.try_send`."""
        if self.is_closed():
            return SendOutcome.CLOSED
        data = as_bytes(value, self.name, self._ring.size)
        if not self._fits(len(data)):
            return SendOutcome.FULL
        self._stage(data)
        return SendOutcome.SENT

    def send_slice(self, values: Sequence[Any]) -> None:
        """See `Tx.send_slice`."""
        done, total = 0, len(values)
        while done < total:
            self._check_open()
            chunk = values[done : done + min(self.vacant(), _TOGETHER)]
            if len(chunk) > 1 and list(map(type, chunk)).count(bytes) == len(chunk) and self._poked is None:
                self._flush()
                chunk = chunk[: self._most_together(list(map(len, chunk)))]
                if len(chunk) > 1:
                    self._turn.touched = True
                    self._stir()
                    self._grant = 0
                    self._write(len(chunk), *lump(chunk)[1])
                    self._regrant()
                    done += len(chunk)
                    continue
            self.send(values[done])
            done += 1

    # In place

    def poke(self, size: int, saturation: SendSaturation = SendSaturation.AWAIT_FOR_ROOM) -> memoryview:
        """Return a writable view of `size` bytes of the ring, where the next message is to be written.

        Nothing is sent before `advance_send`. The view is good until then, or until the next send or poke on this
        channel, or the commit: it is released, and using it afterwards raises ValueError. Its content is whatever
        the ring held before. Blocks like `send`. Raises MessageTooLarge, ClosedByMe or PeerGone like that, OutOfReach
        for a `size` below 0, and ViewInUse when something made from the view before (an array, a slice) still holds it.
        """
        self._check_open()
        _check_size(size, "message", self.name, self._ring.size)
        self._drop_poked()
        self._flush()
        self._await_room(size, saturation)
        return self._poke(size)

    def try_poke(self, size: int) -> memoryview | None:
        """Do what `poke` does if there is room, else return None; never blocks. Raises as that does."""
        self._check_open()
        _check_size(size, "message", self.name, self._ring.size)
        self._drop_poked()
        self._flush()
        return self._poke(size) if self._fits(size) else None

    def advance_send(self, count: int = 1, *, size: int | None = None) -> None:
        """Stage the message that was written where `poke` said, or its first `size` bytes; 0 gives it up.

        Releases the view. Raises OutOfReach when there is no such message, ClosedByMe or PeerGone like `send`, and
        ViewInUse when something made from the view (an array, a slice) still holds it; then nothing was staged.
        """
        if count:
            self._check_open()
        poked = self._poked
        if count not in (0, 1) or (count and poked is None):
            message = f"channel {self.name!r}: {count} messages are to be sent, {int(poked is not None)} was poked"
            raise OutOfReach(message)
        if poked is None:
            return
        whole = poked.size
        if size is not None and not 0 <= size <= whole:
            message = f"channel {self.name!r}: {size} bytes are to be sent of a message of {whole}"
            raise OutOfReach(message)
        self._drop_poked()
        if count:
            length = whole if size is None else size
            self._position = self._start = self._ring.seal(self._position, poked.start, length, self._sent)
            self._sent += 1
            self._turn.touched = True
        self._regrant()

    def _poke(self, size: int) -> memoryview:
        self._poked = _Poked(size, self._ring.start(self._position, size))
        self._stir()
        self._grant = 0  # the next send has to look, and takes the view back
        return self._loans.lend(self._ring.reserve(self._position, size), self._sent)

    def _drop_poked(self) -> None:
        if self._poked is not None:
            self._loans.collect(layout.NEVER, self.name)
            self._poked = None

    # Staging

    def position(self) -> int:
        """See `Tx.position`."""
        return self._sent + len(self._atoms)

    def _batch_end(self) -> int:
        """Return the position behind the batch, as it will be written."""
        count = len(self._atoms)
        if not count:
            return self._position
        return self._start + layout.record_bytes(self._filled - self._spare - (_LENGTH if count == 1 else 0))

    def _joins(self, size: int) -> int:
        """Return the position behind the batch with one more message, or 0 if that is for a record of its own."""
        count = len(self._atoms) + 1
        if count == 1 or size > self._small or count > layout.RECORD_MAX_COUNT:
            return 0
        stop = self._start + layout.record_bytes(self._filled - self._spare + size + _LENGTH)
        return stop if stop <= self._lap_end(self._start) else 0

    def _lap_end(self, position: int) -> int:
        return position - position % self._ring.size + self._ring.size

    def _fits(self, size: int) -> bool:
        """Tell whether one more message of `size` bytes has room."""
        after = self._joins(size)
        if not after:
            here = self._batch_end()
            after = self._ring.start(here, size) + layout.record_bytes(size)
        for _ in range(2):
            if self.position() - self._head < self._capacity and after - self._head_position <= self._ring.size:
                return True
            self._refresh()
        return False

    def _await_room(self, size: int, saturation: SendSaturation) -> None:
        if not self._fits(size):
            self._hold(saturation, lambda: self._fits(size))

    def _stage(self, data: bytes | memoryview) -> None:
        self._turn.touched = True
        self._stir()
        self._grant = 0
        self._drop_poked()
        size = len(data)
        if not self._joins(size):
            self._flush()
        if size > self._small:
            self._write(1, data)
        else:
            if not self._atoms:
                self._start = self._ring.start(self._position, size)
            self._filled += size + _LENGTH
            self._atoms.append(bytes(data))
        self._regrant()

    def _most_together(self, sizes: list[int]) -> int:
        """Return how many messages of these sizes fit one record here and now; the batch is written."""
        here = self._position
        self._refresh()
        free = self._ring.size - (here - self._head_position)
        room = min(self._lap_end(here) - here, free, layout.RECORD_MAX_BYTES) - _AROUND
        if sum(sizes) + _LENGTH * len(sizes) <= room:
            return len(sizes)
        return bisect_right(list(accumulate(size + _LENGTH for size in sizes)), room)

    def _regrant(self) -> None:
        """See `ProducingEnd._regrant`. In line, because it stands behind each long message: see `_send_long`."""
        staged, whole, burst, bulk = len(self._atoms), self._size, self._burst, self._bulk
        here = self._batch_end() if staged else self._position
        position = self._sent + staged
        room = self._capacity - position + self._head
        free = whole - here + self._head_position
        if room <= burst or free < bulk:
            self._refresh()
            room = self._capacity - position + self._head
            free = whole - here + self._head_position
        lap = self._lap_end(self._start) - here if staged else whole - here % whole
        left = min(room, layout.RECORD_MAX_COUNT - staged)
        committed, before, _ = self._committed
        ungrouped = self._group - position + committed
        ahead = free - lap if lap < bulk else free  # a turn like the largest one would leave the lap's rest
        apart = not staged and here - before > self._share
        if ungrouped <= 0 or left < burst or ahead < bulk or apart:
            self._turn.call_for_commit()
        else:
            left = min(left - burst + 1, ungrouped)  # behind the grant the next turn must still have its room
        blocked = self._closed or self._words[layout.RX_CLOSED] or self._poked is not None
        self._grant = 0 if blocked else max(0, left - 1)
        spare = min(lap, free - bulk) - _AROUND
        self._filled += spare - self._spare
        self._spare = spare

    def _rest(self) -> None:
        """See `ProducingEnd._rest`."""
        self._rested, self._grant = self._grant, 0

    def _go_on(self) -> None:
        """See `ProducingEnd._go_on`."""
        self._stir()
        self._grant = self._rested

    def _write(self, count: int, *parts: bytes | bytearray | memoryview) -> None:
        self._position = self._ring.write(self._position, layout.RECORD_BYTES, count, self._sent, *parts)
        self._start = self._position
        self._sent += count

    def _flush(self) -> None:
        """Write the batch into the ring, beyond the committed tail."""
        atoms = self._atoms
        if atoms:
            count = len(atoms)
            _, parts = lump(atoms)
            self._position = self._ring.write(self._position, layout.RECORD_BYTES, count, self._sent, *parts)
            self._start = self._position
            self._sent += count
            atoms.clear()
            self._filled = self._spare
            self._grant = 0  # it was for this batch

    def has_room(self, count: int) -> bool:
        """Tell whether `count` more messages fit, by number; False once closed."""
        return self._grant >= count or super().has_room(count)

    def _written(self) -> int:
        """See `ProducingEnd._written`."""
        return self._position

    def freeze(self) -> CursorWords:
        """Write what is staged into the ring and return the cursor to commit; what is only poked is given up."""
        self._drop_poked()
        self._flush()
        return self._cursor(self._sent, self._position)
