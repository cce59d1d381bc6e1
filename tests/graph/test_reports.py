"""The figures of a report against each other, and against what is known to have happened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph, RestartPolicy
from steady_mp.events import ActorDied, ActorFinished, ActorStarted, RunStarted, RunStopped
from steady_mp.memory import layout
from tests.support import pipeline
from tests.support.runs import Outcome, complete
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from steady_mp import Run
    from tests.support.watch import Watch

pytestmark = pytest.mark.timeout(60)

ENDLESS = 1 << 40


def build(total: int) -> Graph:
    graph = Graph("figures", log_level="error")
    policy = RestartPolicy(backoff=0.0, max_backoff=0.0)
    numbers_tx, numbers_rx = graph.channel(8, name="numbers")
    results_tx, results_rx = graph.channel(4)
    graph.actor("source", pipeline.source, numbers_tx, total, 1, graph.state(), restart=policy)
    graph.actor("middle", pipeline.middle, numbers_rx, results_tx, 1, graph.state(), restart=policy)
    graph.actor("sink", pipeline.sink, results_rx, 1, graph.state(), restart=policy)
    return graph


def check(outcome: Outcome) -> None:
    """See that nothing in the report contradicts anything else in it, or the events."""
    report, watch = outcome.report, outcome.watch
    for actor in report.actors:
        started = [event for event in watch.all_of(ActorStarted) if event.actor == actor.name]
        assert [event.generation for event in started] == list(range(1, actor.generation + 1))
        assert [event.commit for event in started] == sorted(event.commit for event in started)
        assert actor.restarts == actor.generation - 1 >= len(actor.deaths)
        assert actor.deaths == [event.cause for event in watch.all_of(ActorDied) if event.actor == actor.name]
        assert actor.finished == any(event.actor == actor.name for event in watch.all_of(ActorFinished))
    for channel in report.channels:
        assert channel.in_flight == channel.sent - channel.taken
        assert 0 <= channel.in_flight <= channel.capacity
    assert report.clean == (report.exit_code is ExitCode.DRAINED) == all(actor.finished for actor in report.actors)
    assert report.clean == (not report.why)
    (stopped,) = watch.all_of(RunStopped)
    assert (stopped.clean, stopped.exit_code, stopped.seconds) == (report.clean, report.exit_code, report.wall_time)
    assert isinstance(watch.seen[0], RunStarted)
    assert watch.seen[-1] is stopped
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()


def test_a_clean_run() -> None:
    outcome = complete(build(500))
    check(outcome)
    report = outcome.report.to_dict()
    assert report["channels"] == [
        {"name": "numbers", "from": "source", "to": "middle", "capacity": 8, "sent": 500, "taken": 500, "in_flight": 0},
        {
            "name": "middle→sink",
            "from": "middle",
            "to": "sink",
            "capacity": 4,
            "sent": 500,
            "taken": 500,
            "in_flight": 0,
        },
    ]
    assert [actor["state"] for actor in report["actors"]] == [
        {"following": 500},
        {"count": 500, "total": sum(value * (value + 1) for value in range(500))},
        {"seen": list(range(500))},
    ]
    assert 0 < report["wall_time"] < 30
    assert report["exit_code"] == 0
    assert report["graph"] == "figures"


def test_a_run_with_deaths() -> None:
    graph = build(500)
    graph.faults["middle"] = [{"point": "commit:epoch", "hit": 5, "generations": [1, 2, 3]}]
    outcome = complete(graph)
    check(outcome)
    assert outcome.actor("middle").generation == 4
    assert [channel.taken for channel in outcome.report.channels] == [500, 500]


def test_a_run_that_was_stopped_in_its_middle() -> None:
    """Its last states and channels fit together: nothing counted twice, nothing in between."""

    def stop(run: Run, _watch: Watch) -> None:
        sink = run._channels[1].words
        assert eventually(lambda: sink[layout.HEAD] > 500)
        run.stop_now("enough")

    outcome = complete(build(ENDLESS), meanwhile=stop)
    check(outcome)
    numbers, results = outcome.report.channels
    assert outcome.actor("source").state["following"] == numbers.sent
    assert outcome.actor("middle").state["count"] == numbers.taken == results.sent
    assert outcome.actor("sink").state["seen"] == list(range(results.taken))
    queued = [f"{channel.in_flight} messages are still queued in {channel.name}" for channel in (numbers, results)]
    assert outcome.report.why == ["enough", *(line for line in queued if not line.startswith("0 "))]
