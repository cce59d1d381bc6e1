"""What happens to a run as a whole: its processes, channels and its end."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from steady_mp.events.event import Event


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
class ForkServerDied(Event):
    """The process that forks the actors died, and the actors with it; all begin their next life."""

    level: ClassVar[int] = logging.WARNING
    cause: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"the fork server died ({self.cause}), and its actors with it; all go on from their last commits"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkServerGivenUp(Event):
    """So many fork servers in a row have died, or could not be started, before one had forked anybody."""

    level: ClassVar[int] = logging.ERROR
    cause: str
    times: int

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"the fork server can't run ({self.cause}, {self.times} times in a row); the graph stops"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessDelayed(Event):
    """The system refuses a process, an actor's (by its name) or the fork server's, and is asked again.

    So it is where it refuses a pipe for the process's output. That is for as long as it takes for actors, and told once
    meanwhile; three times for the fork server.
    """

    level: ClassVar[int] = logging.WARNING
    process: str
    reason: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"no process for {self.process}: {self.reason}; the system is asked again"


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
