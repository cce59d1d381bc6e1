"""The receiving end of an object channel."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, ClassVar, TypeVar

from steady_mp.channel.decoding import decode
from steady_mp.channel.endpoints import ChannelStatistics, Rx
from steady_mp.channel.publish import publish_rx
from steady_mp.channel.sender import GROUP
from steady_mp.channel.waits import Avail, crossed
from steady_mp.errors import EndOfStream
from steady_mp.memory import layout
from steady_mp.memory.control import Cursor
from steady_mp.memory.fence import order

if TYPE_CHECKING:
    from steady_mp.channel.ring import Ring
    from steady_mp.channel.waits import Condition, Pace

T = TypeVar("T")


class ObjectRx(Rx[T]):
    """See `Rx`. Single reader: only the actor that owns it may touch it.

    Records are unpickled ahead into `_batch`; a take that stays below `_safe` needs no look at the
    producer's cursor. `_marks` remembers where each unpickled record ends, because room goes back to
    the producer by whole records.
    """

    __slots__ = (
        "_armed",
        "_avails",
        "_base",
        "_batch",
        "_before",
        "_burst",
        "_closed",
        "_committed",
        "_group",
        "_index",
        "_marks",
        "_read_position",
        "_ring",
        "_safe",
        "_tail",
        "_turn",
        "_warned",
        "_words",
    )

    def __init__(self, ring: Ring, turn: Pace, cursor: Cursor) -> None:
        """Continue at `cursor`, where the last commit stands."""
        self._ring = ring
        self._words = ring.words
        self._turn = turn
        self._committed = self._before = cursor
        self._base, self._read_position, self._closed = cursor
        self._batch: list[T] = []
        self._index = 0
        self._safe = 0
        self._marks: deque[tuple[int, int]] = deque()
        self._group = max(1, min(GROUP, ring.capacity // 2))
        self._burst = 1
        self._warned = False
        self._armed = self._words[layout.WAKE_TAIL] = layout.NEVER
        self._avails: dict[int, Avail] = {}
        self._tail = self._words[layout.TAIL]
        if self._tail > self._base:
            self._resume()

    @property
    def name(self) -> str:
        """See `Rx.name`."""
        return self._ring.name

    @property
    def capacity(self) -> int:
        """See `Rx.capacity`."""
        return self._ring.capacity

    def take(self) -> T:
        """See `Rx.take`."""
        index = self._index
        if index < self._safe:
            self._index = index + 1
            self._turn.touched = True
            return self._batch[index]
        if not self._decoded(1):
            self._await_message()
        return self._take_one()

    def try_take(self) -> T | None:
        """See `Rx.try_take`."""
        index = self._index
        if index < self._safe:
            self._index = index + 1
            self._turn.touched = True
            return self._batch[index]
        return self._take_one() if self._decoded(1) else None

    def take_slice(self, count: int) -> list[T]:
        """See `Rx.take_slice`."""
        self._decoded(count)
        stop = min(self._index + max(0, count), len(self._batch))
        if self._index == 0 and stop == len(self._batch):  # all of it: no need for a copy
            values, self._batch = self._batch, []
            self._base += stop
            stop = 0
        else:
            values = self._batch[self._index : stop]
        if values:
            self._index = stop
            self._turn.touched = True
            self._look_ahead()
        return values

    def try_peek(self) -> T | None:
        """See `Rx.try_peek`."""
        return self._batch[self._index] if self._decoded(1) else None

    def peek_slice(self, count: int) -> list[T]:
        """See `Rx.peek_slice`."""
        self._decoded(count)
        return self._batch[self._index : self._index + max(0, count)]

    def avail(self) -> int:
        """See `Rx.avail`."""
        self._tail = self._words[layout.TAIL]
        return self._tail - self.position()

    def is_closed_and_empty(self) -> bool:
        """See `Rx.is_closed_and_empty`."""
        return self.is_closed() and not self.has(1)

    def position(self) -> int:
        """See `Rx.position`."""
        return self._base + self._index

    def statistics(self) -> ChannelStatistics:
        """See `Rx.statistics`."""
        in_flight = self.avail()
        return ChannelStatistics(
            name=self.name,
            capacity=self.capacity,
            ring_bytes=self._ring.size,
            sent=self._tail,
            taken=self.position(),
            in_flight=in_flight,
            bytes_in_flight=self._words[layout.TAIL_POS] - self._committed.position,
            closed=self.is_closed(),
        )

    def wait_avail(self, count: int) -> Condition:
        """See `Rx.wait_avail`."""
        condition = self._avails.get(count)
        if condition is None:
            condition = self._avails[count] = Avail(self, count)
        return condition

    # Reading ahead

    def _take_one(self) -> T:
        """Take a message that is decoded, and see whether the next one is in reach."""
        value = self._batch[self._index]
        self._index += 1
        self._turn.touched = True
        self._look_ahead()
        return value

    def _await_message(self) -> None:
        if self._turn.touched:
            self._turn.hold(self, lambda: self._decoded(1) or self.is_closed())
        else:
            self._turn.pause(self.wait_avail(1))
        if not self._decoded(1):
            message = f"channel {self.name!r} is closed and empty: no message will come"
            raise EndOfStream(message)

    def _look_ahead(self) -> None:
        """Say how far the next takes need no look, and whether the turn should end in a commit."""
        left = len(self._batch) - self._index
        if left < self._burst:
            self._decoded(self._burst)
            left = len(self._batch) - self._index
        ungrouped = self._group - (self.position() - self._committed.messages)
        if ungrouped <= 0 or left < self._burst:
            self._turn.call_for_commit()
            self._safe = len(self._batch) - 1
        else:
            self._safe = self._index + min(left - self._burst, ungrouped)

    def _decoded(self, count: int) -> bool:
        """Unpickle records until `count` messages are at hand; tell whether they are."""
        while len(self._batch) - self._index < count:
            following = self._base + len(self._batch)
            if following >= self._tail:
                self._tail = self._words[layout.TAIL]
                if following >= self._tail:
                    return False
                order()
            self._decode(following)
        return True

    def _decode(self, first: int) -> None:
        record = self._ring.read(self._read_position, first)
        if self._index:
            del self._batch[: self._index]
            self._base += self._index
            self._index = 0
        self._safe = 0
        values = decode(record)
        if self._batch:
            self._batch += values
        else:
            self._batch = values
        self._read_position = record.end
        self._marks.append((first + record.messages, record.end))

    def _resume(self) -> None:
        """Read again the record that the last commit had taken a part of."""
        wanted = self._base
        self._base = self._ring.first_at(self._read_position)
        self._decode(self._base)
        self._index = wanted - self._base

    # The producer's side

    def has(self, count: int) -> bool:
        """Tell whether `count` messages can be taken."""
        if self._safe - self._index >= count:
            return True
        wanted = self._base + self._index + count
        if wanted <= self._tail:
            return True
        self._tail = self._words[layout.TAIL]
        return wanted <= self._tail

    def is_closed(self) -> bool:
        """Tell whether the producer closed the channel; the tail read after this one is final."""
        closed = bool(self._words[layout.TX_CLOSED])
        order()
        return closed

    def arm(self, target: int) -> None:
        """Ask the producer to ring once its tail reaches `target`."""
        if target < self._armed:
            self._words[layout.WAKE_TAIL] = self._armed = target

    def arm_change(self) -> None:
        """Ask the producer to ring at its next commit that sends something."""
        self.arm(self._words[layout.TAIL] + 1)

    def disarm(self) -> None:
        """Ask for nothing any more."""
        if self._armed != layout.NEVER:
            self._words[layout.WAKE_TAIL] = self._armed = layout.NEVER

    def is_overtaken(self) -> bool:
        """Tell whether the tail has reached what was armed, so that no ring may come for it."""
        return self._words[layout.TAIL] >= self._armed

    def is_starved(self, count: int) -> bool:
        """Tell whether the producer waits for room in bytes, and has not sent `count` messages before that."""
        words, here = self._words, self.position()
        stuck = words[layout.TX_STUCK]
        order()
        held = words[layout.TX_HELD]
        order()
        # What it has staged it commits for whoever waits for that; read both while it says that it is stuck.
        starved = stuck > here and held < here + count and words[layout.TX_STUCK] == stuck
        if starved and not self._warned:
            self._warned = True
            logging.getLogger("steady_mp").warning(
                "channel %s is full of bytes with %d messages, and more are waited for: give it a larger ring_bytes",
                self.name,
                self.avail(),
            )
        return starved

    def peer_must_know(self) -> bool:
        """Tell whether the producer has sent what was armed, and waits in the middle of its turn."""
        return self._words[layout.TX_HELD] >= self._armed

    # The turn's side

    sends: ClassVar[bool] = False

    def charge(self, nanoseconds: int) -> None:
        """Nobody waits for room at this end."""

    def mark(self) -> tuple[int, ...]:
        """Return what changes whenever either end moves."""
        closed = self._words[layout.TX_CLOSED]
        return self.position(), self._words[layout.TAIL], closed

    def is_staged(self) -> bool:
        """Tell whether the next commit has something of this end to publish."""
        return self.position() != self._committed.messages or self._closed != self._committed.closed

    def peer_waits(self) -> bool:
        """Tell whether the producer sleeps until something that is staged here is committed."""
        # A producer that waits for less than what was published has been rung already.
        return self._committed.messages < self._words[layout.WAKE_HEAD] <= self.position()

    def is_urgent(self) -> bool:
        """Tell whether putting a commit off leaves the peer idle: no, a producer waits when there is plenty to take."""
        return False

    def is_choked(self) -> bool:
        """Tell whether no message can come before a commit: the producer waits for the room that was taken."""
        return self.peer_waits()

    def hold_back(self, *, here: bool) -> None:  # noqa: ARG002 - a producer that waits for room is not waited for
        """Tell the producer how far the head will be."""
        if self.is_staged():
            self._words[layout.RX_HELD] = self.position()

    def let_go(self) -> None:
        """Hold nothing back any more."""
        self._words[layout.RX_HELD] = 0

    def close(self) -> None:
        """Take nothing any more, from the next commit on: the actor has finished."""
        self._closed = 1

    def freeze(self) -> Cursor:
        """Return the cursor to commit: messages taken, and the end of the last record taken whole."""
        taken = self.position()
        freed = self._committed.position
        for last, end in self._marks:
            if last > taken:
                break
            freed = end
        return Cursor(taken, freed, self._closed)

    def publish(self, cursor: Cursor, *, alone: bool) -> None:
        """Give the producer the room of what was committed.

        `alone` says that the commit held one turn only: its size is then known.
        """
        self._before = self._committed
        self._committed = cursor
        if alone:
            self._burst = max(self._burst, min(cursor.messages - self._before.messages, self._ring.capacity))
        publish_rx(self._words, cursor)
        marks = self._marks
        while marks and marks[0][0] <= cursor.messages:
            marks.popleft()

    def wants_ring(self) -> bool:
        """Tell, behind the fence that follows `publish`, whether that publish crossed what the producer waits for."""
        return crossed(self._before, self._committed, self._words[layout.WAKE_HEAD])
