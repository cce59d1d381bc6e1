"""The receiving end of an object channel."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar, cast

from steady_mp.channel.consuming import ConsumingEnd
from steady_mp.channel.decoding import CODES, LARGE, apart, decode, decode_array
from steady_mp.channel.ring import Record, as_record
from steady_mp.memory import layout
from steady_mp.memory.fence import ORDERED, fence

if TYPE_CHECKING:
    from steady_mp.channel.ring import Ring
    from steady_mp.channel.waits import Pace
    from steady_mp.memory.control import Cursor, CursorWords
    from steady_mp.memory.hands import Hand
    from steady_mp.memory.letters import Mail

T = TypeVar("T")


class ObjectRx(ConsumingEnd[T]):
    """See `Rx`. Single reader: only the actor that owns it may touch it.

    A record is unpickled as a whole into `_batch`; a take that stays below `_safe` needs no look at the
    producer's cursor. `_marks` remembers where each unpickled record ends, because room goes back to
    the producer by whole records.
    """

    __slots__ = ("_base", "_batch", "_index", "_large", "_marks", "_read_position", "_ring", "_safe")

    def __init__(
        self, ring: Ring, turn: Pace, cursor: Cursor, hand: Hand | None = None, mail: Mail | None = None
    ) -> None:
        """Continue at `cursor`, where the last commit stands; see `ConsumingEnd`."""
        super().__init__(ring, turn, cursor, hand, mail)
        self._ring = ring
        self._base, self._read_position, _ = cursor
        self._batch: list[T] = []
        self._index = 0
        self._safe = 0
        self._marks: deque[tuple[int, int]] = deque()
        #: The numbers of messages that stand in `_batch` as their records: see `_unpack`.
        self._large: deque[int] = deque()
        if self._tail > self._base:
            self._resume()

    def take(self) -> T:
        """See `Rx.take`."""
        index = self._index
        if index < self._safe:
            self._index = index + 1
            self._turn.touched = True
            return self._batch[index]
        if not self._decoded(1):
            self._await_message()
            self._decoded(1)
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
        if len(self._batch) - self._index < count:
            self._decoded(count)
        batch, index = self._batch, self._index
        first = self._base + index
        stop = len(batch)
        if index + count < stop:
            stop = index + max(0, count)
        if stop == index:
            return []
        whole = index == 0 and stop == len(batch)  # no need for a copy
        values = batch if whole else batch[index:stop]
        if self._large:  # before anything moves: what can't be unpickled stays
            self._hand.hold(first, first + len(values))
            values = self._opened(values)
        self._take_up_to(stop)
        if whole and batch is self._batch:
            self._batch, self._base, self._index, self._safe = [], self._base + stop, 0, 0
        return values

    def try_peek(self) -> T | None:
        """See `Rx.try_peek`."""
        if not self._decoded(1):
            return None
        self._show(1)
        if self._large:
            self._batch[self._index : self._index + 1] = self._opened(self._batch[self._index : self._index + 1])
        return self._batch[self._index]

    def peek_slice(self, count: int) -> list[T]:
        """See `Rx.peek_slice`."""
        self._decoded(count)
        values = self._batch[self._index : self._index + max(0, count)]
        if values:
            self._show(len(values))
        return self._opened(values) if self._large else values

    def look(self, count: int) -> list[T]:
        """See `ConsumingEnd.look`."""
        return self.peek_slice(count)

    def _here(self) -> int:
        """See `ConsumingEnd._here`."""
        return self._base + self._index

    # Reading ahead

    def _take_one(self) -> T:
        """Take a message that is decoded, and see whether the next one is in reach."""
        value = self._batch[self._index]
        first = self._base + self._index
        if self._large:  # before anything moves: what can't be unpickled stays
            self._hand.hold(first, first + 1)
            value = self._opened([value])[0]
        self._take_up_to(self._index + 1)
        return value

    def _take_up_to(self, index: int) -> None:
        """Take the messages of the batch before `index`, and look ahead.

        What raises meanwhile, a signal's handler say, or a recursion that is too deep, leaves them there: the caller
        does not get them.
        """
        self._turn.moved[self] = None
        self._turn.touched = True
        first = self._base + self._index
        self._index = index
        try:
            self._look_ahead(first)
        except BaseException:
            if first >= self._base:  # else a dead letter behind them was passed, and what was decoded before is gone
                self._index, self._safe = first - self._base, 0
            raise

    def _show(self, count: int) -> None:
        """Say that the next messages are looked at: what is worked with before it is taken is in hand as well."""
        here = self._here()
        self._hand.hold(here, max(here + count, self._base + self._safe))

    def _look_ahead(self, first: int) -> None:
        """Say how far the next takes need no look, and whether the turn should end in a commit.

        The messages from `first` on were taken just now: they are in hand, with those that need no look.
        """
        left = len(self._batch) - self._index
        here = self._base + self._index
        ungrouped = self._group - (here - self._committed[0])
        # Takes behind which all that a turn has taken so far is there once more, whether it is unpickled or not.
        ahead = self._tail - here - self._burst
        if ahead < left:
            self._tail = self._words[layout.TAIL]
            if not ORDERED:
                fence()
            ahead = self._tail - here - self._burst
        if ungrouped <= 0 or (ahead < 0 and self._presses):
            self._turn.call_for_commit()
            self._safe = len(self._batch) - 1
        else:
            self._safe = self._index + min(left, ahead, ungrouped)
        if self._large:
            self._pass_large()
        if here < self._until:
            self._safe = 0
        self._hand.hold(first, self._base + max(self._index, self._safe))

    def _pass_large(self) -> None:
        """Forget the large messages that were taken, and let no take go past the next one without a look."""
        while self._large and self._large[0] < self._here():
            self._large.popleft()
        if self._large:
            self._safe = min(self._safe, self._large[0] - self._base)

    def _decoded(self, count: int) -> bool:
        """Unpickle records until `count` messages are at hand; tell whether they are."""
        while len(self._batch) - self._index < count:
            following = self._base + len(self._batch)
            if following >= self._tail:
                self._tail = self._words[layout.TAIL]
                if not ORDERED:
                    fence()
                if following >= self._tail:
                    return False
            self._decode(following)
        return True

    def _decode(self, first: int) -> None:
        kind, messages, _, views, end, _ = found = self._ring.find(self._read_position, first)
        if self._index:
            del self._batch[: self._index]
            self._base += self._index
            self._index = 0
        self._safe = 0
        following = first + messages
        self._hand.reach(following)
        values = decode_array(CODES[kind], views) if kind in CODES else self._unpack(as_record(found))
        if self._batch:
            self._batch += values
        else:
            self._batch = values
        self._read_position = end
        self._marks.append((following, end))

    def _unpack(self, record: Record) -> list[T]:
        """Return the messages of a record; a large one as the record itself, to be decoded when it is taken.

        Decoded ahead, it would be held beside the one before it: the allocator then gives memory back to the kernel
        and asks for it anew with each message, which takes ten times as long as the copy.
        """
        if record.messages == 1 and record.length >= LARGE:
            self._large.append(record.first)
            return cast("list[T]", [record])
        if record.kind == layout.RECORD_PICKLES:
            return self._unpickled(record)
        return self._decoded_alone(record)

    def _unpickled(self, record: Record) -> list[T]:
        """Return the messages of a record of pickles, unpickled all at once, or each by itself when it is taken.

        By itself, as if it had a record of its own: behind a death, also of a life that had taken some of them, and
        where one of them can't be unpickled.
        """
        if record.first >= self._until:
            with suppress(Exception):  # of one message: the take that it belongs to tells
                return decode(record)
        return self._apart(record)

    def _apart(self, record: Record) -> list[T]:
        pieces = apart(record)
        self._large.extend(piece.first for piece in pieces)
        return cast("list[T]", pieces)

    def _decoded_with_care(self, record: Record) -> list[T]:
        """Decode a record; it may be of a class whose code is the end of this process, as it was of the last one."""
        kept = self._hand.kept
        self._hand.hold(record.first, record.first + record.messages)
        values = decode(record)
        self._hand.kept = kept
        return values

    def _opened(self, values: list[T]) -> list[T]:
        """Decode those of `values` that are records still."""
        return [self._decoded_alone(cast("Record", value))[0] if type(value) is Record else value for value in values]

    def _decoded_alone(self, record: Record) -> list[T]:
        return decode(record) if record.first >= self._until else self._decoded_with_care(record)

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
        if not ORDERED:
            fence()
        return wanted <= self._tail

    def freeze(self) -> CursorWords:
        """Return the cursor to commit: messages taken, and the end of the last record taken whole.

        The last one where nothing has moved.
        """
        taken = self._base + self._index
        committed = self._committed
        if taken == committed[0] and self._closed == committed[2]:
            return committed
        freed = committed[1]
        for last, end in self._marks:
            if last > taken:
                break
            freed = end
        return taken, freed, self._closed

    def settle(self, *, alone: bool) -> None:
        """See `Staging.settle`."""
        super().settle(alone=alone)
        self._safe = 0  # so that the next take says that it is in hand, and tells the turn
        marks = self._marks
        taken = self._committed[0]
        while marks and marks[0][0] <= taken:
            marks.popleft()
