"""A receiving end of a channel with dead letters: it passes over what was put aside, and hands out what is replayed.

Only a life that finds letters has one of these (`life.py`), so no other pays for it.

**Holes.** A position that was put aside keeps its number: positions count on, the same in every replay. It stands in
the batch as `_HOLE`, never unpickled, and what is shown to the behavior is without it: the next position is never that
of a hole, and `avail` does not count it. All holes are below the tail that a life begins with, because a message has
to have been in hand before it can be put aside; so what is there to be taken is what is there, less the holes.

**Orders.** A letter that is replayed comes before everything else, in the first turns of the life. How many orders were
carried out is a part of this end's cursor, so the letter is delivered exactly once, like any message.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from steady_mp.channel.decoding import unwrap
from steady_mp.channel.receiver import ObjectRx
from steady_mp.channel.waits import Avail
from steady_mp.memory import layout
from steady_mp.memory.fence import order
from steady_mp.memory.letters import orders_done

if TYPE_CHECKING:
    from steady_mp.channel.ring import Record, Ring
    from steady_mp.channel.waits import Alarm, Condition, Pace
    from steady_mp.memory.control import Cursor
    from steady_mp.memory.hands import Hand
    from steady_mp.memory.letters import Mail, Order

T = TypeVar("T")

_HOLE: Any = object()


class _Avail(Avail):
    """At least `count` messages, letters included, holes not."""

    __slots__ = ()

    rx: LetteredRx[Any]

    def arm(self, alarm: Alarm) -> None:
        """Be woken when the tail reaches what is needed."""
        self.rx.arm(self.rx.goal(self.count))
        alarm.ends.append(self.rx)


class LetteredRx(ObjectRx[T]):
    """See `Rx`."""

    __slots__ = ("_counts", "_holes", "_orders")

    def __init__(self, ring: Ring, turn: Pace, cursor: Cursor, hand: Hand | None, mail: Mail) -> None:
        """Continue at `cursor`, with what `mail` says of the channel."""
        self._holes = deque(sorted(hole for hole in mail.holes if hole >= cursor.messages))
        self._orders: deque[Order] = deque()
        super().__init__(ring, turn, cursor, hand, mail)
        #: What each of them counts: they are counted in their order, and one that was withdrawn with the one before it.
        self._counts: deque[int] = deque()
        for each in mail.orders[orders_done(cursor.closed) :]:
            if each is not None:
                self._orders.append(each)
                self._counts.append(1)
            elif self._counts:
                self._counts[-1] += 1
            else:
                self._closed += 1 << layout.CLOSED_BITS
        self._pass()

    # As the behavior sees it

    def take(self) -> T:
        """See `Rx.take`."""
        return self._take_letter() if self._orders else super().take()

    def try_take(self) -> T | None:
        """See `Rx.try_take`."""
        return self._take_letter() if self._orders else super().try_take()

    def take_slice(self, count: int) -> list[T]:
        """See `Rx.take_slice`."""
        if not self._orders and not self._holes:
            return super().take_slice(count)
        values: list[T] = []
        first, letter = self._here(), None
        while len(values) < count and self.has(1):
            following = letter or (self._orders[0] if self._orders else None)
            try:
                values.append(self.take())
            except Exception:
                if not values:
                    raise
                break  # what has been taken is delivered first
            letter = following
        if letter is not None:
            self._hand.hold(layout.LETTER + letter.position, layout.LETTER + letter.position + 1)
        elif values:
            self._hand.hold(first, self._here())
        return values

    def try_peek(self) -> T | None:
        """See `Rx.try_peek`."""
        return self._open(self._orders[0]) if self._orders else super().try_peek()

    def peek_slice(self, count: int) -> list[T]:
        """See `Rx.peek_slice`."""
        if not self._orders and not self._holes:
            return super().peek_slice(count)
        letters = [self._open(each) for each in list(self._orders)[: max(0, count)]]
        more = max(0, count) - len(letters)
        self._decoded(more + len(self._holes))
        values = [value for value in self._batch[self._index :] if value is not _HOLE][:more]
        if values and not letters:
            self._show(len(values))
        return letters + (self._opened(values) if self._large else values)

    def avail(self) -> int:
        """See `Rx.avail`."""
        self._tail = self._words[layout.TAIL]
        order()
        return self._left()

    def position(self) -> int:
        """See `Rx.position`: a letter has the position that it always had."""
        return self._orders[0].position if self._orders else self._here()

    def _next_in_hand(self) -> int:
        """See `ConsumingEnd._next_in_hand`: the deaths over a letter are counted apart."""
        return layout.LETTER + self._orders[0].position if self._orders else self._here()

    def wait_avail(self, count: int) -> Condition:
        """See `Rx.wait_avail`."""
        condition = self._avails.get(count)
        if condition is None:
            condition = self._avails[count] = _Avail(self, count)
        return condition

    def has(self, count: int) -> bool:
        """Tell whether `count` messages can be taken, or as many as can be there at once."""
        count = self._within(count)
        if self._left() >= count:
            return True
        self._tail = self._words[layout.TAIL]
        order()
        return self._left() >= count

    def is_starved(self, count: int) -> bool:
        """See `ConsumingEnd.is_starved`."""
        return super().is_starved(self.goal(count) - self._here())

    def goal(self, count: int) -> int:
        """Return the tail at which there are `count` messages to take, or as many as can be there at once."""
        return self._here() + self._within(count) + len(self._holes) - len(self._orders)

    def _within(self, count: int) -> int:
        """Return `count`, or how many the channel can hold: a hole keeps its room until it is passed."""
        return min(count, self._capacity - len(self._holes) + len(self._orders))

    # Letters

    def _take_letter(self) -> T:
        """Hand out the next letter, as a part of this turn."""
        value = self._open(self._orders[0])
        self._turn.touched = True
        self._turn.moved[self] = None
        self._turn.call_for_commit()
        self._orders.popleft()
        self._closed += self._counts.popleft() << layout.CLOSED_BITS
        return value

    def _open(self, order: Order) -> T:
        self._hand.hold(layout.LETTER + order.position, layout.LETTER + order.position + 1)
        value: T = unwrap(order.message)
        return value

    # Holes

    def _left(self) -> int:
        return self._tail - self._here() - len(self._holes) + len(self._orders)

    def _look_ahead(self, first: int) -> None:
        """See `ObjectRx._look_ahead`: while there are holes, each take looks for the next one."""
        super()._look_ahead(first)
        self._pass()
        if self._holes:
            self._safe = 0

    def _pass(self) -> None:
        """Step over holes: the next position is never one."""
        while self._holes and self._holes[0] <= self._here():
            if self._holes[0] == self._here():
                self._decoded(1)
                self._index += 1
            self._holes.popleft()

    def _decode(self, first: int) -> None:
        super()._decode(first)
        for hole in self._holes:
            if first <= hole < self._base + len(self._batch):
                self._batch[hole - self._base] = _HOLE

    def _unpack(self, record: Record) -> list[T]:
        if record.messages == 1 and record.first in self._holes:
            return [_HOLE]
        return super()._unpack(record)

    def _unpickled(self, record: Record) -> list[T]:
        """See `ObjectRx._unpickled`: what was put aside is not unpickled."""
        stop = record.first + record.messages
        if any(record.first <= hole < stop for hole in self._holes):
            return self._apart(record)
        return super()._unpickled(record)
