"""The sending end of a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from steady_mp.channel.endpoints import SendOutcome, SendSaturation
from steady_mp.channel.items import UNFIT, misfit
from steady_mp.channel.lane import LaneTx
from steady_mp.channel.loans import Loans
from steady_mp.channel.producing import ProducingEnd
from steady_mp.channel.slot_end import SlotEnd
from steady_mp.errors import OutOfReach
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.channel.slots import Slots
    from steady_mp.channel.waits import Pace
    from steady_mp.errors import DoesNotFit
    from steady_mp.memory.control import Cursor, CursorWords

T = TypeVar("T")


class SlotTx(SlotEnd, ProducingEnd[T], LaneTx[T]):
    """See `LaneTx`. What is staged stands in the slots behind the committed tail, where nobody looks.

    `_slot` is where the next message goes, and `_lap` the number of the message that stood in slot 0 last. `send`
    writes without a look while `_slot` is below `_limit`, which never reaches the last slot.
    """

    __slots__ = ("_cells", "_lap", "_limit", "_loans", "_poked", "_slot", "_slots")

    def __init__(self, slots: Slots, turn: Pace, cursor: Cursor) -> None:
        """Continue at `cursor`, where the last commit stands."""
        super().__init__(slots, turn, cursor)
        self._slots = slots
        self._cells = slots.cells
        self._slot = cursor.messages % slots.count
        self._lap = cursor.messages - self._slot
        self._limit = self._slot
        self._poked = cursor.messages
        self._loans = Loans()

    def send(self, value: T, saturation: SendSaturation = SendSaturation.AWAIT_FOR_ROOM) -> None:
        """See `Tx.send`."""
        slot = self._slot
        if slot < self._limit:
            try:
                self._cells[slot] = value
            except UNFIT as error:
                raise self._misfit(value, error) from None
            self._slot = slot + 1
            self._turn.touched = True
            return
        if self._rests:
            self._go_on()
            self.send(value, saturation)
            return
        self._check_open()
        if self._room() < 1:
            self._await_room(saturation)
        self._stage(value)

    def try_send(self, value: T) -> SendOutcome:
        """See `Tx.try_send`."""
        if self.is_closed():
            return SendOutcome.CLOSED
        if self._room() < 1:
            return SendOutcome.FULL
        self._stage(value)
        return SendOutcome.SENT

    def send_slice(self, values: Sequence[T]) -> None:
        """See `Tx.send_slice`."""
        done, total = 0, len(values)
        while done < total:
            self._check_open()
            room = self._room(total - done)
            if room < 1:
                self._await_room(SendSaturation.AWAIT_FOR_ROOM)
                continue
            chunk = values if not done and room >= total else values[done : done + room]
            count = len(chunk)
            try:
                packed = self._slots.items.pack(chunk)
            except UNFIT as error:
                raise self._misfit(chunk, error) from None
            self._slots.write(self._slot, packed, count)
            self._advance(count)
            done += count

    def poke_slice(self, count: int) -> tuple[memoryview, ...]:
        """See `LaneTx.poke_slice`."""
        self._check_open()
        first = self.position()
        count = min(count, self._room(count))
        if count < 1:
            return ()
        self._poked = max(self._poked, first + count)
        slots, unit = self._slots, self._slots.items.unit
        views = []
        for start, stop in slots.spans(self._slot, count):
            views.append(self._loans.lend(slots.whole[start * unit : stop * unit], first))
            first += stop - start
        return tuple(views)

    def advance_send(self, count: int) -> None:
        """See `LaneTx.advance_send`."""
        if count:
            self._check_open()
        poked = max(0, self._poked - self.position())
        if not 0 <= count <= poked:
            message = (
                f"channel {self.name!r}: advance_send({count}) with {poked} slots handed out: "
                "poke_slice gives those that can be sent"
            )
            raise OutOfReach(message)
        if count:
            self._advance(count)

    def mark_closed(self) -> None:
        """See `Tx.mark_closed`."""
        super().mark_closed()
        self._limit = self._slot

    def position(self) -> int:
        """See `Tx.position`."""
        return self._lap + self._slot

    # Staging

    def _misfit(self, values: object, error: Exception) -> DoesNotFit:
        return misfit(values, self.dtype, self.name, error)

    def _room(self, wanted: int = 1) -> int:
        """Messages that fit; looked up when they are fewer than `wanted`."""
        room = self._capacity - (self._lap + self._slot - self._head)
        if room < wanted:
            self._refresh()
            room = self._capacity - (self._lap + self._slot - self._head)
        return room

    def _await_room(self, saturation: SendSaturation) -> None:
        self._hold(saturation, lambda: self._room() > 0)

    def _stage(self, value: T) -> None:
        try:
            self._cells[self._slot] = value
        except UNFIT as error:
            raise self._misfit(value, error) from None
        self._advance(1)

    def _advance(self, count: int) -> None:
        self._turn.touched = True
        self._stir()
        slot = self._slot + count
        if slot >= self._slots.count:
            slot -= self._slots.count
            self._limit = 0  # it was of the lap that ends
            self._lap += self._slots.count
        self._slot = slot
        self._regrant()

    def _regrant(self) -> None:
        """Say how far the next sends need no look, and see whether a commit is due."""
        left = self._room(self._burst + 1)
        ungrouped = self._group - (self.position() - self._committed[0])
        if ungrouped <= 0 or left < self._burst:
            self._turn.call_for_commit()
        else:
            left = min(left - self._burst + 1, ungrouped)  # behind the grant the next turn must still have its room
        if self._closed or self._words[layout.RX_CLOSED]:
            left = 0
        self._limit = min(self._slot + max(0, left - 1), self._slots.count - 1)

    def _rest(self) -> None:
        """See `ProducingEnd._rest`."""
        self._rested, self._limit = self._limit, self._slot

    def _go_on(self) -> None:
        """See `ProducingEnd._go_on`."""
        self._stir()
        self._limit = self._rested

    # The turn's side

    def _written(self) -> int:
        """See `ProducingEnd._written`."""
        return self.position() * self._slots.itemsize

    def freeze(self) -> CursorWords:
        """End the views of what is sent, and return the cursor to commit. Raises ViewInUse."""
        sent = self.position()
        self._loans.collect(sent, self.name)
        return self._cursor(sent, sent * self._slots.itemsize)
