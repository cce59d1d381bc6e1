"""The example in a simulation: all four actors in this process, by a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors import Args, build_graph, check_report, heartbeat
from steady_mp.testing import Crash, Outcome, SimulationFailed, crash_points, explore, simulate

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, Rx, SteadyState, Tx

SHORT = Args(rate=10, beats=4)


def exact(outcome: Outcome) -> None:
    """Whoever died, and whenever: the totals are what arithmetic says."""
    assert check_report(outcome.report) == []
    assert outcome.states["heartbeat"].beats == SHORT.beats


def test_a_hundred_seeds_with_a_crash_each() -> None:
    explore(build_graph, SHORT, seeds=range(100), crashes=1, check=exact)


def test_every_actor_may_die_wherever_it_can() -> None:
    for crash in crash_points(build_graph, SHORT):
        simulate(build_graph, SHORT, crashes=[crash], check=exact)


def test_a_worker_that_dies_behind_its_commit_repeats_nothing() -> None:
    outcome = simulate(build_graph, SHORT, crashes=[Crash("worker", "commit:epoch", 3)])
    assert outcome.actor("worker").deaths == ["SIGKILL"]
    assert outcome.states["worker"].messages == outcome.sent("worker→logger")
    assert outcome.printed("logger")[:3] == ["Msg FizzBuzz", "Msg Value(1)", "Msg Value(2)"]


def test_an_hour_takes_no_hour() -> None:
    outcome = simulate(build_graph, Args(rate=60_000, beats=60))
    assert outcome.report.wall_time == pytest.approx(3600, abs=1)
    assert outcome.printed("heartbeat") == [f"Beat {beat}" for beat in range(60)]


def test_the_same_seed_is_the_same_run() -> None:
    first, second = (simulate(build_graph, SHORT, seed=7, crashes=2) for _ in range(2))
    assert str(first.trace) == str(second.trace)


def greet(actor: Actor, heard: Rx[str], said: Tx[str]) -> None:
    """Wait to be greeted first."""
    while actor.is_running():
        if actor.await_for_all(heard.wait_avail(1)):
            said.send(heard.take())


def build_polite(graph: Graph) -> None:
    """Two who wait for each other to begin."""
    ada_tx, bob_rx = graph.channel()
    bob_tx, ada_rx = graph.channel()
    graph.actor("ada", greet, ada_rx, ada_tx)
    graph.actor("bob", greet, bob_rx, bob_tx)


def test_a_deadlock_is_explained() -> None:
    with pytest.raises(SimulationFailed, match="in a circle: ada → bob → ada"):
        simulate(build_polite)


def count_outside(actor: Actor, beats: Rx[int], state: SteadyState[list[int]]) -> None:
    """Count in a variable, and copy it into the state: a life that begins again begins at 0."""
    total, kept = 0, state.acquire(lambda: [0])
    while actor.is_running():
        actor.await_for_all(beats.wait_avail(1))
        total += len(beats.take_slice(beats.avail()))
        kept[0] = total


def build_forgetful(graph: Graph) -> None:
    """The heartbeat of the pipeline, and one who forgets."""
    tx, rx = graph.channel(name="beats")
    graph.actor("heartbeat", heartbeat.run, tx, 0.5, 20, graph.state())
    graph.actor("counter", count_outside, rx, graph.state())


def all_counted(outcome: Outcome) -> None:
    assert outcome.states["counter"] == [20]


def test_what_does_not_survive_a_crash_is_found() -> None:
    simulate(build_forgetful, check=all_counted)
    with pytest.raises(SimulationFailed, match="what it takes: simulate") as found:
        explore(build_forgetful, seeds=range(200), check=all_counted)
    assert [crash.actor for crash in found.value.crashes] == ["counter"]
