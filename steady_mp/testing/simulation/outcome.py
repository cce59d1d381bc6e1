"""What a simulated run came to, and what is raised where it came to something wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steady_mp.supervisor.report import ActorReport, Report
    from steady_mp.testing.simulation.dice import Crash
    from steady_mp.testing.simulation.trace import Trace


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
        """Return what the report says of one actor."""
        return next(actor for actor in self.report.actors if actor.name == name)

    def sent(self, channel: str) -> int:
        """Return how many messages a channel has carried."""
        return next(each.sent for each in self.report.channels if each.name == channel)

    def printed(self, actor: str) -> list[str]:
        """Return what one actor logged and printed."""
        return [text for name, text in self.lines if name == actor]


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
