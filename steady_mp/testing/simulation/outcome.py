"""What a simulated run came to, and what is raised where it came to something wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.supervisor.report import ActorReport, ChannelReport, Report
    from steady_mp.testing.simulation.dice import Crash
    from steady_mp.testing.simulation.trace import Trace

R = TypeVar("R", "ActorReport", "ChannelReport")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A simulated run that ended well.

    `states` holds each actor's state as of its last commit, the object itself: a list of them where an actor was
    handed several, in the order of their declaration; None for one that was never acquired, and where there is
    none. `lines` are what the actors logged and printed, with who did. `crashes` are those that struck. `report`
    is what a real run gives, `trace` all that happened; ``str(trace)`` is the same for the same seed. `switches`
    counts how often somebody was disturbed.
    """

    seed: int
    states: dict[str, Any]
    lines: list[tuple[str, str]]
    crashes: list[Crash]
    report: Report
    trace: Trace
    steps: int
    switches: int

    def actor(self, name: str) -> ActorReport:
        """Return what the report says of one actor. Raises ConfigurationError for one that there is not."""
        return self._called(name, self.report.actors, "actor")

    def sent(self, channel: str) -> int:
        """Return how many messages a channel has carried. Raises ConfigurationError for one that there is not."""
        return self._called(channel, self.report.channels, "channel").sent

    def printed(self, actor: str) -> list[str]:
        """Return what one actor logged and printed. Raises ConfigurationError for one that there is not."""
        self.actor(actor)
        return [text for name, text in self.lines if name == actor]

    def _called(self, name: str, found: Sequence[R], kind: str) -> R:
        for each in found:
            if each.name == name:
                return each
        names = ", ".join(each.name for each in found)
        message = f"no {kind} {name!r} in graph {self.report.graph!r}: there are {names}"
        raise ConfigurationError(message)


class SimulationFailed(AssertionError):
    """A simulated run went wrong. The message has the seed, the shrunk trace and the call that replays it.

    `kind` is ``"deadlock"``, ``"lost wake-up"``, ``"gave up"``, ``"endless"``, ``"refused"`` (somebody did
    not stop in time), ``"broken"`` (a channel or a journal says what can't be) or ``"check"`` (the result
    is wrong).
    """

    def __init__(self, kind: str, text: str) -> None:
        """Say what went wrong; the rest is added by whoever knows it."""
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text
        self.seed = 0
        self.trace: Trace | None = None
        self.crashes: list[Crash] = []
        self.switches: list[int] = []
