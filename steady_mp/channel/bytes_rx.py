"""The receiving end of a bytes lane: messages as bytes, or as views straight into the ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steady_mp.channel.bytes_tx import SMALL, share
from steady_mp.channel.loans import Loans
from steady_mp.channel.receiver import ObjectRx
from steady_mp.errors import OutOfReach

if TYPE_CHECKING:
    from steady_mp.channel.ring import Record, Ring
    from steady_mp.channel.waits import Pace
    from steady_mp.memory.control import Cursor, CursorWords
    from steady_mp.memory.hands import Hand
    from steady_mp.memory.letters import Mail


class BytesRx(ObjectRx[bytes]):
    """See `Rx`. Single reader: only the actor that owns it may touch it.

    Zero copy: `peek` shows the next message where it is, `advance_take` takes it. A message that shares its record
    with others is short, and was copied with them: the view shows that copy.
    """

    # In `_batch` a long message stands as a view into the ring, and becomes bytes when it is taken.

    __slots__ = ("_loans", "_share")

    def __init__(
        self, ring: Ring, turn: Pace, cursor: Cursor, hand: Hand | None = None, mail: Mail | None = None
    ) -> None:
        """Continue at `cursor`, where the last commit stands; see `ConsumingEnd`."""
        self._loans = Loans()
        self._share = share(ring, turn)
        super().__init__(ring, turn, cursor, hand, mail)

    def peek(self) -> memoryview:
        """Return a read-only view of the next message, without taking it.

        It is good until the commit of the turn in which that message is taken: then it is released, and using it
        raises ValueError. That commit raises ViewInUse when something made from the view (an array, a slice) still
        holds it, and commits nothing. Blocks like `take`; raises EndOfStream when the channel is closed and empty.
        """
        if not self._decoded(1):
            self._await_message()
            self._decoded(1)
        self._show(1)
        return self._loans.lend(memoryview(self._batch[self._index]).toreadonly(), self._here())

    def advance_take(self, count: int = 1) -> None:
        """Take the next `count` messages without looking at them. Raises OutOfReach when fewer are there."""
        if count < 0 or not self._decoded(count):
            message = f"channel {self.name!r}: {count} messages are to be taken, {self.avail()} are there"
            raise OutOfReach(message)
        if count:
            self._take_up_to(self._index + count)

    def take(self) -> bytes:
        """See `Rx.take`."""
        index = self._index
        if index < self._safe:
            self._index = index + 1
            self._turn.touched = True
            value = self._batch[index]
        else:
            value = super().take()
        return value if type(value) is bytes else bytes(value)

    def try_take(self) -> bytes | None:
        """See `Rx.try_take`."""
        value = super().try_take()
        return value if value is None or type(value) is bytes else bytes(value)

    def take_slice(self, count: int) -> list[bytes]:
        """See `Rx.take_slice`."""
        return _copied(super().take_slice(count))

    def try_peek(self) -> bytes | None:
        """See `Rx.try_peek`; a copy, good for ever."""
        value = super().try_peek()
        return value if value is None or type(value) is bytes else bytes(value)

    def peek_slice(self, count: int) -> list[bytes]:
        """See `Rx.peek_slice`; copies, good for ever."""
        return _copied(super().peek_slice(count))

    def freeze(self) -> CursorWords:
        """Return the cursor to commit, and take back the views of what was taken. Raises ViewInUse."""
        self._loans.collect(self.position(), self.name)
        return super().freeze()

    def _decode(self, first: int) -> None:
        self._give_back()
        super()._decode(first)

    def _look_ahead(self, first: int) -> None:
        """See `ObjectRx._look_ahead`."""
        super()._look_ahead(first)
        if self._index == len(self._batch):
            self._give_back()

    def _give_back(self) -> None:
        """End the turn in a commit where what was read, and is taken or about to be, is a good part of the ring."""
        if self._read_position - self._committed[1] > self._share:
            self._turn.call_for_commit()

    def _unpack(self, record: Record) -> list[Any]:
        """Return the messages of a record, a long one as a view."""
        if record.messages == 1 and record.length > SMALL:
            return list(record.views)
        return super()._unpack(record)


def _copied(values: list[bytes]) -> list[bytes]:
    return [value if type(value) is bytes else bytes(value) for value in values]
