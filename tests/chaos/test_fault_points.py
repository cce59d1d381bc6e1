"""Die at every named point of commit, recovery, publish, park and start, in each place of a pipeline.

Whatever happens: each message arrives once, in order, each state says so, and nobody needed the safety time-out.
"""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ExitCode, Graph, RestartPolicy
from steady_mp.events import ActorStarted
from tests.support import pipeline, views
from tests.support.runs import Outcome, complete

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Run
    from tests.support.watch import Watch

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(60)]

START = ("start:begin", "start:mapped", "recover:publish", "start:recovered", "start:ready")
COMMIT = (
    "commit:begin",
    "commit:records",
    "commit:snapshot",
    "commit:journal",
    "commit:epoch",
    "commit:publish",
    "commit:published",
    "commit:ring",
    "commit:done",
)
PARK = ("park:armed", "park:sleep", "park:woke")
PLACES = ("source", "middle", "sink")
ENDLESS = 1 << 40
AT_ONCE = RestartPolicy(backoff=0.0, max_backoff=0.0, threshold=500.0)


@dataclass(frozen=True)
class Shape:
    """How the three actors work, and what must come out of the first `total` numbers."""

    capacity: int
    expected: Callable[[int], list[int]] = lambda total: list(range(total))
    source: Callable[..., None] = pipeline.source
    middle: Callable[..., None] = pipeline.middle
    sink: Callable[..., None] = pipeline.sink
    burst: int = 1
    batch: int = 1
    gulp: int = 1
    torn: bool = False
    hit: int = 2
    dtype: Any = None
    """What the items of lanes are; without it the channels carry objects."""
    spared: tuple[str, str] = ("", "")
    """A place, and the point that it never comes to."""

    def build(self, total: int = ENDLESS) -> Graph:
        graph = Graph("faults", log_level="error")
        numbers_tx, numbers_rx = graph.channel(self.capacity, dtype=self.dtype)
        results_tx, results_rx = graph.channel(self.capacity, dtype=self.dtype)
        graph.actor("source", self.source, numbers_tx, total, self.burst, graph.state(), restart=AT_ONCE)
        graph.actor("middle", self.middle, numbers_rx, results_tx, self.batch, graph.state(), restart=AT_ONCE)
        graph.actor("sink", self.sink, results_rx, self.gulp, graph.state(), restart=AT_ONCE)
        return graph

    def check(self, outcome: Outcome) -> None:
        assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
        total = outcome.actor("source").state["following"]
        assert outcome.actor("sink").state["seen"] == self.expected(total)
        middle = outcome.actor("middle").state
        assert middle["count"] == total
        assert middle["total"] == sum(value * (value + 1) for value in range(total))
        assert not outcome.rescues, outcome.counters
        torn = {name: words["EARLY_COMMITS"] for name, words in outcome.counters.items() if words["EARLY_COMMITS"]}
        assert bool(torn) == self.torn, torn


SHAPES = {
    "one": Shape(1),
    "two": Shape(2),
    "wide": Shape(64, hit=20),  # beyond the turns that each life commits alone
    "bursts": Shape(8, burst=5, batch=3, gulp=4),
    "blocking": Shape(
        4,
        burst=2,
        batch=2,
        source=pipeline.blocking_source,
        middle=pipeline.blocking_middle,
        sink=pipeline.blocking_sink,
    ),
    "fans": Shape(7, lambda total: list(pipeline.fanned(total, 7)), middle=pipeline.fanning_middle, gulp=3),
    "floods": Shape(
        3,
        lambda total: list(pipeline.flooded(total, 3 + 4)),
        middle=pipeline.flooding_middle,
        batch=4,
        torn=True,
        spared=("source", "commit:ring"),  # the middle always has something to do
    ),
    "lanes": Shape(8, burst=5, batch=3, gulp=4, dtype="q"),
    "views": Shape(
        7,  # so that a stretch of 3 wraps now and then
        source=views.source,
        middle=views.middle,
        sink=views.sink,
        burst=3,
        batch=2,
        gulp=3,
        dtype="q",
    ),
    "pairs": Shape(1, sink=pipeline.blocking_sink, gulp=2, torn=True),
    "overfull": Shape(2, source=pipeline.blocking_source, burst=5, torn=True),
}


def die(point: str, hit: int, *generations: int) -> dict[str, Any]:
    return {"point": point, "hit": hit, "generations": list(generations)}


def survive(shape: Shape, faults: dict[str, list[dict[str, Any]]]) -> None:
    """Run until every planned death has happened, drain, and see that nothing shows of them."""
    graph = shape.build()
    graph.faults.update(faults)
    planned = {place: sum(len(fault["generations"]) for fault in plan) for place, plan in faults.items()}

    def wait_and_drain(run: Run, watch: Watch) -> None:
        for place, count in planned.items():
            watch.wait_for(ActorStarted, actor=place, generation=count + 1)
        run.request_shutdown()

    outcome = complete(graph, meanwhile=wait_and_drain)
    assert {actor.name: actor.deaths for actor in outcome.report.actors if actor.deaths} == {
        place: ["SIGKILL"] * count for place, count in planned.items()
    }
    shape.check(outcome)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_calm(shape: Shape) -> None:
    outcome = complete(shape.build(total=300))
    assert all(not actor.deaths for actor in outcome.report.actors)
    shape.check(outcome)


@pytest.mark.parametrize("place", PLACES)
def test_twice_in_a_row_and_again_while_the_next_life_starts(place: str) -> None:
    """Four deaths for each point before the actor gets on: twice at it, then on both sides of the recovery."""
    lives = itertools.count(1)
    faults = []
    for point in (*COMMIT, *PARK):
        faults.append(die(point, 2, next(lives), next(lives)))
        faults += [die("recover:publish", 1, next(lives)), die("start:recovered", 1, next(lives))]
    survive(SHAPES["one"], {place: faults})


def test_all_three_at_the_same_point() -> None:
    lives = itertools.count(1)
    faults = [die(point, 1 if point in START else 3, next(lives), next(lives)) for point in (*START, *COMMIT, *PARK)]
    survive(SHAPES["two"], {place: copy.deepcopy(faults) for place in PLACES})


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_life_for_every_point(shape: Shape, place: str) -> None:
    """Each life dies at the point after the one that the life before died at, whatever the turns look like."""
    hits = {**dict.fromkeys(COMMIT, shape.hit), **dict.fromkeys(PARK, 2), **dict.fromkeys(START, 1)}
    if shape.spared[0] == place:
        del hits[shape.spared[1]]
    survive(shape, {place: [die(point, hits[point], life) for life, point in enumerate(hits, start=1)]})
