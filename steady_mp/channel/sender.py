"""The sending end of an object channel: any picklable value."""

from __future__ import annotations

import logging
from array import array
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from steady_mp.channel.encoding import ARRAYS, ATOM, BATCH_OVERHEAD, Encoder, encode_batch
from steady_mp.channel.endpoints import ChannelStatistics, SendOutcome, SendSaturation, Tx
from steady_mp.channel.publish import publish_tx
from steady_mp.channel.slices import send_slice
from steady_mp.channel.waits import Empty, Vacant, crossed
from steady_mp.errors import ClosedByMe, PeerGone
from steady_mp.memory import layout
from steady_mp.memory.control import Cursor
from steady_mp.memory.fence import order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.channel.encoding import Encoded
    from steady_mp.channel.ring import Ring
    from steady_mp.channel.waits import Condition, Pace

T = TypeVar("T")

#: Most messages that a group of put-off turns may stage; half the channel if that is less.
GROUP: Final = 512


class ObjectTx(Tx[T]):
    """See `Tx`. Single writer: only the actor that owns it may touch it.

    `send` runs on a grant: a count of small messages for which room is certain, and the bytes to spare for
    what in them is more than a number. The last one of a grant takes the slow path, which looks at the
    consumer's cursors and makes the next grant.
    """

    __slots__ = (
        "_append",
        "_armed",
        "_atoms",
        "_before",
        "_bulk",
        "_burst",
        "_closed",
        "_committed",
        "_encoder",
        "_extra",
        "_grant",
        "_group",
        "_head",
        "_head_position",
        "_kind",
        "_lumps",
        "_position",
        "_ring",
        "_sent",
        "_spare",
        "_turn",
        "_vacants",
        "_words",
    )

    def __init__(self, ring: Ring, turn: Pace, cursor: Cursor) -> None:
        """Continue at `cursor`, where the last commit stands."""
        self._ring = ring
        self._words = ring.words
        self._turn = turn
        self._sent, self._position, self._closed = cursor
        self._committed = self._before = cursor
        self._encoder = Encoder(ring.name, ring.size)
        self._extra = 0
        self._open_batch(int)
        self._grant = self._spare = 0
        self._group = max(1, min(GROUP, ring.capacity // 2))
        self._burst = 1
        self._bulk = 0
        self._armed = self._words[layout.WAKE_HEAD] = layout.NEVER
        self._vacants: dict[int, Vacant] = {}
        self._refresh()

    @property
    def name(self) -> str:
        """See `Tx.name`."""
        return self._ring.name

    @property
    def capacity(self) -> int:
        """See `Tx.capacity`."""
        return self._ring.capacity

    def send(self, value: T, saturation: SendSaturation = SendSaturation.AWAIT_FOR_ROOM) -> None:
        """See `Tx.send`."""
        if type(value) is self._kind and self._grant:
            append = self._append
            try:
                append(value)
            except OverflowError:  # an int of more than 64 bits
                pass
            else:
                self._grant -= 1
                self._turn.touched = True
                return
        self._send_slowly(value, saturation)

    def _send_slowly(self, value: T, saturation: SendSaturation) -> None:
        """Send what the grant does not cover; apart, because the closure below would cost each send its cells."""
        if self._grant and self._kind is None:
            extra = self._encoder.beyond(value, lumps=self._lumps)
            if 0 <= extra <= self._spare:
                self._append(value)
                self._extra += extra
                self._spare -= extra
                self._grant -= 1
                self._turn.touched = True
                return
        self._check_open()
        payload, need = self._encoder.encode(value)
        if not self._fits(need):
            if saturation is SendSaturation.WARN_THEN_AWAIT:
                logging.getLogger("steady_mp").warning("channel %s is full: waiting for room", self.name)
            self._turn.hold(self, lambda: self._fits(need) or self.is_peer_gone())
            self._check_open()
        self._stage(value, payload, need)

    def try_send(self, value: T) -> SendOutcome:
        """See `Tx.try_send`."""
        if self.is_closed():
            return SendOutcome.CLOSED
        payload, need = self._encoder.encode(value)
        if not self._fits(need):
            return SendOutcome.FULL
        self._stage(value, payload, need)
        return SendOutcome.SENT

    def send_slice(self, values: Sequence[T]) -> None:
        """See `Tx.send_slice`."""
        send_slice(self, values)

    def send_together(self, encoded: Encoded, count: int) -> bool:
        """Stage several messages as one record, if there is room for it now."""
        self._check_open()
        if not self._fits(layout.record_bytes(sum(map(len, encoded.parts)))):
            return False
        self._flush()
        self._write(encoded, count)
        self._turn.touched = True
        self._regrant()
        return True

    def vacant(self) -> int:
        """See `Tx.vacant`."""
        self._refresh()
        return self._ring.capacity - (self.position() - self._head)

    def mark_closed(self) -> None:
        """See `Tx.mark_closed`."""
        self._turn.touched = True
        self._turn.call_for_commit()
        self._closed = 1
        self._grant = 0

    def position(self) -> int:
        """See `Tx.position`."""
        return self._sent + len(self._atoms)

    def statistics(self) -> ChannelStatistics:
        """See `Tx.statistics`."""
        self._refresh()
        return ChannelStatistics(
            name=self.name,
            capacity=self.capacity,
            ring_bytes=self._ring.size,
            sent=self.position(),
            taken=self._head,
            in_flight=self.position() - self._head,
            bytes_in_flight=self._position - self._head_position,
            closed=bool(self._closed),
        )

    def wait_vacant(self, count: int) -> Condition:
        """See `Tx.wait_vacant`."""
        condition = self._vacants.get(count)
        if condition is None:
            condition = self._vacants[count] = Vacant(self, count)
        return condition

    def wait_empty(self) -> Condition:
        """See `Tx.wait_empty`."""
        return Empty(self)

    # Staging

    def _check_open(self) -> None:
        if self._closed:
            message = f"channel {self.name!r} was closed by this actor: send before mark_closed()"
            raise ClosedByMe(message)
        if self.is_peer_gone():
            message = f"channel {self.name!r} has no consumer any more: it finished or was given up"
            raise PeerGone(message)

    def _pending(self) -> int:
        """Most bytes that the atoms staged so far will take in the ring."""
        return len(self._atoms) * ATOM + self._extra + BATCH_OVERHEAD if self._atoms else 0

    def _fits(self, need: int) -> bool:
        """Tell whether one more message of `need` bytes has room."""
        for _ in range(2):
            used = self._position + self._pending() - self._head_position
            if self.position() - self._head < self._ring.capacity and used + need <= self._ring.size:
                return True
            self._refresh()
        return False

    def _stage(self, value: object, payload: Encoded | None, need: int) -> None:
        self._turn.touched = True
        if payload is None:
            self._admit(type(value))
            self._append(value)
            self._extra += need - ATOM - BATCH_OVERHEAD
            if len(self._atoms) >= layout.RECORD_MAX_COUNT:
                self._flush()
        else:
            self._flush()
            self._write(payload, 1)
        self._regrant()

    def _regrant(self) -> None:
        """Count the small messages that may follow without a look, and see whether a commit is due."""
        if self._room() <= self._burst or self._free() < self._bulk:
            self._refresh()
        room, free = self._room(), self._free()
        left = min(room, free // ATOM, layout.RECORD_MAX_COUNT - len(self._atoms))
        ungrouped = self._group - (self.position() - self._committed.messages)
        if ungrouped <= 0 or left < self._burst or free < self._bulk:
            self._turn.call_for_commit()
        else:
            left = min(left - self._burst + 1, ungrouped)  # behind the grant the next turn must still have its room
        self._grant = 0 if self._closed or self._words[layout.RX_CLOSED] else max(0, left - 1)
        self._spare = max(0, free - self._bulk - self._grant * ATOM)

    def _room(self) -> int:
        return self._ring.capacity - (self.position() - self._head)

    def _free(self) -> int:
        return self._ring.size - (self._position + self._pending() - self._head_position) - BATCH_OVERHEAD

    def _write(self, encoded: Encoded, count: int) -> None:
        self._position = self._ring.write(self._position, encoded.kind, count, self._sent, *encoded.parts)
        self._sent += count

    def _open_batch(self, kind: type) -> None:
        """Begin a batch for values of `kind`: an array where there is one for them, else a list."""
        code, _ = ARRAYS.get(kind, (None, 0))
        self._kind = None if code is None else kind
        self._lumps = kind is bytes
        self._atoms: array[Any] | list[Any] = [] if code is None else array(code)
        self._append: Callable[[Any], None] = self._atoms.append

    def _admit(self, kind: type) -> None:
        """Make the batch one that takes values of `kind`."""
        if kind is self._kind or (self._lumps and kind is bytes):
            return
        if not self._atoms:
            self._open_batch(kind)
        elif self._kind is not None:
            mixed = list(self._atoms)
            self._open_batch(object)
            self._atoms.extend(mixed)
        else:
            self._lumps = False

    def _flush(self) -> None:
        """Write the batch of atoms into the ring, beyond the committed tail."""
        atoms = self._atoms
        if atoms:
            self._write(encode_batch(atoms, self._kind, lumps=self._lumps), len(atoms))
            del atoms[:]
            self._extra = 0

    # The consumer's side

    def _refresh(self) -> None:
        self._head = self._words[layout.HEAD]
        order()
        self._head_position = self._words[layout.HEAD_POS]

    def has_room(self, count: int) -> bool:
        """Tell whether `count` more messages fit, by number; False once closed."""
        if self._grant >= count:
            return True
        limit = self._ring.capacity - count - self.position()
        if limit + self._head < 0:
            self._refresh()
        return limit + self._head >= 0 and not self._closed

    def is_closed(self) -> bool:
        """Tell whether nothing can be sent any more."""
        return bool(self._closed) or self.is_peer_gone()

    def is_peer_gone(self) -> bool:
        """Tell whether the consumer will take nothing any more."""
        return bool(self._words[layout.RX_CLOSED])

    def arm(self, target: int) -> None:
        """Ask the consumer to ring once its head reaches `target`."""
        if target < self._armed:
            self._words[layout.WAKE_HEAD] = self._armed = target

    def arm_change(self) -> None:
        """Ask the consumer to ring at its next commit that takes something."""
        self.arm(self._words[layout.HEAD] + 1)

    def disarm(self) -> None:
        """Ask for nothing any more."""
        if self._armed != layout.NEVER:
            self._words[layout.WAKE_HEAD] = self._armed = layout.NEVER

    def is_overtaken(self) -> bool:
        """Tell whether the head has reached what was armed, so that no ring may come for it."""
        return self._words[layout.HEAD] >= self._armed

    def peer_must_know(self) -> bool:
        """Tell whether the consumer holds back the room that was armed, or waits for more than there is room for."""
        wants_more = self._committed.messages < self._words[layout.WAKE_TAIL] < layout.NEVER
        return (wants_more and self._words[layout.TX_STUCK] != 0) or self._words[layout.RX_HELD] >= self._armed

    # The turn's side

    sends: ClassVar[bool] = True

    def charge(self, nanoseconds: int) -> None:
        """Account for time that was waited for room here."""
        self._words[layout.BLOCKED_NS] += nanoseconds

    def mark(self) -> tuple[int, ...]:
        """Return what changes whenever either end moves."""
        self._refresh()
        return self.position(), self._closed, self._head, self._words[layout.RX_CLOSED]

    def is_staged(self) -> bool:
        """Tell whether the next commit has something of this end to publish."""
        return self.position() != self._committed.messages or self._closed != self._committed.closed

    def peer_waits(self) -> bool:
        """Tell whether the consumer sleeps until something that is staged here is committed."""
        wanted = self._words[layout.WAKE_TAIL]
        if wanted == layout.NEVER:
            return False
        # A consumer that waits for less than what was published has been rung already.
        return self._committed.messages < wanted <= self.position() or self._closed != self._committed.closed

    def is_urgent(self) -> bool:
        """Tell whether putting a commit off leaves the peer idle: a consumer that waits has nothing to do."""
        return self.peer_waits()

    def is_choked(self) -> bool:
        """Tell whether no room can come before a commit: all that fills the channel is staged, or is waited for."""
        published = self._committed.messages
        return (self._words[layout.HEAD] == published != self.position()) or self.peer_waits()

    def hold_back(self, *, here: bool) -> None:
        """Tell the consumer how far the tail will be (a closing is always news); `here` it waits for a later head."""
        if self.is_staged():
            closing = self._closed != self._committed.closed
            self._words[layout.TX_HELD] = layout.NEVER - 1 if closing else self.position()
        if here:
            order()
            self._words[layout.TX_STUCK] = self._head + 1

    def let_go(self) -> None:
        """Hold nothing back any more."""
        self._words[layout.TX_STUCK] = 0  # first: who sees it set reads TX_HELD behind it
        order()
        self._words[layout.TX_HELD] = 0

    def freeze(self) -> Cursor:
        """Write what is staged into the ring and return the cursor to commit."""
        self._flush()
        return Cursor(self._sent, self._position, self._closed)

    def publish(self, cursor: Cursor, *, alone: bool) -> None:
        """Show the consumer what was committed.

        `alone` says that the commit held one turn only: its size is then known.
        """
        self._before = self._committed
        self._committed = cursor
        if alone:
            self._burst = max(self._burst, min(cursor.messages - self._before.messages, self._ring.capacity))
            self._bulk = max(self._bulk, min(cursor.position - self._before.position, self._ring.size))
        publish_tx(self._words, cursor)
        self._regrant()

    def wants_ring(self) -> bool:
        """Tell, behind the fence that follows `publish`, whether that publish crossed what the consumer waits for."""
        return crossed(self._before, self._committed, self._words[layout.WAKE_TAIL])
