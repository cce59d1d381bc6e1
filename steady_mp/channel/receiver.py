"""The receiving end of an object channel."""

from __future__ import annotations

import logging
import pickle
from collections import deque
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from steady_mp.channel.endpoints import ChannelStatistics, Rx
from steady_mp.channel.publish import publish_rx
from steady_mp.channel.sender import GROUP
from steady_mp.channel.threshold import Threshold
from steady_mp.channel.waits import Avail, crossed
from steady_mp.errors import EndOfStream
from steady_mp.memory import layout
from steady_mp.memory.control import Cursor
from steady_mp.memory.fence import order
from steady_mp.memory.hands import Hand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.channel.ring import Ring
    from steady_mp.channel.waits import Condition, Pace
    from steady_mp.memory.letters import Suspect

T = TypeVar("T")


class ObjectRx(Rx[T], Threshold):
    """See `Rx`. Single reader: only the actor that owns it may touch it.

    Records are unpickled ahead into `_batch`; a take that stays below `_safe` needs no look at the
    producer's cursor. `_marks` remembers where each unpickled record ends, because room goes back to
    the producer by whole records.
    """

    __slots__ = (
        "_avails",
        "_base",
        "_batch",
        "_before",
        "_burst",
        "_closed",
        "_committed",
        "_group",
        "_hand",
        "_index",
        "_marks",
        "_presses",
        "_read_position",
        "_ring",
        "_safe",
        "_suspects",
        "_tail",
        "_turn",
        "_until",
        "_warned",
    )

    def __init__(
        self, ring: Ring, turn: Pace, cursor: Cursor, hand: Hand | None = None, suspects: Sequence[Suspect] = ()
    ) -> None:
        """Continue at `cursor`, where the last commit stands, and say in `hand` what is read.

        `suspects` were in hand at the latest deaths.
        """
        self._ring = ring
        self._suspects = suspects
        self._hand = hand or Hand()
        self._until = self._hand.until
        self._words = ring.words
        self._turn = turn
        self._committed = self._before = cursor
        self._base, self._read_position, self._closed = cursor
        self._batch: list[T] = []
        self._index = 0
        self._safe = 0
        self._marks: deque[tuple[int, int]] = deque()
        self._group = max(1, ring.capacity // 2 if turn.spaced else min(GROUP, ring.capacity // 2))
        self._presses = not turn.spaced
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
        values = self._batch[self._index : stop]
        if values:
            first = self._here()
            self._index = stop
            self._turn.touched = True
            self._look_ahead(first)
        return values

    def try_peek(self) -> T | None:
        """See `Rx.try_peek`."""
        if not self._decoded(1):
            return None
        self._show(1)
        return self._batch[self._index]

    def peek_slice(self, count: int) -> list[T]:
        """See `Rx.peek_slice`."""
        self._decoded(count)
        values = self._batch[self._index : self._index + max(0, count)]
        if values:
            self._show(len(values))
        return values

    def avail(self) -> int:
        """See `Rx.avail`."""
        self._tail = self._words[layout.TAIL]
        return self._tail - self._here()

    def is_closed_and_empty(self) -> bool:
        """See `Rx.is_closed_and_empty`."""
        return self.is_closed() and not self.has(1)

    def position(self) -> int:
        """See `Rx.position`."""
        return self._here()

    def _here(self) -> int:
        """Return the number of the next message that comes in line."""
        return self._base + self._index

    def is_showstopper(self, deaths: int) -> bool:
        """See `Rx.is_showstopper`."""
        here = self.position()
        return self.has(1) and any(s.first <= here <= s.last and len(s.deaths) >= deaths for s in self._suspects)

    def statistics(self) -> ChannelStatistics:
        """See `Rx.statistics`."""
        in_flight = self.avail()
        return ChannelStatistics(
            name=self.name,
            capacity=self.capacity,
            ring_bytes=self._ring.size,
            sent=self._tail,
            taken=self._here(),
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
        first = self._here()
        self._index += 1
        self._turn.touched = True
        self._look_ahead(first)
        return value

    def _show(self, count: int) -> None:
        """Say that the next messages are looked at: what is worked with before it is taken is in hand as well."""
        here = self._here()
        self._hand.hold(here, max(here + count, self._base + self._safe))

    def _await_message(self) -> None:
        if self._turn.touched:
            self._presses = True  # a turn takes more than what it has waited for: see to it that it begins with all
            self._turn.hold(self, lambda: self._decoded(1) or self.is_closed())
        else:
            self._turn.pause(self.wait_avail(1))
        if not self._decoded(1):
            message = f"channel {self.name!r} is closed and empty: no message will come"
            raise EndOfStream(message)

    def _look_ahead(self, first: int) -> None:
        """Say how far the next takes need no look, and whether the turn should end in a commit.

        The messages from `first` on were taken just now: they are in hand, with those that need no look.
        """
        left = len(self._batch) - self._index
        if left < self._burst:
            self._decoded(self._burst)
            left = len(self._batch) - self._index
        ungrouped = self._group - (self._here() - self._committed.messages)
        if ungrouped <= 0 or (left < self._burst and self._presses):
            self._turn.call_for_commit()
            self._safe = len(self._batch) - 1
        else:
            self._safe = self._index + min(left - self._burst, ungrouped)
        here = self._here()
        if here < self._until:
            self._safe = 0
        self._hand.hold(first, max(here, self._base + self._safe))

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
        kind, payload = record.kind, record.payload
        self._hand.reach(first + record.messages)
        if kind == layout.RECORD_OBJECT:
            self._unpickle(first, payload)
        elif kind == layout.RECORD_BATCH:
            self._batch.extend(pickle.loads(payload))  # noqa: S301
        else:
            numbers = memoryview(payload).cast("q" if kind == layout.RECORD_INTS else "d")
            self._batch.extend(cast("list[T]", numbers.tolist()))
        self._read_position = record.end
        self._marks.append((first + record.messages, record.end))

    def _unpickle(self, first: int, payload: bytes | memoryview) -> None:
        """Unpickle a message of a class that may be somebody's, and so may be the end of this process."""
        if first >= self._until:
            self._batch.append(pickle.loads(payload))  # noqa: S301 - our own 0700 directory
            return
        kept = self._hand.kept
        self._hand.hold(first, first + 1)
        self._batch.append(pickle.loads(payload))  # noqa: S301
        self._hand.kept = kept

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

    def is_starved(self, count: int) -> bool:
        """Tell whether the producer waits for room in bytes, and has not sent `count` messages before that."""
        words, here = self._words, self._here()
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
        return self._here(), self._words[layout.TAIL], closed

    def is_staged(self) -> bool:
        """Tell whether the next commit has something of this end to publish."""
        return self._here() != self._committed.messages or self._closed != self._committed.closed

    def peer_waits(self) -> bool:
        """Tell whether the producer sleeps until something that is staged here is committed."""
        # A producer that waits for less than what was published has been rung already.
        return self._committed.messages < self._words[layout.WAKE_HEAD] <= self._here()

    def is_urgent(self) -> bool:
        """Tell whether putting a commit off leaves the peer idle: no, a producer waits when there is plenty to take."""
        return False

    def is_choked(self) -> bool:
        """Tell whether no message can come before a commit: the producer waits for the room that was taken."""
        return self.peer_waits()

    def hold_back(self, *, here: bool) -> None:  # noqa: ARG002 - a producer that waits for room is not waited for
        """Tell the producer how far the head will be."""
        if self.is_staged():
            self._words[layout.RX_HELD] = self._here()

    def let_go(self) -> None:
        """Hold nothing back any more."""
        self._words[layout.RX_HELD] = 0

    def is_wary(self) -> bool:
        """Tell whether each message is told by itself, because a life has died before it was through with it."""
        return self._committed.messages < self._until

    def close(self) -> None:
        """Take nothing any more, from the next commit on: the actor has finished."""
        self._closed |= 1

    def freeze(self) -> Cursor:
        """Return the cursor to commit: messages taken, and the end of the last record taken whole."""
        taken = self._here()
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
        self._safe = 0  # so that the next take says that it is in hand
        publish_rx(self._words, cursor)
        marks = self._marks
        while marks and marks[0][0] <= cursor.messages:
            marks.popleft()

    def wants_ring(self) -> bool:
        """Tell, behind the fence that follows `publish`, whether that publish crossed what the producer waits for."""
        return crossed(self._before, self._committed, self._words[layout.WAKE_HEAD])
