from __future__ import annotations

import logging
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from actors import Args, build_graph
from actors.fizzbuzz import fizzbuzz
from actors.logger import LoggerState
from steady_mp.errors import ConfigurationError
from steady_mp.testing.simulation import Crash, Outcome, SimulationFailed, crash_points, explore, simulate
from steady_mp.testing.simulation.dice import Dice
from tests.support import toys

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, SteadyState

ARGS = Args(rate=10, beats=4)
#: Every fault point that a run of the pipeline can reach.
POINTS = {
    *("start:begin", "start:mapped", "start:recovered", "start:ready", "recover:publish"),
    *("commit:begin", "commit:records", "commit:snapshot", "commit:journal", "commit:epoch", "commit:publish"),
    *("commit:published", "commit:ring", "commit:done", "park:armed", "park:sleep", "park:woke"),
}


def exact(outcome: Outcome) -> None:
    """The pipeline's result is what arithmetic says, whatever happened on the way."""
    total = outcome.sent("worker→logger")
    expected = LoggerState()
    for number in range(total):
        expected.count(fizzbuzz(number))
    assert outcome.states["logger"] == expected
    assert outcome.states["worker"].messages == total
    assert outcome.states["generator"].value == outcome.sent("generator→worker")
    assert outcome.states["heartbeat"].beats == ARGS.beats
    assert outcome.report.clean


def complete(outcome: Outcome) -> None:
    assert outcome.states["keeper"].entries == list(range(30))


def test_the_pipeline_is_exact_under_a_crash_by_each_of_many_seeds() -> None:
    explored = explore(build_graph, ARGS, seeds=range(60), crashes=1, check=exact)
    assert explored.runs == explored.crashes == 60
    assert explored.switches > 100


def test_a_graph_that_ends_by_itself_has_its_crashes_by_each_seed_too() -> None:
    explored = explore(toys.line, seeds=range(100), crashes=2, check=complete)
    assert explored.crashes >= 2 * explored.runs - 2, "but for the few that find nobody left to kill"


def test_a_seed_throws_no_crash_twice() -> None:
    for seed in range(1000):
        crashes = Dice(seed, ["counter", "keeper"], 3).crashes
        assert len(set(crashes)) == 3, seed


@pytest.mark.parametrize("actor", ["heartbeat", "generator", "worker", "logger"])
def test_each_actor_may_die_at_each_fault_point(actor: str) -> None:
    crashes = [crash for crash in crash_points(build_graph, ARGS, hits=3) if crash.actor == actor]
    # The logger sends nothing, and is asked for nothing by a neighbour that sleeps: it may have nobody to ring.
    assert {crash.point for crash in crashes} >= POINTS - {"commit:ring"}
    for crash in crashes:
        outcome = simulate(build_graph, ARGS, crashes=[crash], check=exact)
        assert outcome.crashes == [crash]


def test_a_life_may_die_again_and_again_in_its_start() -> None:
    crashes = [
        Crash("worker", "commit:epoch", 3),
        *(Crash("worker", "recover:publish", hit) for hit in (4, 5, 6, 8)),
        Crash("worker", "start:ready", 2),
    ]
    outcome = simulate(build_graph, ARGS, crashes=crashes, check=exact)
    assert outcome.actor("worker").restarts == len(crashes)


# The same seed


def test_the_same_seed_gives_the_same_trace_byte_for_byte() -> None:
    for seed in range(12):
        runs = [simulate(build_graph, ARGS, seed=seed, crashes=2) for _ in range(2)]
        assert str(runs[0].trace).encode() == str(runs[1].trace).encode()
        assert runs[0].lines == runs[1].lines
        assert runs[0].report == runs[1].report


def test_another_seed_gives_another_trace() -> None:
    assert len({str(simulate(toys.line, seed=seed).trace) for seed in range(10)}) == 10


def test_the_trace_tells_what_happened() -> None:
    trace = str(simulate(toys.line, crashes=[Crash("keeper", "commit:journal", 5)]).trace)
    for text in (
        "counter  started: life 1 from commit 0",
        "sent 1 of numbers (now 1)",
        "keeper   killed: at commit:journal",
        "keeper   started: life 2 from commit 4",
        "closed numbers",
        "keeper   finished",
    ):
        assert text in trace


# What is found


def test_a_state_that_is_kept_elsewhere_is_found_and_shrunk() -> None:
    with pytest.raises(SimulationFailed, match="what it takes: simulate") as found:
        explore(toys.leaky, seeds=range(200), crashes=3, check=complete)
    failure = found.value
    assert failure.kind == "check"
    assert [crash.actor for crash in failure.crashes] == ["keeper"]
    assert len(failure.switches) < 5
    assert f"seed={failure.seed}, crashes=[Crash(" in str(failure)
    assert "killed" in str(failure)


def test_a_failure_replays_as_it_says() -> None:
    with pytest.raises(SimulationFailed) as found:
        explore(toys.leaky, seeds=range(200), crashes=2, check=complete)
    failure = found.value
    with pytest.raises(SimulationFailed) as again:
        simulate(toys.leaky, seed=failure.seed, crashes=failure.crashes, only=failure.switches, check=complete)
    assert str(again.value.trace) == str(failure.trace)


def test_a_circle_of_waits_is_explained() -> None:
    with pytest.raises(SimulationFailed, match="deadlock: all wait for ever") as found:
        simulate(toys.circle)
    assert "passer 0 waits for passer 2 to send 1 more into passer 2→passer 0 (0 in it)" in str(found.value)
    assert "in a circle: passer 0 → passer 2 → passer 1 → passer 0" in str(found.value)


def test_who_won_t_stop_though_nothing_can_come_any_more_says_why() -> None:
    with pytest.raises(SimulationFailed, match="deadlock: all wait for ever") as found:
        simulate(toys.holding)
    assert "holder refused: 3 invoices unpaid" in str(found.value)


def test_an_actor_that_is_given_up_is_named_with_its_traceback() -> None:
    with pytest.raises(SimulationFailed, match="gave up: failer was given up after life") as found:
        simulate(toys.failing)
    assert "ValueError: life 1 fails" in str(found.value)
    assert 'toys.py", line' in str(found.value)


def test_an_actor_that_never_waits_is_ended() -> None:
    with pytest.raises(SimulationFailed, match="endless: it still runs after 5000 steps"):
        simulate(toys.spinning, max_steps=5000)


def test_who_refuses_to_stop_is_named_with_its_reason() -> None:
    with pytest.raises(SimulationFailed, match="refused: refuser did not stop within 15 s") as found:
        simulate(toys.refusing, shutdown_after=3.0)
    assert "refuser refused: not today" in str(found.value)


def test_who_refuses_to_stop_and_waits_for_nothing_else_is_named_with_its_reason() -> None:
    with pytest.raises(SimulationFailed, match="refused: holder did not stop within 15 s") as found:
        simulate(toys.holding, shutdown_after=3.0)
    assert "holder refused: 3 invoices unpaid" in str(found.value)


# Around the actors


def test_time_is_virtual() -> None:
    began = time.monotonic()
    outcome = simulate(toys.ticking, shutdown_after=86_400.0)
    assert len(outcome.states["ticker"].entries) == 8640
    assert 86_400.0 <= outcome.report.wall_time < 86_401.0
    assert time.monotonic() - began < 60.0


def test_what_is_printed_and_logged_is_caught_with_its_actor() -> None:
    before = (sys.stdout, logging.getLogger().handlers[:], logging.getLogger().level, logging.logThreads)
    outcome = simulate(toys.ticking, shutdown_after=25.0)
    assert outcome.printed("ticker") == ["beat 1", "logged 1", "beat 2", "logged 2"]
    assert (sys.stdout, logging.getLogger().handlers[:], logging.getLogger().level, logging.logThreads) == before


def test_the_dice_of_the_actors_are_those_of_the_seed_and_the_callers_stay_his() -> None:
    random.seed(7)
    expected = random.Random(7).random()
    thrown = [simulate(toys.ticking, seed=seed, shutdown_after=50.0).states["ticker"].entries for seed in (1, 1, 2)]
    assert thrown[0] == thrown[1] != thrown[2]
    assert random.random() == expected


def hold(_actor: Actor, drawn: SteadyState[float], number: float) -> None:
    drawn.acquire(lambda: number)


def test_what_the_declaration_of_a_graph_draws_is_the_seeds_too() -> None:
    def build(graph: Graph) -> None:
        graph.actor("keeper", hold, graph.state(), random.random())

    random.seed(7)
    drawn = [simulate(build, seed=seed).states["keeper"] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert random.random() == random.Random(7).random()


def test_the_dice_of_numpy_are_those_of_the_seed_too_and_the_callers_stay_his() -> None:
    np = pytest.importorskip("numpy")

    def draw(actor: Actor, drawn: SteadyState[list[int]]) -> None:
        drawn.acquire(list)[:] = [int(np.random.randint(1000)) for _ in range(5)]
        actor.commit()

    def build(graph: Graph) -> None:
        graph.actor("drawer", draw, graph.state())

    np.random.seed(7)
    expected = np.random.RandomState(7).random()
    thrown = [simulate(build, seed=seed).states["drawer"] for seed in (-1, -1, 2)]
    assert thrown[0] == thrown[1] != thrown[2]
    assert np.random.random() == expected


def test_the_dice_of_numpy_are_those_of_the_seed_where_the_actor_is_the_first_to_ask_for_them() -> None:
    pytest.importorskip("numpy")
    code = """
import numpy as np
from steady_mp.testing import simulate

def draw(actor, drawn):
    drawn.acquire(list)[:] = [int(np.random.randint(1000)) for _ in range(5)]
    actor.commit()

def build(graph):
    graph.actor("drawer", draw, graph.state())

assert simulate(build, seed=3).states == simulate(build, seed=3).states
"""
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603


def test_a_state_outlives_its_crashes() -> None:
    outcome = simulate(toys.ticking, crashes=[Crash("ticker", "commit:done", 3)], shutdown_after=95.0)
    assert outcome.actor("ticker").generation == 2
    assert len(outcome.states["ticker"].entries) == 9


def test_several_states_are_a_list_whichever_of_them_was_acquired() -> None:
    def build(graph: Graph) -> None:
        graph.actor("second", toys.acquire, [graph.state(), graph.state()], [1])
        graph.actor("both", toys.acquire, [graph.state(), graph.state()], [1, 0])
        graph.actor("neither", toys.acquire, [graph.state(), graph.state()], [])
        graph.actor("only", toys.acquire, [graph.state()], [0])
        graph.actor("never", toys.acquire, [graph.state()], [])
        graph.actor("none", toys.acquire, [], [])

    kept = simulate(build).states
    assert kept["second"] == [None, toys.Book([1])]
    assert kept["both"] == [toys.Book([0]), toys.Book([1])]
    assert kept["neither"] == [None, None]
    assert kept["only"] == toys.Book([0])
    assert kept["never"] is None
    assert kept["none"] is None


@pytest.mark.parametrize(
    ("crash", "said"),
    [
        (Crash("worker", "commit:nowhere"), "no fault point 'commit:nowhere'"),
        (Crash("worker", "commit:epoch", 0), "hit of commit:epoch in worker 0: must be a whole number from 1 to"),
        (Crash("nobody", "commit:epoch"), "no actor 'nobody' in graph 'simulation': there are heartbeat, generator"),
    ],
)
def test_a_crash_that_can_t_be_is_refused(crash: Crash, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        simulate(build_graph, ARGS, crashes=[crash])


def test_without_greenlet_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'steady-mp\[testing\]'"):
        simulate(toys.line)


def test_a_graph_that_can_t_run_is_refused() -> None:
    def build(graph: Graph) -> None:
        graph.channel(name="loose")
        graph.actor("failer", toys.fail)

    with pytest.raises(ConfigurationError, match="loose"):
        simulate(build)


# A check that goes wrong


def broken(outcome: Outcome) -> None:
    """Ask for what is not there: the mistake of a check, in a run that went as it should."""
    assert outcome.states["keeper"].entries != []
    raise KeyError(outcome.seed)


def broken_by_crashes(outcome: Outcome) -> None:
    """Fail where anybody died; break where nobody did, and where only one did."""
    if len(outcome.crashes) < 2:
        raise KeyError("nobody" if not outcome.crashes else "one")
    raise AssertionError("two died")


def test_a_check_that_raises_whatever_it_is_names_the_seed() -> None:
    with pytest.raises(SimulationFailed, match=r"check: KeyError: 5\nseed 5; what it takes: simulate\(line") as found:
        explore(toys.line, seeds=[5], check=broken)
    assert found.value.kind == "check"
    assert found.value.seed == 5
    assert isinstance(found.value.__cause__, KeyError)


def test_a_check_that_breaks_on_a_smaller_run_does_not_fail_the_same_way() -> None:
    crashes = [Crash("keeper", "commit:epoch", 3), Crash("keeper", "commit:epoch", 5)]
    with pytest.raises(SimulationFailed, match="check: two died") as found:
        simulate(toys.line, crashes=crashes, check=broken_by_crashes)
    assert found.value.crashes == crashes


def test_a_run_that_can_t_be_repeated_is_told_as_it_was() -> None:
    built = 0

    def build(graph: Graph) -> None:
        nonlocal built
        built += 1
        if built > 1:
            message = "only once"
            raise RuntimeError(message)
        toys.failing(graph)

    with pytest.raises(SimulationFailed, match="gave up: failer was given up"):
        simulate(build)
    assert built > 1


@pytest.mark.timeout(20)
def test_a_switch_that_lies_behind_the_last_step_is_looked_for_no_further() -> None:
    outcome = simulate(toys.line, only=[10**9], max_steps=100_000)
    assert outcome.switches == 0


def test_the_replay_that_explore_tells_logs_at_its_level() -> None:
    with pytest.raises(SimulationFailed, match=r"simulate\(.*, log_level='warning'\)"):
        explore(toys.leaky, seeds=range(100), crashes=1, check=complete)
