"""`breakpoint()` in an actor, and `steady-mp pdb` that attaches to it."""

from __future__ import annotations

import inspect
import re
import shlex
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph
from steady_mp.events import ActorStarted, ShutdownPostponed
from steady_mp.memory.sockets import address_of
from steady_mp.testing import Bench
from tests.support import debugged
from tests.support.gates import Lines
from tests.support.hosts import Process
from tests.support.waiting import eventually
from tests.support.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from steady_mp import Run
    from tests.support.operator import Operator

pytestmark = pytest.mark.timeout(90)

COMMAND = (sys.executable, "-c", "import sys; from steady_mp.cli.main import main; sys.exit(main())")
#: Where pdb stops: from Python 3.13 on at `breakpoint()` itself, before that at the line behind it.
HALT = "-> breakpoint()" if sys.version_info >= (3, 13) else "-> seen.values.append(value)"


def line_of(text: str) -> int:
    """Return the number of a line of the inspector's."""
    lines, first = inspect.getsourcelines(debugged.inspect)
    return first + next(index for index, line in enumerate(lines) if text in line)


@contextmanager
def running(*at: int, shutdown_timeout: float = 15.0) -> Iterator[tuple[Run, Watch, Lines]]:
    """Run a counter and an inspector that stops at some of six numbers."""
    graph = Graph("debugged", shutdown_timeout=shutdown_timeout)
    tx, rx = graph.channel(8)
    graph.actor("counter", debugged.count, tx, 6, graph.state())
    graph.actor("inspector", debugged.inspect, rx, at, graph.state())
    watch, output = Watch(), Lines()
    with graph.start(on_event=watch, output=output) as run:
        yield run, watch, output


def attach(lines: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [*COMMAND, "pdb", "inspector", *words], input=lines, capture_output=True, text=True, check=False, timeout=30
    )


def result(run: Run) -> list[int]:
    report = run.block_until_stopped(30)
    assert report.exit_code is ExitCode.DRAINED, report.why
    values: list[int] = report.actors[1].state["values"]
    return values


def test_a_variable_is_changed_and_the_result_shows_it(operator: Operator) -> None:
    with running(3) as (run, _, output):
        line = output.wait_for("breakpoint at")
        assert "debugged.py:" in line
        command = shlex.split(line.partition("attach with: ")[2])
        assert command == ["steady-mp", "pdb", "inspector", "--run", str(run.directory)]
        assert eventually(lambda: operator.actors()["inspector"]["state"] == "debugged")
        assert "inspector is debugged" in operator.types("health").out
        told = attach("p value * 100\nvalue = 30\nc\n")
        assert told.returncode == ExitCode.DRAINED, told
        assert f"inspect()\n{HALT}" in told.stdout
        assert "(Pdb) 300\n" in told.stdout
        assert "steady-mp: attached to inspector, life 1; " in told.stderr
        assert "steady-mp: inspector goes on" in told.stderr
        assert result(run) == [0, 1, 2, 30, 4, 5]


def test_one_session_after_the_other_and_breakpoints_set_inside() -> None:
    with running(1, 2) as (run, _, output):
        output.wait_for("breakpoint at")
        told = attach("value = 10\nc\nvalue = 20\nb\nrun\nq\n", "--wait", "--run", str(run.directory))
        assert told.stderr.count("attached to inspector") == 2
        assert "quit detaches" in told.stdout
        assert result(run) == [0, 10, 20, 3, 4, 5]
    with running(1) as (run, _, output):
        output.wait_for("breakpoint at")
        told = attach(f"b {line_of('append')}, value == 2\nc\np value\nvalue = 77\ncl 1\nc\n")
        assert "(Pdb) 2\n" in told.stdout
        assert result(run) == [0, 1, 77, 3, 4, 5]


@pytest.mark.parametrize(
    "way",
    [f"b {line_of('append')}, value == 5\nc\ncl 1\n", f"tbreak {line_of('breakpoint()')}\nc\ns\n", "n\n" * 8],
    ids=["continue", "step", "next"],
)
def test_a_breakpoint_that_the_session_comes_to_halts_in_the_actors_code(way: str) -> None:
    with running(1, 2) as (run, _, output):
        output.wait_for("breakpoint at")
        told = attach(f"{way}p 'goes on'\nc\n").stdout
        assert result(run) == [0, 1, 2, 3, 4, 5]
    before, said, _ = told.partition("'goes on'")
    assert said
    assert before.count(f"inspect()\n{HALT}") >= 2
    places = re.findall(r"^(?:\(Pdb\) )*> \S+/(\w+\.py)\(\d+\)", before, re.MULTILINE)
    assert set(places) == {"debugged.py"}


def test_the_end_of_the_input_detaches() -> None:
    with running(0) as (run, _, output):
        output.wait_for("breakpoint at")
        told = attach("p value")  # without a line's end
        assert told.returncode == ExitCode.DRAINED
        assert "(Pdb) 0\n" in told.stdout
        assert "detached; inspector goes on" in told.stderr
        assert result(run) == [0, 1, 2, 3, 4, 5]


def test_ctrl_c_in_the_client_detaches() -> None:
    with running(4) as (run, _, output):
        output.wait_for("breakpoint at")
        with Process(*COMMAND, "pdb", "inspector", terminal=True) as client:
            client.wait_line(HALT)
            client.press(b"p value + 38\n")
            client.wait_line("42")
            client.press(b"\x03")
            client.wait_line("detached; inspector goes on")
            assert client.wait() == ExitCode.DRAINED
        assert result(run) == [0, 1, 2, 3, 4, 5]


def test_a_kill_in_the_debugger_is_a_death_like_any_other() -> None:
    with running(3) as (run, watch, output):
        output.wait_for("breakpoint at")
        with Process(*COMMAND, "pdb", "inspector", terminal=True) as client:
            client.wait_line(HALT)
            run.kill("inspector")
            client.wait_line("the process of inspector has ended")
            assert client.wait() == ExitCode.DRAINED
        watch.wait_for(ActorStarted, actor="inspector", generation=2)
        assert result(run) == [0, 1, 2, 3, 4, 5]
    with running(3) as (run, watch, output):  # and one that nobody has attached to
        output.wait_for("breakpoint at")
        run.kill("inspector")
        watch.wait_for(ActorStarted, actor="inspector", generation=2)
        assert result(run) == [0, 1, 2, 3, 4, 5]


def test_the_shutdown_waits_for_the_debugger() -> None:
    with running(3, shutdown_timeout=1.0) as (run, watch, output):  # all of it is waited for
        output.wait_for("breakpoint at")
        run.request_shutdown()
        event = watch.wait_for(ShutdownPostponed)
        assert event.actors == ("inspector",)
        output.wait_for("the shutdown waits for the debugger of inspector")
        attach("c\n")
        assert result(run) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("hook", ["0", "tests.support.debugged.notice"])
def test_what_the_user_has_set_goes_first(hook: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONBREAKPOINT", hook)
    with running(3) as (run, _, output):
        assert result(run) == [0, 1, 2, 3, 4, 5]
        assert any("noticed a breakpoint" in line for line in output.all()) == (hook != "0")


def test_who_is_at_no_breakpoint_is_left_alone(operator: Operator) -> None:
    assert "nothing runs" in operator.refused("pdb", "inspector")
    with running(0) as (_run, _, output):
        output.wait_for("breakpoint at")
        assert "no actor 'nobody'" in operator.refused("pdb", "nobody")
        assert eventually(lambda: operator.actors()["counter"]["state"] == "finished")
        assert "counter has no process at present: it is finished" in operator.refused("pdb", "counter")
        with Process(*COMMAND, "pdb", "inspector", terminal=True) as client:
            client.wait_line(HALT)
            assert "somebody else has attached to it" in operator.refused("pdb", "inspector")


def test_on_the_bench_it_is_pythons_own(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[int] = []
    monkeypatch.setattr(sys, "breakpointhook", lambda: called.append(1))
    bench = Bench("inspector")
    numbers, state = bench.input(), bench.state()
    bench.actor(debugged.inspect, numbers.end, (1,), state)
    numbers.send_all([1, 2])
    bench.run()
    assert called == [1]


def test_a_path_that_is_too_long_for_a_socket_has_a_short_way(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 90)
    folder.mkdir()
    with address_of(folder / "actor-3.pdb") as address:
        assert len(address) < 100
        assert address.endswith("/actor-3.pdb")
