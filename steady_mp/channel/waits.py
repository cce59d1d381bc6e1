"""What an end of a channel can be waited for, and how a sleeping actor asks to be woken for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from steady_mp.memory.control import CursorWords


class End(Protocol):
    """What a wait and a turn need of either end of a channel."""

    @property
    def sends(self) -> bool:
        """Whether this is the sending end."""

    def charge(self, nanoseconds: int) -> None:
        """Account for time that was waited for room here."""

    @property
    def capacity(self) -> int:
        """Most messages that the channel holds."""

    def arm(self, target: int) -> None:
        """Ask the peer to ring once its cursor reaches `target`."""

    def arm_change(self) -> None:
        """Ask the peer to ring at its next move."""

    def disarm(self) -> None:
        """Ask for nothing any more."""

    def is_overtaken(self) -> bool:
        """Tell whether the peer's cursor has reached what was armed, so that no ring may come for it."""

    def mark(self) -> tuple[int, ...]:
        """Return what changes whenever either end moves; the first is the number at which this one stands."""

    def is_choked(self) -> bool:
        """Tell whether nothing can change here before this actor commits what is staged here."""

    def peer_waits(self) -> bool:
        """Tell whether the peer sleeps until something that is staged here is committed."""

    def hold_back(self, *, here: bool) -> None:
        """Tell the peer what is staged here, so that it rings when it comes to need it.

        `here` says that this is the end whose peer has to move before this actor does anything else.
        """

    def let_go(self) -> None:
        """Take back what `hold_back` told."""

    def peer_must_know(self) -> bool:
        """Tell whether the peer has to be rung before this sleep: each would wait for the other."""


def crossed(before: CursorWords, now: CursorWords, wanted: int) -> bool:
    """Tell whether a publish from `before` to `now` is what a peer that sleeps until `wanted`, not NEVER, waits for."""
    return before[0] < wanted <= now[0] or before[2] != now[2]


class Pace(Protocol):
    """What the ends of a channel need of the turn that they are staged in."""

    #: The turn has staged something.
    touched: bool
    #: The ends that the next commit has to look at, in the order in which they came to it. Each end says so whenever it
    #: looks at its peer's cursors to stage something; what it stages without a look, it stages behind such a one.
    moved: dict[Any, None]
    #: Commits are spaced on purpose: an input that has run dry is no reason for one.
    spaced: bool

    def call_for_commit(self) -> None:
        """Make the next `is_running` commit: an end has run dry, or enough is staged."""

    def hold(self, end: End, ready: Callable[[], bool]) -> None:
        """Wait inside a turn, without ending it, until `ready` answers True."""

    def pause(self, condition: Condition) -> None:
        """Wait until the condition holds or can't hold any more; a commit point."""


class Alarm:
    """What a sleeping actor is to be woken by, collected from the conditions that it waits for."""

    __slots__ = ("asks_again", "blocked", "deadline", "ends", "fds", "gives_way", "has_choice")

    def __init__(self) -> None:
        """Start with nothing: a sleep without end."""
        self.deadline: float | None = None
        self.fds: list[int] = []
        self.ends: list[End] = []
        #: One of several things ends the sleep: whoever looks for deadlocks must not take any of them for needed.
        self.has_choice = False
        #: What is put off will be committed, or undone, by a time: nobody who waits for that stands still.
        self.gives_way = False
        #: Something may end the wait that rings nobody: whoever slept long has to be asked all of it again.
        self.asks_again = False
        #: The sending end that lacks the room that is waited for; the first one of several.
        self.blocked: End | None = None

    def at(self, moment: float) -> None:
        """Wake at `moment` of the actor's clock at the latest."""
        if self.deadline is None or moment < self.deadline:
            self.deadline = moment


class Condition(ABC):
    """Something an actor can wait for. Conditions nest: see `all_of` and `any_of`."""

    __slots__ = ()

    #: Whether `passed` has anything to note. What is asked most has it in a slot, which is read in half of the time.
    counts: bool = False

    @property
    @abstractmethod
    def key(self) -> Hashable:
        """What makes two conditions the same question."""

    @abstractmethod
    def holds(self) -> bool:
        """Tell whether it holds now."""

    def impossible(self) -> bool:
        """Tell whether it can never hold any more."""
        return False

    @abstractmethod
    def arm(self, alarm: Alarm) -> None:
        """Arrange to be woken when it may hold."""

    def passed(self) -> None:  # noqa: B027 - most conditions have nothing to note
        """Take note that a wait ended because it held."""


class Avail(Condition):
    """At least `count` messages can be taken."""

    __slots__ = ("count", "counts", "rx")

    def __init__(self, rx: Receiving, count: int) -> None:
        """Wait for `count` messages, at most the capacity."""
        self.rx = rx
        self.count = min(count, rx.capacity)
        self.counts = False

    @property
    def key(self) -> Hashable:
        """See `Condition.key`."""
        return ("avail", id(self.rx), self.count)

    def holds(self) -> bool:
        """See `Condition.holds`."""
        return self.rx.has(self.count)

    def impossible(self) -> bool:
        """Tell whether the channel is closed with too few messages left, or too full to get more."""
        rx = self.rx
        if rx.may_get_more():
            return False
        return (rx.is_closed() or rx.is_starved(self.count)) and not rx.has(self.count)

    def arm(self, alarm: Alarm) -> None:
        """Be woken when the tail reaches what is needed."""
        self.rx.arm(self.rx.position() + self.count)
        alarm.ends.append(self.rx)


class Vacant(Condition):
    """At least `count` more messages fit."""

    __slots__ = ("count", "counts", "tx")

    def __init__(self, tx: Sending, count: int) -> None:
        """Wait for room for `count` messages, at most the capacity."""
        self.tx = tx
        self.count = min(count, tx.capacity)
        self.counts = False

    @property
    def key(self) -> Hashable:
        """See `Condition.key`."""
        return ("vacant", id(self.tx), self.count)

    def holds(self) -> bool:
        """See `Condition.holds`."""
        return self.tx.has_room(self.count)

    def impossible(self) -> bool:
        """Tell whether the channel is closed at either end."""
        return self.tx.is_closed()

    def arm(self, alarm: Alarm) -> None:
        """Be woken when the head leaves enough room; of a closed channel there is nothing to hear."""
        if self.tx.is_closed():
            return
        self.tx.arm(self.tx.position() + self.count - self.tx.capacity)
        alarm.ends.append(self.tx)
        if alarm.blocked is None and not self.holds():
            alarm.blocked = self.tx


class Empty(Condition):
    """The consumer has taken everything that was sent."""

    __slots__ = ("tx",)

    def __init__(self, tx: Sending) -> None:
        """Wait for the channel behind `tx` to run empty."""
        self.tx = tx

    @property
    def key(self) -> Hashable:
        """See `Condition.key`."""
        return ("empty", id(self.tx))

    def holds(self) -> bool:
        """See `Condition.holds`."""
        return self.tx.is_empty()

    def impossible(self) -> bool:
        """Tell whether the consumer is gone."""
        return self.tx.is_peer_gone() and not self.holds()

    def arm(self, alarm: Alarm) -> None:
        """Be woken when the head reaches the tail."""
        self.tx.arm(self.tx.position())
        alarm.ends.append(self.tx)


class Receiving(End, Protocol):
    """The receiving end as `Avail` sees it."""

    def has(self, count: int) -> bool:
        """Tell whether so many messages can be taken."""

    def may_get_more(self) -> bool:
        """Tell at one look that the producer has neither closed the channel nor got stuck; False says nothing."""

    def is_closed(self) -> bool:
        """Tell whether the producer closed the channel."""

    def is_starved(self, count: int) -> bool:
        """Tell whether `count` messages can't be there before some are taken."""

    def position(self) -> int:
        """Number of the next message to take."""


class Sending(End, Protocol):
    """The sending end as `Vacant` and `Empty` see it."""

    def is_empty(self) -> bool:
        """Tell whether the consumer has taken everything that was sent."""

    def has_room(self, count: int) -> bool:
        """Tell whether so many more messages fit."""

    def is_closed(self) -> bool:
        """Tell whether nothing can be sent any more."""

    def is_peer_gone(self) -> bool:
        """Tell whether the consumer will take nothing any more."""

    def position(self) -> int:
        """Number of the next message to send."""
