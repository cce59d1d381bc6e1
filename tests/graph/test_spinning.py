"""Actors that look before they sleep, in processes: the same result, also when they are killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph, RestartPolicy, WaitStrategy
from steady_mp.events import ActorStarted
from tests.support import pipeline
from tests.support.runs import complete

if TYPE_CHECKING:
    from steady_mp import Run
    from tests.support.watch import Watch

pytestmark = pytest.mark.timeout(60)

ENDLESS = 1 << 40
UNTIRING = RestartPolicy(backoff=0.0, max_backoff=0.0, threshold=50.0)
LOOKING = WaitStrategy(spin=0.001)


def test_killed_actors_that_look_lose_nothing() -> None:
    graph = Graph("looking", log_level="error")
    numbers_tx, numbers_rx = graph.channel(2)
    results_tx, results_rx = graph.channel(2)
    graph.actor(
        "source", pipeline.source, numbers_tx, ENDLESS, 1, graph.state(), restart=UNTIRING, wait_strategy=LOOKING
    )
    graph.actor(
        "middle", pipeline.middle, numbers_rx, results_tx, 1, graph.state(), restart=UNTIRING, wait_strategy=LOOKING
    )
    graph.actor("sink", pipeline.sink, results_rx, 1, graph.state(), restart=UNTIRING, wait_strategy=LOOKING)

    def kill_and_drain(run: Run, watch: Watch) -> None:
        for life in range(1, 6):
            for place in ("middle", "source", "sink"):
                watch.wait_for(ActorStarted, actor=place, generation=life)
                run.kill(place)
        for place in ("middle", "source", "sink"):
            watch.wait_for(ActorStarted, actor=place, generation=6)
        run.request_shutdown()

    outcome = complete(graph, meanwhile=kill_and_drain)
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    total = outcome.actor("source").state["following"]
    assert outcome.actor("sink").state["seen"] == list(range(total))
    assert not outcome.rescues
