"""Killed at random times, at each of several cadences: commits that are spaced lose nothing and double nothing."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from steady_mp import CommitEvery, ExitCode, Graph, RestartPolicy
from steady_mp.events import ActorStarted
from tests.support import pipeline
from tests.support.runs import complete
from tests.support.waiting import let_pass

if TYPE_CHECKING:
    from steady_mp import Run
    from tests.support.watch import Watch

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(60)]

PLACES = ("source", "middle", "sink")
KILLS = 15
ENDLESS = 1 << 40
UNTIRING = RestartPolicy(backoff=0.0, max_backoff=0.0, threshold=500.0)
CADENCES = {
    "a turn": CommitEvery(seconds=10.0, turns=1),
    "seven turns": CommitEvery(seconds=10.0, turns=7),
    "a millisecond": CommitEvery(seconds=0.001),
    "a fiftieth second": CommitEvery(seconds=0.02),
    "both": CommitEvery(seconds=0.005, turns=100),
}


def build(cadences: tuple[CommitEvery | None, ...]) -> Graph:
    graph = Graph("cadences", log_level="error")
    numbers_tx, numbers_rx = graph.channel(64)
    results_tx, results_rx = graph.channel(64)
    source, middle, sink = cadences
    graph.actor("source", pipeline.source, numbers_tx, ENDLESS, 1, graph.state(), restart=UNTIRING, commit_every=source)
    graph.actor(
        "middle", pipeline.middle, numbers_rx, results_tx, 1, graph.state(), restart=UNTIRING, commit_every=middle
    )
    graph.actor("sink", pipeline.sink, results_rx, 1, graph.state(), restart=UNTIRING, commit_every=sink)
    return graph


@pytest.mark.parametrize("name", CADENCES)
@pytest.mark.parametrize("where", ["everywhere", "in the middle"])
def test_any_kills_at_any_cadence(name: str, where: str) -> None:
    every = CADENCES[name]
    graph = build((every, every, every) if where == "everywhere" else (None, every, None))
    dice = random.Random(name + where)

    def kill_and_drain(run: Run, watch: Watch) -> None:
        lives = dict.fromkeys(PLACES, 1)
        for place in PLACES:
            watch.wait_for(ActorStarted, actor=place, generation=1)
        for _ in range(KILLS):
            let_pass(dice.uniform(0.0, 0.03))  # the times of the kills are what is tried
            place = dice.choice(PLACES)
            run.kill(place)
            lives[place] += 1
            watch.wait_for(ActorStarted, actor=place, generation=lives[place])
        run.request_shutdown()

    outcome = complete(graph, meanwhile=kill_and_drain)
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    total = outcome.actor("source").state["following"]
    assert outcome.actor("sink").state["seen"] == list(range(total))
    assert outcome.actor("middle").state["total"] == sum(value * (value + 1) for value in range(total))
    assert not outcome.rescues
