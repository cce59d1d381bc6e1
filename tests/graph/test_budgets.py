"""Each actor has a restart budget of its own, and whatever happens before a behavior begins is paid from it too."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph, RestartPolicy
from steady_mp.events import ActorDied, ActorGivenUp, ActorStarted
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import LiveOn, PassOn, Raise
from tests.support import pipeline
from tests.support.gates import Lines
from tests.support.runs import complete
from tests.support.watch import Watch

if TYPE_CHECKING:
    from steady_mp import Event

pytestmark = pytest.mark.timeout(60)

SIBLINGS = 5
#: Two failures of one actor are one too many.
ONE_ONLY = RestartPolicy(threshold=1.5, backoff=0.5, jitter=0.0)


def test_five_siblings_that_fail_once_each_spend_nothing_of_one_anothers_budget() -> None:
    graph = Graph("siblings", log_level="error")
    fails_once = Script.each_life([Raise(ValueError, "once")], [])
    for number in range(SIBLINGS):
        graph.actor(f"sibling {number}", perform, fails_once, restart=ONE_ONLY)
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    for number in range(SIBLINGS):
        actor = outcome.actor(f"sibling {number}")
        assert (actor.generation, actor.deaths) == (2, ["ValueError: once"])
    # Nor does anybody wait for what another one did: each was the first failure of its actor.
    assert [event.pause for event in outcome.watch.all_of(ActorDied)] == [0.0] * SIBLINGS


def test_the_sixth_failure_is_the_second_of_its_actor() -> None:
    """What the test above relies on: with a budget of one, a second failure of the same actor is too much."""
    graph = Graph("siblings", log_level="error")
    for number in range(SIBLINGS):
        script = Script.each_life([Raise(ValueError, "once")], [LiveOn()])
        graph.actor(f"sibling {number}", perform, script, restart=ONE_ONLY)
    graph.actor("worse", perform, Script.each_life([Raise(ValueError, "again")]), restart=ONE_ONLY)
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.GAVE_UP
    assert [event.actor for event in outcome.watch.all_of(ActorGivenUp)] == ["worse"]
    assert outcome.actor("worse").deaths == ["ValueError: again"] * 2


@pytest.mark.parametrize("point", ["start:begin", "start:mapped", "recover:publish", "start:recovered", "start:ready"])
def test_a_crash_in_startup_is_paced_and_the_others_go_on(point: str) -> None:
    graph = Graph("startup", log_level="error")
    numbers_tx, numbers_rx = graph.channel(8)
    results_tx, results_rx = graph.channel(8)
    policy = RestartPolicy(backoff=0.1, max_backoff=0.2, jitter=0.0, half_life=1e6)
    graph.actor("source", pipeline.source, numbers_tx, 50, 1, graph.state())
    script = Script.each_life([PassOn()])
    graph.actor("middle", perform, script, numbers_rx, results_tx, graph.state(), restart=policy)
    graph.actor("sink", pipeline.sink, results_rx, 1, graph.state())
    graph.faults["middle"] = [{"point": point, "hit": 1, "generations": [1, 2, 3, 4]}]
    times: dict[tuple[type[Event], int], float] = {}

    watch = Watch()

    def note(event: Event) -> None:
        watch(event)
        if isinstance(event, ActorDied | ActorStarted) and event.actor == "middle":
            times[type(event), event.generation] = time.monotonic()

    with graph.start(on_event=note, output=Lines()) as run:
        report = run.block_until_stopped(30)
    assert report.exit_code is ExitCode.DRAINED, report.why
    middle, sink = report.actors[1:]
    assert middle.deaths == ["SIGKILL"] * 4
    assert sink.state["seen"] == list(range(50))
    pauses = [event.pause for event in watch.all_of(ActorDied)]
    assert pauses == [0.0, pytest.approx(0.1, rel=0.01), pytest.approx(0.2, rel=0.01), pytest.approx(0.2, rel=0.01)]
    for life, pause in enumerate(pauses, start=1):
        assert times[ActorStarted, life + 1] - times[ActorDied, life] >= pause


def test_one_that_never_gets_through_its_startup_is_given_up() -> None:
    graph = Graph("startup", log_level="error")
    policy = RestartPolicy(threshold=3.0, backoff=0.0, max_backoff=0.0, half_life=1e6)
    graph.actor("stillborn", perform, Script.each_life([LiveOn()]), restart=policy)
    graph.faults["stillborn"] = [{"point": "start:mapped", "hit": 1, "generations": list(range(1, 100))}]
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.GAVE_UP
    assert outcome.actor("stillborn").deaths == ["SIGKILL"] * 4


@pytest.mark.parametrize("point", ["recover:publish", "start:recovered"])
def test_killed_in_its_recovery_twice_it_goes_on_from_the_same_commit(point: str) -> None:
    graph = Graph("recovery", log_level="error")
    numbers_tx, numbers_rx = graph.channel(4)
    policy = RestartPolicy(backoff=0.0, max_backoff=0.0)
    graph.actor("source", pipeline.source, numbers_tx, 50, 1, graph.state(), restart=policy)
    graph.actor("sink", pipeline.sink, numbers_rx, 1, graph.state(), restart=policy)
    for place in ("source", "sink"):
        graph.faults[place] = [
            {"point": "commit:epoch", "hit": 3, "generations": [1]},  # committed, and not yet published
            {"point": point, "hit": 1, "generations": [2, 3]},
        ]
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    for place in ("source", "sink"):
        assert outcome.actor(place).deaths == ["SIGKILL"] * 3
        commits = [event.commit for event in outcome.watch.all_of(ActorDied) if event.actor == place]
        assert commits == [commits[0]] * 3
    assert outcome.actor("sink").state["seen"] == list(range(50))
    assert not outcome.rescues
