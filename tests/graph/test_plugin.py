"""The pytest plugin, as a project sees it that has steady-mp installed: another pytest in another process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support.hosts import all_gone

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.timeout(60)

HEAD = """
import os
import pathlib
import subprocess
import sys

import pytest

from actors import Args, build_graph
from actors.fizzbuzz import Word
from steady_mp.events import ActorDied, ActorStarted

ENDLESS = Args(rate=10, beats=1_000_000)
SLEEPER = "import signal; signal.pause()"
kept = []
"""


@pytest.fixture
def run_tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Run a module of tests in a pytest of its own; what it writes about its run roots is checked."""
    monkeypatch.delenv("CI", raising=False)  # there pytest's summary repeats each message in full

    def run(body: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(HEAD + body)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:randomly", *options)

    return run


def test_the_fixtures_start_stop_and_leave_nothing(run_tests: Callable[..., pytest.RunResult]) -> None:
    result = run_tests(
        """
def test_a_graph(graph_under_test):
    graph = graph_under_test(build_graph, Args(rate=10, beats=5), crash_at=[("worker", "commit:publish")])
    graph.wait_for_death("worker")
    assert graph.finish().clean

def test_a_stage(stage):
    on = stage(build_graph, ENDLESS, playing=["generator", "logger"], log_level="error")
    on.actor("generator").echo(15)
    on.actor("logger").expect(Word.FIZZBUZZ)
    on.final_bow()

def test_several_at_once_that_nobody_stops(graph_under_test, stage, steady_mp_root):
    graphs = [graph_under_test(build_graph, ENDLESS), stage(build_graph, ENDLESS, playing="logger")]
    for graph in graphs:
        graph.wait_for(ActorStarted, actor="logger")
        assert graph.run.directory.parent == steady_mp_root == pathlib.Path(os.environ["STEADY_MP_ROOT"])
    print("\\nroot", steady_mp_root)

def test_one_that_it_uses_itself(graph_under_test):
    with graph_under_test(build_graph, ENDLESS) as graph:
        graph.kill("logger")
""",
        "-s",
    )
    result.assert_outcomes(passed=4)
    root = next(line.split()[1] for line in result.outlines if line.startswith("root "))
    assert not Path(root).exists()


def test_what_is_left_fails_the_test_that_left_it(run_tests: Callable[..., pytest.RunResult]) -> None:
    result = run_tests(
        """
from steady_mp.memory.rundir import RunDir
from steady_mp.testing import litter

litter._GRACE = 0.2  # nothing here is about to end

def test_a_child(graph_under_test):
    kept.append(subprocess.Popen([sys.executable, "-c", SLEEPER]))

def test_an_orphan(graph_under_test):
    start = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True)"
    subprocess.run([sys.executable, "-c", start, SLEEPER], check=True)

def test_a_descriptor(stage, tmp_path):
    kept.append((tmp_path / "mine").open("w"))

def test_a_directory(graph_under_test):
    kept.append(RunDir.create("mine", {"file": 4096}, {}))

def test_the_next_one_has_nothing_to_do_with_it(graph_under_test):
    litter._GRACE = 2.0  # and here a run is
    child, opened, directory = kept
    child.wait()
    assert not directory.path.exists()
    assert graph_under_test(build_graph, Args(rate=10, beats=1)).finish().clean
"""
    )
    result.assert_outcomes(passed=5, errors=4)
    result.stdout.re_match_lines_random(
        [
            r"left behind: process \d+ .*signal.pause\(\)$",
            r"left behind: descriptor \d+ → .*/mine$",
            r"left behind: .*run directory mine\.\d+\.\d+\.\d+\.\d+$",
        ]
    )
    assert sum(line.startswith("left behind: process ") for line in result.outlines) == 2


def test_a_time_out_shows_the_dump_once(run_tests: Callable[..., pytest.RunResult]) -> None:
    result = run_tests(
        """
def test_in_vain(graph_under_test):
    graph = graph_under_test(build_graph, ENDLESS)
    graph.wait_line("Msg Value(1)")
    graph.freeze("generator")
    graph.wait_for(ActorDied, actor="worker", seconds=0.1)
"""
    )
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"E +AssertionError: ActorDied\(actor='worker'\): none within 0.1 s",
            r"E +where everybody stands:",
            r"E +generator: life 1 as process .* stopped \(SIGSTOP\) .*",
            r"E +heartbeat→worker: sent \d+, taken .*",
            r"E +stacks:",
            r'E +File ".*/actors/heartbeat.py", line \d+ in run',
            r"E +generator:",
            r"E +stopped \(SIGSTOP\)",
            r"E +latest events:",
            r"E +ActorStarted: worker starts life 1 .*",
            r"E +latest lines of the log:",
            r"E +.* heartbeat Beat \d+",
        ]
    )
    assert str(result.stdout).count("latest events:") == 1


def test_any_failure_while_a_graph_runs_says_where_everybody_stood(run_tests: Callable[..., pytest.RunResult]) -> None:
    result = run_tests(
        """
from steady_mp.memory import layout

def test_wrong(stage):
    on = stage(build_graph, ENDLESS, playing=["generator", "logger"], name="mine")
    on.actor("generator").echo_all([1, 2])
    one = on.actor("logger").take()
    with open("held by the traceback", "w") as held:
        assert one == Word.FIZZ

def test_too_long(graph_under_test):
    graph_under_test(build_graph, ENDLESS).wait_line("Msg Value(1)")
    pytest.fail("Timeout of pytest-timeout, or any other way to end a test")

def test_rescued(graph_under_test):
    graph = graph_under_test(build_graph, ENDLESS)
    graph.wait_line("Msg Value(1)")
    graph.run._supervisor.seats[2].control.words[layout.RESCUES] += 1
"""
    )
    result.assert_outcomes(passed=1, failed=2, errors=1)
    result.stdout.re_match_lines([r"a wake-up was lost: only the safety time-out has woken worker \(1 times\)"])
    result.stdout.re_match_lines([r"-+ graph mine -+", "where everybody stands:", r"  heartbeat: life 1 as process .*"])
    # What is no exception of the test's own may be a time-out: then the stacks are of interest.
    result.stdout.re_match_lines(
        [r"-+ graph under-test -+", "stacks:", r'      File ".*/actors/worker.py", line \d+ in run']
    )


def test_a_start_that_is_refused_hides_and_breaks_nothing(run_tests: Callable[..., pytest.RunResult]) -> None:
    result = run_tests(
        """
from steady_mp import NoSpace
from steady_mp.testing import litter

def refuse(*_args, **_options):
    raise NoSpace("too large")

def test_refused(graph_under_test, monkeypatch):
    graph_under_test(build_graph, ENDLESS)
    with monkeypatch.context() as patched:
        patched.setattr("steady_mp.Graph.start", refuse)
        with pytest.raises(NoSpace):
            graph_under_test(build_graph, ENDLESS)

def test_nobody_is_left():
    assert litter.descendants() == []
"""
    )
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("ZeroDivisionError('mine')", r"E +ZeroDivisionError: mine"),
        ("pytest.fail.Exception('Timeout (>1.0s) from pytest-timeout.')", r"(E +)?Failed: Timeout \(>1\.0s\) from .*"),
    ],
)
def test_one_that_cant_be_closed_keeps_no_other_from_it(
    error: str, shown: str, run_tests: Callable[..., pytest.RunResult]
) -> None:
    result = run_tests(
        f"""
from steady_mp.testing import litter

def fail():
    raise {error}

def too_late():
    raise KeyError("the first one is told")

def test_fails_to_close(graph_under_test):
    graphs = [graph_under_test(build_graph, ENDLESS) for _ in range(3)]
    graphs[2]._release = fail
    graphs[1]._release = too_late
    kept.append(pathlib.Path(os.environ["STEADY_MP_ROOT"]))

def test_nobody_is_left():
    assert litter.descendants() == []
    assert not kept[0].exists()
"""
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.re_match_lines([shown])
    assert "KeyError" not in str(result.stdout)


def test_a_look_at_what_is_left_that_is_broken_off_leaves_no_folder(run_tests: Callable[..., pytest.RunResult]) -> None:
    result = run_tests(
        """
from steady_mp.testing import litter

def fail(_self, **_options):
    raise pytest.fail.Exception("Timeout")

def test_is_late(steady_mp_root, monkeypatch):
    monkeypatch.setattr(litter.Litter, "left", fail)
    kept.append(steady_mp_root)

def test_nothing_is_left():
    assert not kept[0].exists()
"""
    )
    result.assert_outcomes(passed=2, errors=1)


def test_a_fixture_that_fails_while_its_graph_runs_says_where_everybody_stood(
    run_tests: Callable[..., pytest.RunResult],
) -> None:
    result = run_tests(
        """
@pytest.fixture
def running(graph_under_test):
    graph = graph_under_test(build_graph, ENDLESS, name="mine")
    graph.wait_line("Msg Value(1)")
    held = open("held by the traceback", "w")
    raise KeyError("in the fixture")

def test_never(running):
    pass
"""
    )
    result.assert_outcomes(errors=1)  # the graph is not asked for lost wake-ups, nor the traceback for what it holds
    result.stdout.re_match_lines([r"-+ graph mine -+", "where everybody stands:", r"  heartbeat: life 1 as process .*"])


def test_one_that_is_expected_to_fail_is_not_asked_for_what_its_traceback_holds(
    run_tests: Callable[..., pytest.RunResult],
) -> None:
    result = run_tests(
        """
@pytest.mark.xfail(raises=ZeroDivisionError)
def test_divides(graph_under_test):
    held = open(os.devnull)
    1 / 0
"""
    )
    result.assert_outcomes(xfailed=1)


def test_one_that_is_run_again_is_judged_again(
    pytester: pytest.Pytester, run_tests: Callable[..., pytest.RunResult]
) -> None:
    pytester.makeconftest("""
import pytest
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    runtestprotocol(item, nextitem=nextitem, log=False)
    item._initrequest()
""")
    result = run_tests(
        """
def test_fails_and_then_leaves_something(graph_under_test):
    kept.append(open(os.devnull))
    assert len(kept) > 1
"""
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines("left behind: descriptor *")


def test_other_tests_are_left_alone(
    run_tests: Callable[..., pytest.RunResult], run_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOT_BEFORE", str(run_root))
    result = run_tests(
        """
def test_may_keep_what_it_likes(tmp_path):
    kept.append((tmp_path / "mine").open("w"))
    assert os.environ["STEADY_MP_ROOT"] == os.environ["ROOT_BEFORE"]
"""
    )
    result.assert_outcomes(passed=1)


def test_a_graph_of_a_wider_scope_may_restart_an_actor_meanwhile(run_tests: Callable[..., pytest.RunResult]) -> None:
    result = run_tests(
        """
from steady_mp.testing import GraphUnderTest

@pytest.fixture(scope="module")
def wider():
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        yield graph

def test_restarts(wider, graph_under_test):
    wider.kill("logger")
    wider.wait_for(ActorStarted, actor="logger", generation=2)

def test_the_next_life_goes_on(wider):
    assert wider.run.generation("logger") == 2
"""
    )
    result.assert_outcomes(passed=2)


def test_ctrl_c_leaves_nothing_behind(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        HEAD
        + """
def test_for_ever(stage):
    on = stage(build_graph, ENDLESS, playing=["generator", "logger"])
    on.wait_line("Beat 1")
    for actor in ("heartbeat", "generator", "worker", "logger"):
        on.wait_for(ActorStarted, actor=actor)
    print("\\nroot", os.environ["STEADY_MP_ROOT"], flush=True)
    on.actor("logger").take(timeout=50)
"""
    )
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=pytester.path) as inner:  # noqa: S603 - ours
        assert inner.stdout is not None
        root = next(line.split()[1] for line in inner.stdout if line.startswith("root "))
        family = psutil.Process(inner.pid).children(recursive=True)
        assert len(family) >= 5  # and a spare, once it stands by
        os.kill(inner.pid, signal.SIGINT)
        assert "KeyboardInterrupt" in inner.stdout.read()
    assert inner.returncode == pytest.ExitCode.INTERRUPTED
    assert all_gone(family, 10.0)  # whom this process has adopted may be a zombie: nobody waits for it yet
    assert not Path(root).exists()
