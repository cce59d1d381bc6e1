"""A monkey on real processes: budgets, freezes, truces and ends of runs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp import ExitCode, Graph
from steady_mp.chaos import Monkey
from steady_mp.errors import ConfigurationError
from steady_mp.events import ActorStarted, ChaosEnded, ChaosFroze, ChaosKilled
from steady_mp.testing.chaos import unleash
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import LiveOn, Raise
from steady_mp.testing.under_test import GraphUnderTest
from tests.support import alone, lives

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(60)]

LONG = 600.0
PATIENT = Script.each_life([LiveOn()])
FAILING = Script.each_life([Raise(ValueError, "no good")])


def script(*scripts: Script) -> Callable[[Graph], None]:
    """Return a graph of actors a, b, ... without channels."""

    def build(graph: Graph) -> None:
        for name, each in zip("abc", scripts, strict=False):
            graph.actor(name, perform, each)

    return build


def is_stopped(graph: GraphUnderTest, actor: str) -> bool:
    pid = graph.run.pid(actor)
    try:
        return pid is not None and psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:  # it was dead already, and is buried between the two looks
        return False


# Budgets


def test_deaths_by_chaos_are_no_failures_and_cost_no_pause() -> None:
    """Also those of lives that had done nothing yet; the policy is that of every actor."""
    with GraphUnderTest(alone.build_graph, alone.Args(total=1 << 40)) as graph:
        with unleash(graph, rate=1000, seed=7) as strikes:
            strikes.wait_for(kills=60, seconds=40)
        graph.request_shutdown()
        assert graph.finish().clean
    kills = graph.events.all_of(ChaosKilled)
    assert {kill.pause for kill in kills} == {0.0}
    barren = [kill for kill, after in itertools.pairwise(kills) if kill.commit == after.commit]
    assert len(barren) > 5


def test_an_actor_that_fails_by_itself_is_given_up_under_chaos_too() -> None:
    with GraphUnderTest(script(FAILING, PATIENT)) as graph, unleash(graph, rate=20):
        report = graph.finish()
    assert report.exit_code is ExitCode.GAVE_UP
    assert report.actors[0].deaths.count("ValueError: no good") >= 6


def test_somebody_elses_kill_is_still_a_sigkill() -> None:
    with GraphUnderTest(script(PATIENT)) as graph, unleash(graph, rate=0.001, seed=7) as strikes:
        graph.wait_for(ActorStarted)
        graph.kill("a")
        graph.request_shutdown()
        report = graph.finish()
    assert (report.actors[0].deaths, strikes.kills()) == (["SIGKILL"], 0)


# Freezes


def test_a_frozen_actor_thaws_by_itself() -> None:
    with GraphUnderTest(script(PATIENT)) as graph:
        graph.wait_for(ActorStarted)
        graph.run.strike("a", freeze=1.0)  # long enough to be seen, however busy the machine is
        graph.wait_until(lambda: is_stopped(graph, "a"))
        frozen = graph.wait_for(ChaosFroze)
        assert (frozen.actor, frozen.generation) == ("a", 1)
        assert 1.0 <= frozen.seconds < 10.0
        assert not is_stopped(graph, "a")
        graph.request_shutdown()
        assert graph.finish().clean


def test_a_truce_thaws_at_once() -> None:
    with GraphUnderTest(script(PATIENT, PATIENT)) as graph:
        for actor in ("a", "b"):
            graph.wait_for(ActorStarted, actor=actor)
            graph.run.strike(actor, freeze=LONG)
            graph.wait_until(lambda actor=actor: is_stopped(graph, actor))  # type: ignore[misc]  # bound now
        graph.run.make_truce()
        graph.wait_for(ChaosEnded)
        assert {each.actor for each in graph.events.all_of(ChaosFroze)} == {"a", "b"}
        assert not is_stopped(graph, "a")
        assert not is_stopped(graph, "b")
        graph.request_shutdown()
        assert graph.finish().clean


def test_a_frozen_actor_can_be_killed_and_the_next_life_is_not_frozen() -> None:
    with GraphUnderTest(script(PATIENT)) as graph:
        graph.wait_for(ActorStarted)
        graph.run.strike("a", freeze=LONG)
        graph.wait_until(lambda: is_stopped(graph, "a"))
        graph.run.strike("a")
        graph.wait_for(ChaosFroze)
        graph.wait_for(ChaosKilled, actor="a", generation=1)
        graph.wait_for(ActorStarted, generation=2)
        assert not is_stopped(graph, "a")
        graph.request_shutdown()
        assert graph.finish().clean


def test_the_deadline_of_the_shutdown_ends_a_frozen_actor_too() -> None:
    with GraphUnderTest(script(PATIENT), shutdown_timeout=0.3) as graph:
        graph.wait_for(ActorStarted)
        graph.run.strike("a", freeze=LONG)
        graph.wait_until(lambda: is_stopped(graph, "a"))
        graph.request_shutdown()
        report = graph.finish()
    assert report.exit_code is ExitCode.UNCLEAN


def test_a_run_that_is_stopped_leaves_nobody_frozen_behind() -> None:
    with GraphUnderTest(script(PATIENT)) as graph:
        graph.wait_for(ActorStarted)
        graph.run.strike("a", freeze=LONG)
        graph.wait_until(lambda: is_stopped(graph, "a"))
        process = psutil.Process(graph.run.pid("a"))
    assert not process.is_running()


# Ends


def test_when_it_is_caught_every_strike_was_counted_and_nobody_is_frozen() -> None:
    with GraphUnderTest(script(PATIENT, PATIENT, PATIENT)) as graph:
        for _ in range(10):
            with unleash(graph, rate=200, freeze=0.5) as strikes:
                strikes.wait_for(kills=3, freezes=1)
            kills, freezes = strikes.kills(), strikes.freezes()
            assert not any(is_stopped(graph, actor) for actor in graph.run.actors)
        graph.request_shutdown()
        report = graph.finish()
    assert (strikes.kills(), strikes.freezes()) == (kills, freezes)
    assert sum(actor.deaths.count("chaos") for actor in report.actors) == len(graph.events.all_of(ChaosKilled))
    assert all(set(actor.deaths) == {"chaos"} for actor in report.actors)


def test_a_drain_that_nobody_can_end_is_the_actors_fault_and_not_the_monkeys() -> None:
    # The half that the monkey leaves is for one more life to start and to refuse.
    with GraphUnderTest(script(lives.REFUSING), shutdown_timeout=2.0) as graph, unleash(graph, rate=500) as strikes:
        strikes.wait_for(kills=2)
        graph.request_shutdown()
        report = graph.finish()
    assert report.why == ["a did not stop in time: it refused: 3 orders unpaid"]


def test_a_run_that_is_over_ends_the_monkey() -> None:
    with GraphUnderTest(script(PATIENT)) as graph:
        graph.request_shutdown()
        graph.finish()
        with Monkey(graph.run, rate=1000.0) as monkey:
            monkey._thread.join(10)
            assert not monkey._thread.is_alive()
        assert (monkey.kills, monkey.freezes) == (0, 0)


def test_an_actor_that_there_is_not_can_not_be_struck() -> None:
    with GraphUnderTest(script(PATIENT)) as graph, pytest.raises(ConfigurationError, match="no actor 'z'"):
        graph.run.strike("z")


# Strikes, for a test


def test_strikes_that_never_come_are_told_with_the_seed() -> None:
    with (
        GraphUnderTest(script(PATIENT)) as graph,
        pytest.raises(AssertionError) as caught,
        unleash(graph, rate=0.001, seed=7) as strikes,
    ):
        strikes.wait_for(kills=5, seconds=0.05)
    assert "not 5 kills and 0 freezes within 0.05 s: chaos with seed 7: 0 kills, 0 freezes" in str(caught.value)
    assert "chaos with seed 7: 0 kills, 0 freezes" in caught.value.__notes__


def test_strikes_that_can_not_come_any_more_are_not_waited_for() -> None:
    with GraphUnderTest(script(PATIENT)) as graph, unleash(graph.run, rate=0.001, seed=7) as strikes:
        graph.request_shutdown()
        with pytest.raises(AssertionError, match="not 1 kills and 0 freezes before the run ended"):
            strikes.wait_for(kills=1, seconds=30)


def test_strikes_are_counted_for_each_actor() -> None:
    with GraphUnderTest(script(PATIENT, PATIENT)) as graph, unleash(graph, rate=100, freeze=0.3) as strikes:
        strikes.wait_for(kills=2, actor="b")
        strikes.wait_for(freezes=1, actor="a")
        graph.request_shutdown()
        graph.finish()
    assert strikes.kills("b") >= 2
    assert strikes.kills("a") + strikes.kills("b") == strikes.kills()
    assert len(strikes.seen) == strikes.kills() + strikes.freezes()
