"""What happens to an actor: its lives, and how they end."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from steady_mp.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorStarted(Event):
    """An actor's process exists; `commit` is the commit that it goes on from."""

    level: ClassVar[int] = logging.DEBUG
    actor: str
    generation: int
    pid: int
    commit: int

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"{self.actor} starts life {self.generation} as process {self.pid} from commit {self.commit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorDied(Event):
    """A life ended before the actor had finished; `pause` seconds later the next one begins."""

    level: ClassVar[int] = logging.WARNING
    actor: str
    generation: int
    cause: str
    pause: float
    commit: int
    #: Where it was, or how the cause is known.
    detail: str = ""
    #: The message in hand, as channel and position.
    in_hand: str = ""

    @property
    def text(self) -> str:
        """See `Event.text`."""
        when = "at once" if not self.pause else f"in {self.pause:.2f} s"
        return (
            f"{self.actor} died in life {self.generation} {_because(self.cause, self.detail, self.in_hand)}; "
            f"life {self.generation + 1} goes on from commit {self.commit} {when}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorReplayed(Event):
    """An actor ended its own life to repeat what it had put off; no failure."""

    actor: str
    generation: int
    reason: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"{self.actor} begins life {self.generation + 1}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorRecycled(Event):
    """An actor has ended its own life behind a commit, because it has passed a limit (`Recycle`); no failure."""

    actor: str
    generation: int
    reason: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"{self.actor} is recycled after life {self.generation}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunAnew(Event):
    """A durable run, or the state of an `actor` in it, has begun anew; what there was is in `kept`."""

    level: ClassVar[int] = logging.WARNING
    kept: str
    actor: str = ""

    @property
    def text(self) -> str:
        """See `Event.text`."""
        who = f"{self.actor} begins with a new state, where it stood in its channels" if self.actor else "begun anew"
        return f"{who}; what there was is kept in {self.kept}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorFinished(Event):
    """An actor's behavior has returned and its last commit holds."""

    level: ClassVar[int] = logging.DEBUG
    actor: str
    generation: int

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"{self.actor} has finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorGivenUp(Event):
    """An actor is not started again."""

    level: ClassVar[int] = logging.ERROR
    actor: str
    generation: int
    cause: str
    isolated: bool
    #: As those of `ActorDied`.
    detail: str = ""
    in_hand: str = ""

    @property
    def text(self) -> str:
        """See `Event.text`."""
        then = "the others go on without it" if self.isolated else "the graph stops"
        why = _because(self.cause, self.detail, self.in_hand)
        return f"{self.actor} is given up after life {self.generation} {why}; {then}"


def _because(cause: str, detail: str, in_hand: str) -> str:
    """Give the cause of a death in brackets, and what was in hand behind them."""
    return f"({', '.join(filter(None, (cause, detail)))})" + (f" with {in_hand} in hand" if in_hand else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorStalled(Event):
    """An actor has not looked up for longer than its `stall_timeout`, or stood still (SIGSTOP): it is killed."""

    level: ClassVar[int] = logging.WARNING
    actor: str
    generation: int
    seconds: float
    limit: float
    #: The top frame of its stack; empty for one that stood still, which can't say it.
    where: str
    stopped: bool

    @property
    def text(self) -> str:
        """See `Event.text`."""
        how = "stopped (SIGSTOP)" if self.stopped else "stuck in its own code"
        where = f", at {self.where}" if self.where else ""
        return (
            f"{self.actor} is {how} for {self.seconds:.1f} s in life {self.generation}{where}; "
            f"it is killed (stall_timeout {self.limit:g} s)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorRevived(Event):
    """An actor that was given up begins another life, because somebody asked for it."""

    level: ClassVar[int] = logging.WARNING
    actor: str
    generation: int

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"{self.actor} is revived: life {self.generation + 1} goes on from its last commit"
