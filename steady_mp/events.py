"""What happens in a run, as one typed stream.

The log line, the report, and later the dashboard are consumers of it. A consumer that raises is dropped.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events: one sentence, and how important it is."""

    level: ClassVar[int] = logging.INFO

    @property
    def text(self) -> str:
        """The event as one sentence."""
        return type(self).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """All processes were asked for."""

    level: ClassVar[int] = logging.DEBUG
    graph: str
    actors: int
    directory: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"{self.graph} starts with {self.actors} actors in {self.directory}"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePutAside(Event):
    """An actor kept dying with a message in hand, so it is passed over; `policy` says what became of it."""

    level: ClassVar[int] = logging.ERROR
    actor: str
    channel: str
    position: int
    deaths: int
    cause: str
    policy: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        what = {
            "skip": "it is dropped, as the channel's policy says",
            "replay": "it goes back to the dead letters",
        }.get(self.policy, "it is put aside (steady-mp dead-letters show)")
        when = f"in hand at {self.deaths} deaths in a row" if self.deaths else "to be skipped"
        cause = self.cause.partition("\n")[0]
        why = f" ({cause})" if cause else ""
        return f"{self.actor}: message {self.position} of {self.channel} was {when}{why}; {what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowstopperMet(Event):
    """The graph stops over a message that its receiver keeps dying with, because the channel's policy is to stop."""

    level: ClassVar[int] = logging.ERROR
    actor: str
    reason: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersReplayed(Event):
    """Dead letters have been delivered after all, and their receiver has committed it."""

    actor: str
    channel: str
    letters: int

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"{self.actor} has taken {self.letters} dead letters of {self.channel} that were replayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersLeft(Event):
    """The run is over and has dead letters that nobody has replayed."""

    level: ClassVar[int] = logging.WARNING
    letters: int
    place: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"{self.letters} dead letters are left: {self.place} (steady-mp dead-letters list)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosBegan(Event):
    """A monkey is loose: `rate` strikes a second, a share `freeze` of them does not kill; `seed` repeats its dice."""

    rate: float
    freeze: float
    seed: int

    @property
    def text(self) -> str:
        """See `Event.text`."""
        frozen = f", {self.freeze:.0%} of them freeze" if self.freeze else ""
        return f"chaos: {self.rate:g} strikes a second{frozen}, seed {self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosKilled(ActorDied):
    """A life that chaos has ended; no failure of the actor's. It is told when the death was seen."""

    level: ClassVar[int] = logging.INFO

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return (
            f"chaos killed {self.actor} in life {self.generation}; "
            f"life {self.generation + 1} goes on from commit {self.commit} at once"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosFroze(Event):
    """Chaos had stopped a life (SIGSTOP) for so many seconds; it is told when that is over."""

    actor: str
    generation: int
    seconds: float

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"chaos froze {self.actor} in life {self.generation} for {self.seconds:.2f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosEnded(Event):
    """The monkey keeps still: nobody is frozen by it any more, and every death that it caused was told."""

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return "chaos is over"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkServerDied(Event):
    """The process that forks the actors died, and the actors with it; all begin their next life."""

    level: ClassVar[int] = logging.WARNING
    cause: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"the fork server died ({self.cause}), and its actors with it; all go on from their last commits"


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryStarted(Event):
    """The process that shows the run to people and to Prometheus can be reached."""

    url: str
    note: str = ""

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"dashboard: {self.url}" + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryDied(Event):
    """The telemetry process died; the graph does not notice, and `pause` seconds later the next one begins."""

    level: ClassVar[int] = logging.WARNING
    cause: str
    pause: float

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"the telemetry process died ({self.cause}); the next one begins in {self.pause:.2f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleDeclared(Event):
    """The graph has a cycle of channels, which hold `capacity` messages together; told once, at the start."""

    level: ClassVar[int] = logging.WARNING
    actors: tuple[str, ...]
    channels: tuple[str, ...]
    capacity: int

    @property
    def text(self) -> str:
        """See `Event.text`."""
        way = " → ".join((*self.actors, self.actors[0]))
        return (
            f"a cycle of channels: {way}, with room for {self.capacity} messages; once it is full, all of it waits for "
            "room, so let fewer go round, or try_send where it closes"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleBlocked(Event):
    """Every actor of a cycle sleeps until there is room in the next one's channel; told once while that lasts."""

    level: ClassVar[int] = logging.ERROR
    actors: tuple[str, ...]
    channels: tuple[str, ...]

    @property
    def text(self) -> str:
        """See `Event.text`."""
        way = " → ".join((*self.actors, self.actors[0]))
        return (
            f"a deadlock: {way}: each of them waits for room in the next one's channel ({', '.join(self.channels)}), "
            "and all are full; give them more capacity, let fewer messages go round, or try_send where it closes"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised(Event):
    """A trigger that was declared for an actor or a channel holds."""

    level: ClassVar[int] = logging.WARNING
    kind: str
    subject: str
    color: str
    condition: str
    value: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"alert {self.color}: {self.kind} {self.subject}: {self.condition}, now {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCleared(Event):
    """The trigger of an alert does not hold any more."""

    kind: str
    subject: str
    color: str
    condition: str
    seconds: float

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"alert {self.color} is over after {self.seconds:.1f} s: {self.kind} {self.subject}: {self.condition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownRequested(Event):
    """The graph drains from now on."""

    reason: str
    seconds: float

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"shutdown: {self.reason}; draining, for at most {self.seconds:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownRefused(Event):
    """The time for the shutdown is over and an actor has not finished."""

    level: ClassVar[int] = logging.ERROR
    actor: str
    reason: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"{self.actor} did not stop in time: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownPostponed(Event):
    """The time for the shutdown is over, and begins anew once no debugger holds an actor any more."""

    level: ClassVar[int] = logging.WARNING
    actors: tuple[str, ...]

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"the shutdown waits for the debugger of {', '.join(self.actors)} (one more signal stops at once)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStopped(Event):
    """No process of the run is left."""

    clean: bool
    exit_code: int
    seconds: float

    @property
    def text(self) -> str:
        """See `Event.text`."""
        how = "drained" if self.clean else "stopped unclean"
        return f"{how} after {self.seconds:.1f} s, exit code {self.exit_code}"
