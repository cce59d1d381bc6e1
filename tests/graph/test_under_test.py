"""A graph in the hands of a test: what it makes happen has happened, and what it waits for in vain is explained."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import psutil
import pytest

from actors import Args, build_graph
from steady_mp import ConfigurationError, ExitCode, Graph, RestartPolicy
from steady_mp.events import ActorDied, ActorFinished, ActorStarted, RunStopped, ShutdownRequested
from steady_mp.memory import layout
from steady_mp.testing import litter
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import Raise, Take
from steady_mp.testing.under_test import GraphUnderTest
from tests.support import pipeline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

ENDLESS = Args(rate=5, beats=1_000_000)
NAMES = ("heartbeat", "generator", "worker", "logger")


def doomed_graph(graph: Graph) -> None:
    numbers_tx, numbers_rx = graph.channel(4)
    graph.actor("source", pipeline.source, numbers_tx, 1 << 40, 1, graph.state())
    doom = Script.each_life([Take(), Raise(ValueError, "no good")])
    graph.actor("doomed", perform, doom, numbers_rx, restart=RestartPolicy(threshold=1.0, backoff=0.0))


def complaint(call: Callable[[], object]) -> str:
    """Return what an AssertionError says."""
    with pytest.raises(AssertionError) as caught:
        call()
    return str(caught.value)


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
            assert graph.run.generation("worker") == life + 1 or graph.run.pid("worker") is None
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


# Waiting in vain


def test_who_waits_in_vain_is_told_where_everybody_stands() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        graph.freeze("generator")
        graph.wait_line("heartbeat Beat 3")
        others = [graph.run._supervisor.seats[index].control.words for index in (2, 3)]
        graph.wait_until(lambda: not graph.channel("generator→worker").in_flight)
        graph.wait_until(lambda: all(words[layout.PHASE] == layout.PHASE_WAITING for words in others))
        told = complaint(lambda: graph.wait_for(ActorDied, seconds=0.01, actor="worker"))
        lines = told.splitlines()
        assert lines[0] == "ActorDied(actor='worker'): none within 0.01 s"
        # What each actor waits for, and where each channel stands.
        assert any(line.startswith("  generator: life 1 as process ") and "stopped (SIGSTOP)" in line for line in lines)
        assert "for messages in generator→worker (until " in told
        assert any(line.startswith("  heartbeat→worker: sent ") and " of 64" in line for line in lines)
        # Every stack, down to the line of the behavior; the frozen one can't answer.
        stacks = told.partition("\nstacks:\n")[2].partition("\nlatest events:\n")[0]
        for name in ("worker", "logger", "heartbeat"):
            assert f'/actors/{name}.py", line ' in stacks.partition(f"  {name}:\n")[2].partition("in run\n")[0]
        assert "  generator:\n    stopped (SIGSTOP)\n" in stacks
        assert "forkserver" not in stacks
        # What happened, and what was said; the stacks are not repeated there.
        assert "ActorStarted: worker starts life 1" in told.partition("\nlatest events:\n")[2]
        assert " heartbeat Beat " in told.partition("\nlatest lines of the log:\n")[2]
        assert "most recent call first" not in told.partition("\nlatest lines of the log:\n")[2]
        # It goes on as if nobody had asked.
        graph.thaw("generator")
        graph.request_shutdown()
        assert graph.finish().clean
    assert [actor.deaths for actor in graph.report.actors] == [[]] * 4


def test_the_end_of_the_run_ends_a_wait_at_once() -> None:
    with GraphUnderTest(build_graph, Args(rate=1, beats=1)) as graph:
        told = complaint(lambda: graph.wait_for_death("worker", seconds=50.0))
        assert told.startswith("worker did not die until the run ended\n")
        told = complaint(lambda: graph.wait_for(ActorDied, seconds=50.0))
        assert (
            "it has ended:\n  drained, exit code DRAINED\nwhere everybody stood at the end:\n  heartbeat: fin" in told
        )


def test_every_wait_has_its_own_words() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        said = complaint(lambda: graph.wait_line("never said", seconds=0.01))
        assert said.startswith("no line with 'never said' in the log within 0.01 s\nwhere everybody stands:\n")
        assert complaint(lambda: graph.wait_for_death("logger", seconds=0.01)).startswith("logger did not die within")
        assert complaint(lambda: graph.finish(seconds=0.01)).startswith("graph 'under-test' still runs after 0.01 s\n")
        assert " did not come true within 0.01 s\n" in complaint(lambda: graph.wait_until(bool, seconds=0.01))
        assert complaint(lambda: graph.report) == "graph 'under-test' still runs: finish() waits for its report"
        with pytest.raises(ConfigurationError, match="ActorDied has no field 'name': there are actor, generation, ca"):
            graph.wait_for(ActorDied, name="worker")
        with pytest.raises(
            ConfigurationError, match="no channel 'x' in graph 'under-test': there are heartbeat→worker"
        ):
            graph.channel("x")


def test_an_event_and_a_line_are_returned_once() -> None:
    with GraphUnderTest(build_graph, Args(rate=1, beats=3)) as graph:
        assert [graph.wait_for(ActorStarted).actor for _ in NAMES] == list(NAMES)
        beats = [graph.wait_line("heartbeat Beat")[-6:] for _ in range(3)]
        assert beats == ["Beat 0", "Beat 1", "Beat 2"]
        assert complaint(lambda: graph.wait_line("Beat 1", seconds=0.01)).startswith("no line with 'Beat 1'")
        assert graph.wait_for(ShutdownRequested).text.startswith("shutdown: heartbeat asked for it")
        graph.finish()


def test_who_refuses_to_stop_is_shown_with_its_stack() -> None:
    """The processes are killed at the deadline; what they did was noted before."""
    with GraphUnderTest(build_graph, ENDLESS, shutdown_timeout=0.3) as graph:
        graph.freeze("generator")
        graph.request_shutdown()
        assert graph.finish().exit_code is ExitCode.UNCLEAN
        told = complaint(lambda: graph.fail("look"))
    assert "it has ended:\n  unclean, exit code UNCLEAN\n  generator did not stop in time" in told
    stacks = told.partition("\nstacks at the end:\n")[2]
    assert "  generator:\n    stopped (SIGSTOP)\n" in stacks
    assert '/actors/worker.py", line ' in stacks


# Lost wake-ups


def rescue(graph: GraphUnderTest, actor: str) -> None:
    """Count a rescue of an actor, as its own loop would."""
    seat = next(seat for seat in graph.run._supervisor.seats if seat.name == actor)
    graph.wait_for(ActorStarted, actor=actor)
    seat.control.words[layout.RESCUES] += 1


def test_a_lost_wake_up_fails_the_test_that_did_not_allow_it() -> None:
    with GraphUnderTest(build_graph, Args(rate=1, beats=20)) as graph:
        rescue(graph, "worker")
        told = complaint(graph.finish)
        assert told.startswith("a wake-up was lost: only the safety time-out has woken worker (1 times)\n")
        assert graph.rescues == {"worker": 1}
        assert graph.finish(rescued=True).clean
    with pytest.raises(AssertionError, match="a wake-up was lost"), GraphUnderTest(build_graph, ENDLESS) as graph:
        rescue(graph, "logger")


def test_who_waited_for_a_frozen_neighbour_has_not_lost_anything() -> None:
    with GraphUnderTest(build_graph, Args(rate=1, beats=20)) as graph:
        rescue(graph, "logger")
        graph.freeze("worker")
        graph.thaw("worker")
        assert graph.finish().clean


# What is left


def test_what_a_run_leaves_behind_is_named() -> None:
    graph = GraphUnderTest(build_graph, ENDLESS).start()
    directory = graph.run.directory
    opened = os.open(directory / "run", os.O_RDONLY)
    with mmap.mmap(opened, 0, prot=mmap.PROT_READ):
        told = complaint(graph.close)
    os.close(opened)
    assert told.startswith(f"graph 'under-test' has left behind: descriptor {opened} → {directory}/run (deleted); ")
    assert told.endswith(f"; mapping of {directory}/run (deleted)")


def test_a_process_that_is_left_is_named_and_killed(tmp_path: Path) -> None:
    environment = {**os.environ, litter.RUN_MARK: str(tmp_path / "run")}
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], env=environment) as left:
        (told,) = litter.of_run(tmp_path / "run")
        assert left.wait() == -signal.SIGKILL
    assert told.startswith(f"process {left.pid} ")
    assert told.endswith(" -c import signal; signal.pause()")


def test_a_run_directory_that_is_left_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = GraphUnderTest(build_graph, ENDLESS).start()
    run = graph.run._run
    with monkeypatch.context() as patch:
        patch.setattr(type(run), "remove", lambda _: None)
        assert complaint(graph.close).endswith(f"has left behind: run directory {run.path}")
    run.remove()


def test_what_the_test_itself_has_open_is_its_own_affair(tmp_path: Path) -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    try:
        with (tmp_path / "mine").open("w"), GraphUnderTest(build_graph, Args(rate=1, beats=1)) as graph:
            later = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
            graph.finish()
        assert later.poll() is None
        later.kill()
        later.wait()
    finally:
        sleeper.kill()
        sleeper.wait()


def test_two_graphs_know_nothing_of_each_other() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as first:
        second = GraphUnderTest(build_graph, Args(rate=1, beats=50)).start()
        first.kill("worker")
        first.close()
        assert second.finish().clean
        second.close()
    assert [actor.deaths for actor in second.report.actors] == [[]] * 4


# Tests that go wrong


def test_an_error_inside_the_with_comes_through_with_a_note() -> None:
    def go_wrong() -> None:
        with GraphUnderTest(build_graph, ENDLESS) as graph:
            graph.wait_line("Beat 1")
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        go_wrong()
    (note,) = caught.value.__notes__
    assert note.startswith("where everybody stands:\n  heartbeat: life 1 as process ")
    assert "stacks" not in note
    assert not psutil.Process().children()


def test_a_time_out_of_the_tests_own_shows_the_stacks_too() -> None:
    def wait_too_long() -> None:
        with GraphUnderTest(build_graph, ENDLESS) as graph:
            graph.wait_line("Msg Value(1)")
            graph.run.block_until_stopped(0.01)

    with pytest.raises(TimeoutError) as caught:
        wait_too_long()
    assert '/actors/worker.py", line ' in caught.value.__notes__[0]


def test_ctrl_c_ends_a_test_and_its_graph() -> None:
    graph = GraphUnderTest(build_graph, ENDLESS)

    def press() -> None:
        graph.wait_for(ActorStarted, actor="logger")
        os.kill(os.getpid(), signal.SIGINT)

    def wait_for_the_end() -> None:
        with graph:
            finger.start()
            graph.finish()

    finger = threading.Thread(target=press)
    with pytest.raises(KeyboardInterrupt):
        wait_for_the_end()
    finger.join()
    assert graph.report.exit_code is ExitCode.INTERRUPTED
    assert not psutil.Process().children()
