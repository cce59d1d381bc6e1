"""A graph in the hands of a test that waits in vain, goes wrong, or leaves something behind: it says so, and ends."""

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
from steady_mp import ConfigurationError, ExitCode
from steady_mp.events import ActorDied, ActorStarted, ShutdownRequested
from steady_mp.memory import layout
from steady_mp.memory.rundir import RunDir
from steady_mp.supervisor.bootstrap import RUN_MARK
from steady_mp.testing import litter
from steady_mp.testing.positions import describe
from steady_mp.testing.under_test import GraphUnderTest
from tests.support.staged import complaint

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

ENDLESS = Args(rate=5, beats=1_000_000)
NAMES = ("heartbeat", "generator", "worker", "logger")


# Waiting in vain


def test_who_waits_in_vain_is_told_where_everybody_stands() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        graph.freeze("generator")
        graph.wait_line("heartbeat Beat 3")
        logger = graph.run._supervisor.seats[3].control.words
        # Until it has a beat as well, worker may wait for that.
        graph.wait_until(lambda: "for messages in generator→worker (until " in describe(graph.run))
        graph.wait_until(lambda: logger[layout.PHASE] == layout.PHASE_WAITING)
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
    with GraphUnderTest(build_graph, ENDLESS, shutdown_timeout=1.0) as graph:
        graph.wait_until(lambda: graph.channel("worker→logger").taken > 0)  # nobody is still about to begin
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
    graph.wait_until(lambda: seat.pid is not None)
    seat.control.words[layout.RESCUES] += 1


def test_a_lost_wake_up_fails_the_test_that_did_not_allow_it() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        rescue(graph, "worker")
        graph.request_shutdown()
        told = complaint(graph.finish)
        assert told.startswith("a wake-up was lost: only the safety time-out has woken worker (1 times)\n")
        assert graph.rescues == {"worker": 1}
        assert graph.finish(rescued=True).clean
    with pytest.raises(AssertionError, match="a wake-up was lost"), GraphUnderTest(build_graph, ENDLESS) as graph:
        rescue(graph, "logger")


def test_who_waited_for_a_frozen_neighbour_has_not_lost_anything() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        graph.freeze("worker")
        for actor in ("logger", "logger", "worker"):
            rescue(graph, actor)
        graph.thaw("worker")
        rescue(graph, "generator")  # its wait may have begun before
        graph.run.request_shutdown()
        assert graph.finish().clean
        assert graph.rescues == {"generator": 1, "worker": 1, "logger": 2}


def test_a_freeze_excuses_nothing_from_before_it_or_from_long_after_it() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        rescue(graph, "logger")
        graph.freeze("worker")
        graph.thaw("worker")
        rescue(graph, "generator")
        rescue(graph, "generator")
        graph.run.request_shutdown()
        told = complaint(graph.finish)
        assert ": only the safety time-out has woken generator (1 times), logger (1 times)\n" in told
        assert graph.finish(rescued=True).clean


def test_with_the_life_that_was_frozen_ends_what_is_excused() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        graph.freeze("worker")
        rescue(graph, "logger")
        graph.kill("worker")
        rescue(graph, "logger")
        graph.wait_for(ActorStarted, actor="worker", generation=2)
        rescue(graph, "logger")
        graph.run.request_shutdown()
        assert ": only the safety time-out has woken logger (1 times)\n" in complaint(graph.finish)
        assert graph.finish(rescued=True).clean


# What is left


def test_what_a_run_leaves_behind_is_named() -> None:
    graph = GraphUnderTest(build_graph, ENDLESS).start()
    directory = graph.run.directory
    opened = os.open(directory / "run", os.O_RDONLY)
    with mmap.mmap(opened, 0, prot=mmap.PROT_READ):
        told = complaint(graph.close)
    os.close(opened)
    assert told.startswith("graph 'under-test' has left behind: ")
    assert f" descriptor {opened} → {directory}/run (deleted); " in told
    assert told.endswith(f"; mapping of {directory}/run (deleted)")


def test_a_process_that_is_left_is_named_and_killed(tmp_path: Path) -> None:
    environment = {**os.environ, RUN_MARK: str(tmp_path / "run")}
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); import signal; signal.pause()"],
        env=environment,
        stdout=subprocess.PIPE,
    ) as left:
        assert left.stdout is not None
        left.stdout.readline()  # in the midst of its exec it shows no environment
        (told,) = litter.of_run(tmp_path / "run")
        assert left.wait() == -signal.SIGKILL
    assert told.startswith(f"process {left.pid} ")
    assert told.endswith(" -c print(flush=True); import signal; signal.pause()")


def test_a_run_directory_that_is_left_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(RunDir, "remove", lambda _: None)
        graph = GraphUnderTest(build_graph, ENDLESS).start()
        run = graph.run._run
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
            graph.wait_for(ActorStarted, actor="heartbeat")  # a line of its log may come before
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
