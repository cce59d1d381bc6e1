"""The receiving end's side of the protocol, whatever the messages are: cursors, waits, wake-ups, publishing."""

from __future__ import annotations

import logging
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeVar

from steady_mp.channel.endpoints import ChannelStatistics, Rx
from steady_mp.channel.group import group_of
from steady_mp.channel.publish import publish_rx
from steady_mp.channel.threshold import Threshold
from steady_mp.channel.waits import Avail, crossed
from steady_mp.errors import EndOfStream
from steady_mp.memory import layout
from steady_mp.memory.fence import order
from steady_mp.memory.hands import Hand

if TYPE_CHECKING:
    from steady_mp.channel.store import Store
    from steady_mp.channel.waits import Condition, Pace
    from steady_mp.memory.control import Cursor, CursorWords
    from steady_mp.memory.letters import Mail

T = TypeVar("T")


class ConsumingEnd(Rx[T], Threshold):
    """See `Rx`. Single reader: only the actor that owns it may touch it.

    A kind of channel adds how a message is taken: `_here`, `freeze`, and the ways to take and peek. These say by
    `Hand.hold` what may be read before the next call, and by `Hand.reach` what is about to be decoded: before each
    message below `_until`, and before the first one behind each publish, which moves the stamp.
    """

    __slots__ = (
        "_avails",
        "_before",
        "_burst",
        "_capacity",
        "_closed",
        "_committed",
        "_group",
        "_hand",
        "_presses",
        "_store",
        "_suspects",
        "_tail",
        "_turn",
        "_until",
        "_warned",
    )

    def __init__(
        self, store: Store, turn: Pace, cursor: Cursor, hand: Hand | None = None, mail: Mail | None = None
    ) -> None:
        """Continue at `cursor`, where the last commit stands, and say in `hand` what is read.

        `mail` has what was in hand at the latest deaths; nothing of it was put aside, or the end knows what to do.
        """
        self._store = store
        self._words = store.words
        self._capacity = store.capacity
        self._turn = turn
        self._closed = cursor.closed
        self._committed: CursorWords = (cursor.messages, cursor.position, cursor.closed)
        self._before = self._committed
        self._hand = hand or Hand()
        #: Below this number each message is told by itself.
        self._until = self._hand.until
        self._suspects = mail.suspects if mail is not None else ()
        self._group = group_of(store.capacity, spaced=turn.spaced)
        #: An input that runs dry is a reason for a commit.
        self._presses = not turn.spaced
        self._burst = 1
        self._warned = False
        self._armed = self._words[layout.WAKE_TAIL] = layout.NEVER
        self._avails: dict[int, Avail] = {}
        self._tail = self._words[layout.TAIL]

    @property
    def name(self) -> str:
        """See `Rx.name`."""
        return self._store.name

    @property
    def capacity(self) -> int:
        """See `Rx.capacity`."""
        return self._capacity

    def avail(self) -> int:
        """See `Rx.avail`."""
        self._tail = self._words[layout.TAIL]
        order()
        return self._tail - self._here()

    def position(self) -> int:
        """See `Rx.position`."""
        return self._here()

    def is_showstopper(self, deaths: int) -> bool:
        """See `Rx.is_showstopper`."""
        here = self._next_in_hand()
        return self.has(1) and any(s.first <= here <= s.last and len(s.deaths) >= deaths for s in self._suspects)

    def _next_in_hand(self) -> int:
        """Return the number that stands in the hand once the next message is taken: see `hands.Held`."""
        return self._here()

    def is_closed_and_empty(self) -> bool:
        """See `Rx.is_closed_and_empty`."""
        return self.is_closed() and not self.has(1)

    def statistics(self) -> ChannelStatistics:
        """See `Rx.statistics`."""
        in_flight = self.avail()
        return ChannelStatistics(
            name=self.name,
            capacity=self._capacity,
            ring_bytes=self._store.size,
            sent=self._tail,
            taken=self._here(),
            in_flight=in_flight,
            bytes_in_flight=self._words[layout.TAIL_POS] - self._committed[1],
            closed=self.is_closed(),
        )

    def wait_avail(self, count: int) -> Condition:
        """See `Rx.wait_avail`."""
        try:  # a `get` would cost each wait a call
            return self._avails[count]
        except KeyError:
            condition = self._avails[count] = Avail(self, count)
            return condition

    # What a kind of channel adds. What it takes without a look, it takes behind a take that has told the turn of it.

    @abstractmethod
    def _here(self) -> int:
        """Return the number of the next message that comes in line, which `position` is unless a letter comes first."""

    @abstractmethod
    def freeze(self) -> CursorWords:
        """Return the cursor to commit: messages taken, and the end of the room that is given back.

        The last one where nothing has moved.
        """

    @abstractmethod
    def look(self, count: int) -> list[T]:
        """Return copies of the next messages without taking them, at most `count`, whatever `peek_slice` returns."""

    # The producer's side

    def _await_message(self) -> None:
        """Wait for a message to take. Raises EndOfStream when none will come."""
        if self._turn.touched:
            self._presses = True  # a turn takes more than what it has waited for: see to it that it begins with all
            self._turn.hold(self, lambda: self.has(1) or self.is_closed())
        else:
            self._turn.pause(self.wait_avail(1))
        if not self.has(1):
            message = f"channel {self.name!r} is closed and empty: no message will come"
            raise EndOfStream(message)

    def has(self, count: int) -> bool:
        """Tell whether `count` messages can be taken."""
        wanted = self._here() + count
        if wanted <= self._tail:
            return True
        self._tail = self._words[layout.TAIL]
        order()
        return wanted <= self._tail

    def may_get_more(self) -> bool:
        """Tell at one look that the producer has neither closed the channel nor got stuck; False says nothing."""
        words = self._words
        return not (words[layout.TX_CLOSED] or words[layout.TX_STUCK])

    def is_closed(self) -> bool:
        """Tell whether the producer closed the channel; the tail read after this one is final."""
        closed = bool(self._words[layout.TX_CLOSED])
        order()
        return closed

    def is_starved(self, count: int) -> bool:
        """Tell whether the producer waits for room in bytes, and has not sent `count` messages before that."""
        words, here = self._words, self._here()
        wanted = here + count
        stuck = words[layout.TX_STUCK]
        order()
        held = words[layout.TX_HELD]
        order()
        # What it has staged it commits for whoever waits for that; read both while it says that it is stuck. What it
        # has committed since the caller's look it is not blamed for.
        starved = stuck > here and held < wanted and words[layout.TX_STUCK] == stuck and words[layout.TAIL] < wanted
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
        return self._here(), self._words[layout.TAIL], closed, self._closed

    def is_staged(self) -> bool:
        """Tell whether the next commit has something of this end to publish."""
        return self._here() != self._committed[0] or self._closed != self._committed[2]

    def peer_waits(self) -> bool:
        """Tell whether the producer sleeps until something that is staged here is committed."""
        # A producer that waits for less than what was published has been rung already.
        return self._committed[0] < self._words[layout.WAKE_HEAD] <= self._here()

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
        return self._committed[0] < self._until

    def close(self) -> None:
        """Take nothing any more, from the next commit on: the actor has finished."""
        self._turn.moved[self] = None
        self._closed |= 1  # above it orders are counted

    def publish(self, cursor: CursorWords) -> None:
        """Give the producer the room of what was committed."""
        self._before = self._committed
        self._committed = cursor
        publish_rx(self._words, cursor)

    def wants_ring(self) -> bool:
        """Tell, behind the fence that follows `publish`, whether that publish crossed what the producer waits for."""
        wanted = self._words[layout.WAKE_HEAD]
        return wanted != layout.NEVER and crossed(self._before, self._committed, wanted)

    def settle(self, *, alone: bool) -> None:
        """See `Staging.settle`."""
        if alone:
            size = self._committed[0] - self._before[0]
            if size > self._burst:
                self._burst = min(size, self._capacity)
