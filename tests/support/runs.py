"""Running a graph to its end, and what its control blocks say then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steady_mp.testing.positions import counters
from steady_mp.testing.under_test import GraphUnderTest

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import ActorReport, Graph, Report, Run
    from tests.support.gates import Lines
    from tests.support.watch import Watch

__all__ = ["Outcome", "complete", "counters"]

_PATIENCE = 30.0


@dataclass
class Outcome:
    """What a run came to: its report, its actors' counters, and its log."""

    report: Report
    counters: dict[str, dict[str, int]]
    log: str
    watch: Watch

    def actor(self, name: str) -> ActorReport:
        return next(actor for actor in self.report.actors if actor.name == name)

    @property
    def rescues(self) -> dict[str, int]:
        """Actors that only the safety time-out has woken: a lost ring, however well the run went otherwise."""
        return {name: words["RESCUES"] for name, words in self.counters.items() if words["RESCUES"]}


def complete(
    graph: Graph,
    seconds: float = _PATIENCE,
    meanwhile: Callable[[Run, Watch], None] | None = None,
    output: Lines | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Run `graph` until it has ended by itself; `meanwhile` is called once it has started.

    `watch` is told every event, the first ones too.
    """
    made = GraphUnderTest(graph, output=output)
    made.events = watch or made.events
    with made as under_test:
        if meanwhile is not None:
            meanwhile(under_test.run, under_test.events)
        report = under_test.finish(seconds, rescued=True)  # what must not be rescued is for each test to say
    return Outcome(report, under_test.counters, "\n".join(under_test.log.all()), under_test.events)
