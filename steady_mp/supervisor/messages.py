"""Every message that the supervisor's loop handles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.events import Event


@dataclass(frozen=True, slots=True)
class Spawned:
    """The fork server has forked an actor."""

    actor: int
    pid: int


@dataclass(frozen=True, slots=True)
class Exited:
    """A process of an actor is gone; `status` is its exit code, or minus the signal.

    `peak` is the most memory that it had, in bytes, and `cpu` its processor time in seconds.
    """

    actor: int
    pid: int
    status: int
    peak: int | None = None
    cpu: float | None = None


@dataclass(frozen=True, slots=True)
class ForkServerGone:
    """The fork server's connection is closed."""


@dataclass(frozen=True, slots=True)
class ForkServerDue:
    """The pause before the next try to start a fork server is over."""


@dataclass(frozen=True, slots=True)
class Rung:
    """An actor, or another thread of this process, wants to be looked at."""


@dataclass(frozen=True, slots=True)
class RequestShutdown:
    """Drain the graph."""

    reason: str


@dataclass(frozen=True, slots=True)
class StopNow:
    """Kill everything."""

    reason: str


@dataclass(frozen=True, slots=True)
class Kill:
    """Send a signal to an actor's present life."""

    actor: int
    number: int


@dataclass(frozen=True, slots=True)
class Strike:
    """Chaos: kill the first of these actors that may be hit, or stop it for `freeze` seconds."""

    actors: tuple[int, ...]
    freeze: float


@dataclass(frozen=True, slots=True)
class Thaw:
    """The time for which chaos has stopped a life is over."""

    actor: int
    generation: int


@dataclass(frozen=True, slots=True)
class Truce:
    """Chaos: thaw everybody, and tell when the last death that it caused was seen."""


@dataclass(frozen=True, slots=True)
class Announce:
    """Something that another thread saw belongs into the stream of events."""

    event: Event


@dataclass(frozen=True, slots=True)
class Beat:
    """Call somebody, and again every so many seconds: who is called knows that the loop goes round."""

    call: Callable[[], None]
    seconds: float


@dataclass(frozen=True, slots=True)
class RestartDue:
    """The pause before an actor's next life is over."""

    actor: int


@dataclass(frozen=True, slots=True)
class KillDeadlineReached:
    """What was killed should be gone by now."""


@dataclass(frozen=True, slots=True)
class LastWords:
    """What a life that is over has said last, line by line."""

    actor: int
    generation: int
    lines: list[str]


@dataclass(frozen=True, slots=True)
class LookForStalls:
    """It is time to look whether an actor is stuck."""


@dataclass(frozen=True, slots=True)
class StackDue:
    """A life that is stuck was asked for its stack, and should have answered."""

    actor: int
    generation: int


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    """The time for the shutdown is over."""


Message = (
    Spawned
    | Exited
    | ForkServerGone
    | ForkServerDue
    | Rung
    | RequestShutdown
    | StopNow
    | Kill
    | Strike
    | Thaw
    | Truce
    | Announce
    | Beat
    | RestartDue
    | LastWords
    | LookForStalls
    | StackDue
    | DeadlineReached
    | KillDeadlineReached
)
