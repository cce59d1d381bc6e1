"""The sending end's side of the protocol, whatever the messages are: cursors, waits, wake-ups, publishing."""

from __future__ import annotations

import logging
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeVar

from steady_mp.channel.endpoints import ChannelStatistics, SendSaturation, Tx
from steady_mp.channel.group import group_of
from steady_mp.channel.publish import publish_tx
from steady_mp.channel.waits import Empty, Vacant, crossed
from steady_mp.errors import ClosedByMe, PeerGone
from steady_mp.memory import layout
from steady_mp.memory.fence import order

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.channel.store import Store
    from steady_mp.channel.waits import Condition, Pace
    from steady_mp.memory.control import Cursor, CursorWords

T = TypeVar("T")


class ProducingEnd(Tx[T]):
    """See `Tx`. Single writer: only the actor that owns it may touch it.

    A kind of channel adds how a message is staged: `position`, `freeze`, `_regrant`, and the ways to send.
    """

    __slots__ = (
        "_armed",
        "_before",
        "_bulk",
        "_burst",
        "_capacity",
        "_closed",
        "_committed",
        "_grant",
        "_group",
        "_head",
        "_head_position",
        "_rested",
        "_rests",
        "_store",
        "_turn",
        "_vacants",
        "_words",
    )

    def __init__(self, store: Store, turn: Pace, cursor: Cursor) -> None:
        """Continue at `cursor`, where the last commit stands."""
        self._store = store
        self._words = store.words
        self._capacity = store.capacity
        self._turn = turn
        self._closed = cursor.closed
        self._committed: CursorWords = (cursor.messages, cursor.position, cursor.closed)
        self._before = self._committed
        #: Messages that may be sent without a look at the consumer's cursors.
        self._grant = 0
        self._group = group_of(store.capacity, spaced=turn.spaced)
        self._burst = 1
        self._bulk = 0
        #: Nothing was staged since the last publish, so the turn does not know of this end.
        self._rests = False
        self._rested = 0
        self._armed = self._words[layout.WAKE_HEAD] = layout.NEVER
        self._vacants: dict[int, Vacant] = {}
        self._refresh()

    @property
    def name(self) -> str:
        """See `Tx.name`."""
        return self._store.name

    @property
    def capacity(self) -> int:
        """See `Tx.capacity`."""
        return self._capacity

    def vacant(self) -> int:
        """See `Tx.vacant`."""
        self._refresh()
        return self._capacity - (self.position() - self._head)

    def mark_closed(self) -> None:
        """See `Tx.mark_closed`."""
        self._turn.touched = True
        self._stir()
        self._turn.call_for_commit()
        self._closed = 1
        self._grant = 0

    def statistics(self) -> ChannelStatistics:
        """See `Tx.statistics`."""
        self._refresh()
        return ChannelStatistics(
            name=self.name,
            capacity=self._capacity,
            ring_bytes=self._store.size,
            sent=self.position(),
            taken=self._head,
            in_flight=self.position() - self._head,
            bytes_in_flight=self._written() - self._head_position,
            closed=bool(self._closed),
        )

    def wait_vacant(self, count: int) -> Condition:
        """See `Tx.wait_vacant`."""
        try:  # a `get` would cost each wait a call
            return self._vacants[count]
        except KeyError:
            condition = self._vacants[count] = Vacant(self, count)
            return condition

    def wait_empty(self) -> Condition:
        """See `Tx.wait_empty`."""
        return Empty(self)

    # What a kind of channel adds

    @abstractmethod
    def freeze(self) -> CursorWords:
        """Write what is staged into the ring and return the cursor to commit, the last one where nothing has moved."""

    @abstractmethod
    def _regrant(self) -> None:
        """Count the messages that may follow without a look, and see whether a commit is due.

        Whatever is staged comes by here, or goes on such a count. The turn is told of this end (`_stir`), and what was
        counted is taken back, before anything is staged: a signal's handler may raise at any step, or a recursion be
        too deep, and a behavior may go on from there.
        """

    @abstractmethod
    def _rest(self) -> None:
        """Put aside what may follow without a look, until the first send behind this publish."""

    @abstractmethod
    def _go_on(self) -> None:
        """Take that up again; the turn is told of this end."""

    def _stir(self) -> None:
        """Tell the turn that something may be staged here."""
        self._rests = False
        self._turn.moved[self] = None

    @abstractmethod
    def _written(self) -> int:
        """Return the position in bytes behind what stands in the ring."""

    def _cursor(self, sent: int, position: int) -> CursorWords:
        """Return the cursor to commit: the last one where nothing has moved, so that nothing is published anew."""
        committed = self._committed
        if committed == (sent, position, self._closed):
            return committed
        return sent, position, self._closed

    # The consumer's side

    def _check_open(self) -> None:
        if self._closed:
            message = f"channel {self.name!r} was closed by this actor: send before mark_closed()"
            raise ClosedByMe(message)
        if self.is_peer_gone():
            message = f"channel {self.name!r} has no consumer any more: it finished or was given up"
            raise PeerGone(message)

    def _hold(self, saturation: SendSaturation, fits: Callable[[], bool]) -> None:
        """Wait in the middle of the turn until `fits` answers True. Raises PeerGone."""
        if saturation is SendSaturation.WARN_THEN_AWAIT:
            logging.getLogger("steady_mp").warning("channel %s is full: waiting for room", self.name)
        self._turn.hold(self, lambda: fits() or self.is_peer_gone())
        self._check_open()

    def _refresh(self) -> None:
        self._head = self._words[layout.HEAD]
        order()
        self._head_position = self._words[layout.HEAD_POS]

    def has_room(self, count: int) -> bool:
        """Tell whether `count` more messages fit, by number; False once closed."""
        limit = self._capacity - count - self.position()
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
        wants_more = self._committed[0] < self._words[layout.WAKE_TAIL] < layout.NEVER
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
        return self.position() != self._committed[0] or self._closed != self._committed[2]

    def peer_waits(self) -> bool:
        """Tell whether the consumer sleeps until something that is staged here is committed."""
        wanted = self._words[layout.WAKE_TAIL]
        if wanted == layout.NEVER:
            return False
        # A consumer that waits for less than what was published has been rung already.
        return self._committed[0] < wanted <= self.position() or self._closed != self._committed[2]

    def is_urgent(self) -> bool:
        """Tell whether putting a commit off leaves the peer idle: a consumer that waits has nothing to do."""
        return self.peer_waits()

    def is_choked(self) -> bool:
        """Tell whether no room can come before a commit: all that fills the channel is staged, or is waited for."""
        published = self._committed[0]
        return (self._words[layout.HEAD] == published != self.position()) or self.peer_waits()

    def hold_back(self, *, here: bool) -> None:
        """Tell the consumer how far the tail will be (a closing is always news); `here` it waits for a later head."""
        if self.is_staged():
            closing = self._closed != self._committed[2]
            self._words[layout.TX_HELD] = layout.NEVER - 1 if closing else self.position()
        if here:
            order()
            self._words[layout.TX_STUCK] = self._armed  # the head that rings, whatever an earlier look has seen

    def let_go(self) -> None:
        """Hold nothing back any more."""
        self._words[layout.TX_STUCK] = 0  # first: who sees it set reads TX_HELD behind it
        order()
        self._words[layout.TX_HELD] = 0

    def publish(self, cursor: CursorWords) -> None:
        """Show the consumer what was committed."""
        self._before = self._committed
        self._committed = cursor
        publish_tx(self._words, cursor)

    def wants_ring(self) -> bool:
        """Tell, behind the fence that follows `publish`, whether that publish crossed what the consumer waits for."""
        wanted = self._words[layout.WAKE_TAIL]
        return wanted != layout.NEVER and crossed(self._before, self._committed, wanted)

    def settle(self, *, alone: bool) -> None:
        """See `Staging.settle`."""
        if alone:
            now, before = self._committed, self._before
            if now[0] - before[0] > self._burst:
                self._burst = min(now[0] - before[0], self._capacity)
            if now[1] - before[1] > self._bulk:
                self._bulk = min(now[1] - before[1], self._store.size)
        self._regrant()
        self._rests = True
        self._rest()
