"""Running a graph to its end, and what its control blocks say then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steady_mp.events import RunStopped
from steady_mp.memory import layout
from tests.support.gates import Lines
from tests.support.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Event, Graph, Report, Run
    from steady_mp.supervisor.report import ActorReport

_PATIENCE = 30.0
_COUNTERS = ("TURNS", "PARKS", "RESCUES", "EARLY_COMMITS", "PHASE", "EPOCH", "UNGROUPED")
_CURSORS = ("TAIL", "HEAD", "WAKE_TAIL", "WAKE_HEAD", "TX_CLOSED", "RX_CLOSED")


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


def counters(run: Run) -> dict[str, dict[str, int]]:
    """Read the words that each actor keeps about itself; only while the run goes on."""
    return {
        seat.name: {name: seat.control.words[getattr(layout, name)] for name in _COUNTERS}
        for seat in run._supervisor.seats
    }


def describe(run: Run) -> str:
    """Say where everybody stands, for the message of a test that waited in vain."""
    if run._ended.is_set():
        return f"it has ended: {run._report}"
    lines = [f"{name}: {words}" for name, words in counters(run).items()]
    for plan, mapping in zip(run._plan.channels, run._channels, strict=True):
        cursors = {name: mapping.words[getattr(layout, name)] for name in _CURSORS}
        lines.append(f"{plan.name}: {cursors}".replace(str(layout.NEVER), "never"))
    return "\n".join(lines)


def complete(
    graph: Graph,
    seconds: float = _PATIENCE,
    meanwhile: Callable[[Run, Watch], None] | None = None,
    output: Lines | None = None,
) -> Outcome:
    """Run `graph` until it has ended by itself; `meanwhile` is called once it has started."""
    output = output or Lines()
    last: dict[str, dict[str, int]] = {}
    watch = Watch()

    def on_event(event: Event) -> None:
        if isinstance(event, RunStopped):  # the last moment at which the control blocks are mapped
            last.update(counters(run))
        watch(event)

    with graph.start(on_event=on_event, output=output) as run:
        try:
            if meanwhile is not None:
                meanwhile(run, watch)
            report = run.block_until_stopped(seconds)
        except (AssertionError, TimeoutError, ValueError) as error:
            message = "\n".join([str(error), describe(run), *output.all()[-100:]])
            raise AssertionError(message) from error
    return Outcome(report, last, "\n".join(output.all()), watch)
