"""The receiving end of a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from steady_mp.channel.consuming import ConsumingEnd
from steady_mp.channel.lane import LaneRx
from steady_mp.channel.loans import Loans
from steady_mp.channel.slot_end import SlotEnd
from steady_mp.errors import OutOfReach
from steady_mp.memory import layout
from steady_mp.memory.fence import order

if TYPE_CHECKING:
    from steady_mp.channel.slots import Slots
    from steady_mp.channel.waits import Pace
    from steady_mp.memory.control import Cursor, CursorWords
    from steady_mp.memory.hands import Hand
    from steady_mp.memory.letters import Mail

T = TypeVar("T")


class SlotRx(SlotEnd, ConsumingEnd[T], LaneRx[T]):
    """See `LaneRx`.

    `_slot` is where the next message stands, and `_lap` the number of the message that stands in slot 0 of this lap.
    `take` reads without a look while `_slot` is below `_limit`, which never reaches the last slot. `_seen` is the tail
    up to which items may be read: a load of the tail with the fence behind it.
    """

    __slots__ = ("_cells", "_lap", "_limit", "_loans", "_seen", "_slot", "_slots", "_whole")

    def __init__(
        self, slots: Slots, turn: Pace, cursor: Cursor, hand: Hand | None = None, mail: Mail | None = None
    ) -> None:
        """Continue at `cursor`, where the last commit stands; see `ConsumingEnd`."""
        super().__init__(slots, turn, cursor, hand, mail)
        self._slots = slots
        self._cells = slots.cells
        self._whole = slots.whole.toreadonly()
        self._slot = cursor.messages % slots.count
        self._lap = cursor.messages - self._slot
        self._limit = self._slot
        self._seen = cursor.messages
        self._loans = Loans()

    def take(self) -> T:
        """See `Rx.take`."""
        slot = self._slot
        if slot < self._limit:
            self._slot = slot + 1
            self._turn.touched = True
            return self._cells[slot]  # type: ignore[no-any-return]
        if not self._reach(1):
            self._await_message()
            self._reach(1)
        return self._take_one()

    def try_take(self) -> T | None:
        """See `Rx.try_take`."""
        slot = self._slot
        if slot < self._limit:
            self._slot = slot + 1
            self._turn.touched = True
            return self._cells[slot]  # type: ignore[no-any-return]
        return self._take_one() if self._reach(1) else None

    def take_slice(self, count: int) -> list[T]:
        """See `Rx.take_slice`."""
        values = self.look(count)
        if values:
            self._advance(len(values))
        return values

    def try_peek(self) -> T | None:
        """See `Rx.try_peek`."""
        if not self._reach(1):
            return None
        self._show(1)
        return self._cells[self._slot]  # type: ignore[no-any-return]

    def peek_slice(self, count: int) -> tuple[memoryview, ...]:  # type: ignore[override]  # see `LaneRx`
        """See `LaneRx.peek_slice`."""
        count = min(count, self._reach(count))
        if count < 1:
            return ()
        self._show(count)
        first, unit = self._here(), self._slots.items.unit
        views = []
        for start, stop in self._slots.spans(self._slot, count):
            views.append(self._loans.lend(self._whole[start * unit : stop * unit], first))
            first += stop - start
        return tuple(views)

    def look(self, count: int) -> list[T]:
        """See `ConsumingEnd.look`."""
        count = min(count, self._reach(count))
        return self._slots.read(self._slot, count) if count > 0 else []

    def advance_take(self, count: int) -> None:
        """See `LaneRx.advance_take`."""
        there = self._reach(count)
        if not 0 <= count <= there:
            message = (
                f"channel {self.name!r}: advance_take({count}) with {there} messages there: avail() tells how many"
            )
            raise OutOfReach(message)
        if count:
            self._advance(count)

    def _here(self) -> int:
        """See `ConsumingEnd._here`."""
        return self._lap + self._slot

    # Taking

    def _reach(self, wanted: int) -> int:
        """Return how many messages may be read; looked up when they are fewer than `wanted`."""
        there = self._seen - self._lap - self._slot
        if there < wanted:
            self._seen = self._tail = self._words[layout.TAIL]
            order()
            there = self._seen - self._lap - self._slot
        return there

    def _take_one(self) -> T:
        value: T = self._cells[self._slot]
        self._advance(1)
        return value

    def _advance(self, count: int) -> None:
        """Take so many messages; what raises meanwhile leaves them there: see `ObjectRx._take_up_to`."""
        self._turn.moved[self] = None
        self._turn.touched = True
        lap, slot = before = self._lap, self._slot
        first, slot = lap + slot, slot + count
        try:
            if slot >= self._slots.count:
                slot -= self._slots.count
                self._limit = 0  # it was of the lap that ends
                self._lap += self._slots.count
            self._slot = slot
            self._look_ahead(first)
        except BaseException:
            self._lap, self._slot = before
            self._limit = self._slot
            raise

    def _show(self, count: int) -> None:
        """Say that the next messages are looked at: what is worked with before it is taken is in hand as well."""
        here = self._here()
        self._hand.hold(here, max(here + count, self._lap + self._limit))

    def _look_ahead(self, first: int) -> None:
        """Say how far the next takes need no look, and whether the turn should end in a commit.

        The messages from `first` on were taken just now: they are in hand, with those that need no look.
        """
        left = self._reach(self._burst)
        here = self._here()
        ungrouped = self._group - (here - self._committed[0])
        if ungrouped <= 0 or (left < self._burst and self._presses):
            self._turn.call_for_commit()
        else:
            left = min(left - self._burst + 1, ungrouped + 1)
        self._limit = min(self._slot + max(0, left - 1), self._slots.count - 1)
        if here < self._until:
            self._limit = self._slot
        self._hand.hold(first, max(here, self._lap + self._limit))

    # The turn's side

    def has(self, count: int) -> bool:
        """See `ConsumingEnd.has`."""
        wanted = self._lap + self._slot + count
        if wanted <= self._tail:
            return True
        self._tail = self._words[layout.TAIL]
        return wanted <= self._tail

    def freeze(self) -> CursorWords:
        """End the views of what was taken, and return the cursor to commit. Raises ViewInUse."""
        taken = self._here()
        committed = self._committed
        if taken == committed[0] and self._closed == committed[2]:
            return committed
        self._loans.collect(taken, self.name)
        return taken, taken * self._slots.itemsize, self._closed

    def settle(self, *, alone: bool) -> None:
        """See `Staging.settle`."""
        super().settle(alone=alone)
        self._limit = self._slot  # so that the next take says that it is in hand, and tells the turn
