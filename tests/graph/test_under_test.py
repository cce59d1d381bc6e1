"""A graph in the hands of a test: what it makes happen has happened when it returns."""

from __future__ import annotations

import psutil
import pytest

from actors import Args, build_graph
from steady_mp import ConfigurationError, ExitCode, Graph, RestartPolicy
from steady_mp.events import ActorFinished, ActorStarted, RunStopped
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import Raise, Take
from steady_mp.testing.under_test import GraphUnderTest
from tests.support import pipeline
from tests.support.staged import complaint

pytestmark = pytest.mark.timeout(60)

ENDLESS = Args(rate=5, beats=1_000_000)
NAMES = ("heartbeat", "generator", "worker", "logger")


def doomed_graph(graph: Graph) -> None:
    numbers_tx, numbers_rx = graph.channel(4)
    graph.actor("source", pipeline.source, numbers_tx, 1 << 40, 1, graph.state())
    doom = Script.each_life([Take(), Raise(ValueError, "no good")])
    graph.actor("doomed", perform, doom, numbers_rx, restart=RestartPolicy(threshold=1.0, backoff=0.0))


# What it is made from


def test_a_production_graph_runs_to_its_end() -> None:
    with GraphUnderTest(build_graph, Args(rate=1, beats=5)) as graph:
        report = graph.finish()
    assert report.clean
    assert graph.report is report
    assert graph.actor_report("worker").state["beats"] == 5
    assert graph.channel("worker→logger") == report.channels[2]
    assert graph.counters["worker"]["EPOCH"] > 0
    assert graph.rescues == {}


def test_a_declared_graph_and_a_function_of_the_graph_alone_will_do_too() -> None:
    declared = Graph("declared")
    build_graph(declared, Args(rate=1, beats=1))
    with GraphUnderTest(declared) as graph:
        assert graph.finish().clean
    with GraphUnderTest(doomed_graph, name="alone", log_level="error") as graph:
        assert graph.finish().graph == "alone"


@pytest.mark.parametrize(
    ("what", "args", "options", "says"),
    [
        (Graph("g"), (1,), {}, "graph 'g' is declared already: leave its args and options out"),
        (Graph("g"), (), {"log_level": "error"}, "graph 'g' is declared already: leave its args and options out"),
        (7, (), {}, "7 is no graph: pass a function build_graph(graph, args), or a Graph"),
        (build_graph, (), {}, "build_graph can't be called as build_graph(graph): missing a required argument: 'args'"),
        (
            doomed_graph,
            (1,),
            {},
            "doomed_graph can't be called as doomed_graph(graph, 1): too many positional arguments",
        ),
    ],
)
def test_what_is_no_graph_is_refused(
    what: object, args: tuple[object, ...], options: dict[str, object], says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        GraphUnderTest(what, *args, **options)  # type: ignore[arg-type]
    assert str(caught.value) == says


def test_it_runs_once() -> None:
    graph = GraphUnderTest(build_graph, Args(rate=1, beats=1))
    with pytest.raises(ConfigurationError, match=r"it was not started: use it in a `with`, or call start\(\)"):
        graph.kill("worker")
    with graph:
        graph.finish()
        with pytest.raises(ConfigurationError, match="it was started already: make another one"):
            graph.start()
    graph.close()  # nothing is left to do


# Kill, freeze, crash


def test_a_kill_has_happened_when_it_returns() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        for life in (1, 2, 3):
            assert graph.kill("worker") == life
            assert graph.run.pid("worker") is None or graph.run.generation("worker") == life + 1
        assert [graph.wait_for_death("worker").generation for _ in range(3)] == [1, 2, 3]
        graph.request_shutdown()
        assert graph.finish().clean
    assert graph.actor_report("worker").deaths == ["SIGKILL"] * 3


def test_a_frozen_actor_stands_still_until_it_is_thawed() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        graph.wait_until(lambda: graph.channel("worker→logger").sent > 100)
        graph.freeze("worker")
        pid = graph.run.pid("worker")
        assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
        graph.wait_until(lambda: graph.channel("generator→worker").in_flight == 64)  # nobody takes any more
        sent = graph.channel("worker→logger").sent
        graph.wait_until(lambda: graph.channel("worker→logger").taken == sent)
        graph.wait_until(lambda: graph.channel("heartbeat→worker").in_flight > 2)
        assert graph.channel("worker→logger").sent == sent
        graph.thaw("worker")
        assert graph.run.pid("worker") == pid
        graph.wait_until(lambda: graph.channel("worker→logger").sent > sent)
        graph.request_shutdown()
        assert graph.finish().clean


def test_a_frozen_life_can_be_killed_and_the_next_one_is_not_frozen() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        graph.freeze("worker")
        graph.kill("worker")
        graph.wait_for(ActorStarted, actor="worker", generation=2)
        before = graph.channel("worker→logger").sent
        graph.wait_until(lambda: graph.channel("worker→logger").sent > before)
        graph.thaw("worker")  # there is nothing to thaw
        graph.request_shutdown()
        assert graph.finish().clean


@pytest.mark.parametrize("point", ["start:mapped", "commit:publish", "park:armed"])
def test_a_crash_comes_at_its_point_hit_and_life(point: str) -> None:
    planned = [("worker", point), ("worker", "commit:epoch", 2, 2), ("logger", point, 1, 1)]
    with GraphUnderTest(build_graph, Args(rate=5, beats=60), crash_at=planned) as graph:
        assert graph.wait_for_death("worker").generation == 1
        assert graph.wait_for_death("worker").generation == 2
        assert graph.wait_for_death("logger").cause == "SIGKILL"
        report = graph.finish()
    assert report.clean
    assert [actor.deaths for actor in report.actors] == [[], [], ["SIGKILL"] * 2, ["SIGKILL"]]
    assert report.actors[2].state["beats"] == 60


@pytest.mark.parametrize(
    ("crash", "says"),
    [
        (("wroker", "commit:publish"), "no actor 'wroker' in graph 'under-test': there are heartbeat, generator, work"),
        (("worker", "comit:publish"), "no fault point 'comit:publish': there are start:begin, start:mapped, "),
        (("worker", "commit:publish", 0), "crash_at: hit 0 must be a whole number from 1 on"),
        (("worker", "commit:publish", 1, True), "crash_at: generation True must be a whole number from 1 on"),
    ],
)
def test_a_crash_that_can_not_come_is_refused(crash: tuple[str, str], says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        GraphUnderTest(build_graph, ENDLESS, crash_at=[crash])
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


def test_crashes_are_a_list() -> None:
    with pytest.raises(ConfigurationError, match=r"give a list of tuples, like \[\('worker', 'commit:publish'\)\]"):
        GraphUnderTest(build_graph, ENDLESS, crash_at=("worker", "commit:publish"))


def test_a_crash_is_planned_before_the_start() -> None:
    with (
        GraphUnderTest(build_graph, ENDLESS).crash_at("worker", "commit:done") as graph,
        pytest.raises(ConfigurationError, match="crash_at comes before the start"),
    ):
        graph.crash_at("worker", "commit:publish")


def test_nobody_can_do_anything_to_who_is_not_there_any_more() -> None:
    with GraphUnderTest(build_graph, Args(rate=1, beats=1)) as graph:
        graph.wait_for(ActorFinished, actor="generator")
        assert "generator can't be killed: it has finished\n" in complaint(lambda: graph.kill("generator"))
        graph.finish()
        assert "logger can't be thawed: it has finished\n" in complaint(lambda: graph.thaw("logger"))
        with pytest.raises(ConfigurationError, match="no actor 'loger' in graph 'under-test': there are heartbeat, "):
            graph.freeze("loger")
    with GraphUnderTest(doomed_graph, log_level="error") as graph:
        graph.wait_for(RunStopped)
        assert "doomed can't be frozen: it was given up\n" in complaint(lambda: graph.freeze("doomed"))
        assert graph.finish().exit_code is ExitCode.GAVE_UP
