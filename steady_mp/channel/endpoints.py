"""The two ends of a channel, as a behavior sees them.

Verbs: ``send`` and ``take`` wait; ``try_send`` and ``try_take`` answer at once; ``wait_<condition>``
names what it waits for and is handed to one of the actor's ``await_`` methods. What is sent or taken
is staged: it holds, for everybody at once, from the actor's next commit on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.channel.waits import Condition

T = TypeVar("T")


class SendOutcome(Enum):
    """What became of a message handed to `Tx.try_send`."""

    SENT = "sent"
    FULL = "full"
    CLOSED = "closed"


class SendSaturation(Enum):
    """What `Tx.send` does about a full channel."""

    AWAIT_FOR_ROOM = "await for room"
    WARN_THEN_AWAIT = "warn, then await"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStatistics:
    """Facts about a channel as one of its ends sees them now, staged messages included."""

    name: str
    capacity: int
    ring_bytes: int
    sent: int
    taken: int
    in_flight: int
    bytes_in_flight: int
    closed: bool


class Tx(ABC, Generic[T]):
    """The sending end of a channel. Only a graph makes one, and exactly one actor owns it."""

    __slots__ = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """The channel's name."""

    @property
    @abstractmethod
    def capacity(self) -> int:
        """Most messages that the channel ever holds."""

    @abstractmethod
    def send(self, value: T, saturation: SendSaturation = SendSaturation.AWAIT_FOR_ROOM) -> None:
        """Stage `value`, as it is now, for the next commit.

        Blocks while the channel is full. That wait is no commit point as long as what the turn sent
        fits the channel; a turn that sends more commits early, and is then not atomic.

        Raises MessageTooLarge, NotPicklable, ClosedByMe, or PeerGone when the consumer has finished
        or was given up. With WARN_THEN_AWAIT a full channel is logged once before the wait.
        """

    @abstractmethod
    def try_send(self, value: T) -> SendOutcome:
        """Stage `value` if there is room; never blocks. Raises MessageTooLarge or NotPicklable."""

    @abstractmethod
    def send_slice(self, values: Sequence[T]) -> None:
        """Send all of `values` in order; blocks and raises like `send`.

        What it has sent before it raises is staged, and part of the turn.
        """

    @abstractmethod
    def vacant(self) -> int:
        """Messages that can be sent before the channel is full."""

    @abstractmethod
    def mark_closed(self) -> None:
        """Close the channel behind what was sent, in the next commit; sending afterwards is an error."""

    @abstractmethod
    def position(self) -> int:
        """Number of the next message to send, the same in every replay."""

    @abstractmethod
    def statistics(self) -> ChannelStatistics:
        """Return the channel's figures now."""

    @abstractmethod
    def wait_vacant(self, count: int) -> Condition:
        """Condition: at least `count` more messages fit (at most the capacity can be asked for)."""

    @abstractmethod
    def wait_empty(self) -> Condition:
        """Condition: the consumer has taken everything that was sent, and committed it."""

    def is_empty(self) -> bool:
        """Tell whether the consumer has taken everything that was sent."""
        return self.vacant() == self.capacity

    def is_full(self) -> bool:
        """Tell whether a send would wait."""
        return self.vacant() == 0


class Rx(ABC, Generic[T]):
    """The receiving end of a channel. Only a graph makes one, and exactly one actor owns it."""

    __slots__ = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """The channel's name."""

    @property
    @abstractmethod
    def capacity(self) -> int:
        """Most messages that the channel ever holds."""

    @abstractmethod
    def take(self) -> T:
        """Take the next message.

        Blocks while the channel is empty: at the start of a turn as a commit point, later in a turn
        without ending it. Raises EndOfStream when the channel is closed and empty.
        """

    @abstractmethod
    def try_take(self) -> T | None:
        """Take the next message, or None when there is none; never blocks."""

    @abstractmethod
    def take_slice(self, count: int) -> list[T]:
        """Take what is there, at most `count` messages; never blocks."""

    @abstractmethod
    def try_peek(self) -> T | None:
        """Return the next message without taking it, or None when there is none; never blocks."""

    @abstractmethod
    def peek_slice(self, count: int) -> list[T]:
        """Return the next messages without taking them, at most `count`; never blocks."""

    @abstractmethod
    def avail(self) -> int:
        """Messages that can be taken now."""

    @abstractmethod
    def is_closed_and_empty(self) -> bool:
        """Tell whether no message will ever come."""

    @abstractmethod
    def position(self) -> int:
        """Number of the next message to take, the same in every replay: dedupe effects on it.

        A dead letter that is replayed has the number that it had.
        """

    def is_showstopper(self, deaths: int) -> bool:  # noqa: ARG002 - an end without deaths knows of none
        """Tell whether the next message was in hand at `deaths` or more deaths of this actor in a row.

        For code that wants to decide itself, before the channel's `showstopper_after` does.
        """
        return False

    @abstractmethod
    def statistics(self) -> ChannelStatistics:
        """Return the channel's figures now."""

    @abstractmethod
    def wait_avail(self, count: int) -> Condition:
        """Condition: at least `count` messages can be taken (at most the capacity can be asked for)."""

    def is_empty(self) -> bool:
        """Tell whether a take would wait."""
        return self.avail() == 0

    def is_full(self) -> bool:
        """Tell whether the channel holds as many messages as it can."""
        return self.avail() == self.capacity
