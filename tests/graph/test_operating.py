"""`ps`, `kill` and `stop` at real runs: alive, stuck, frozen, and gone."""

from __future__ import annotations

import io
import os
import shlex
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp import ExitCode, Graph
from steady_mp.cli import stop as command
from steady_mp.events import ActorStarted
from steady_mp.testing.scripted import perform
from tests.support import lives
from tests.support.hosts import Process, all_gone
from tests.support.operator import Operator, hosted
from tests.support.waiting import eventually
from tests.support.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(90)

FLOW = ("source", "middle", "sink")


@pytest.mark.parametrize("words", [("stop",), ("stop", "--now"), ("kill", "source")], ids=" ".join)
def test_without_a_run_there_is_one_line(operator: Operator, words: tuple[str, ...]) -> None:
    assert "nothing runs on this machine" in operator.refused(*words)


def test_ps_without_a_run(operator: Operator) -> None:
    told = operator.types("ps")
    assert told.status == ExitCode.DRAINED
    assert "nothing runs on this machine" in told.out
    assert operator.types("ps", "--json").data == []


def test_ps_tells_busy_frozen_and_idle_apart(operator: Operator) -> None:
    with hosted("busy", *FLOW, "busy") as host:
        (run,) = operator.types("ps", "--json").data
        assert (run["graph"], run["phase"], run["pid"]) == ("busy", "running", host.pid)
        assert eventually(lambda: operator.actors()["busy"]["state"] == "running")
        # What stands behind it fills up, and ps says where.
        operator.freezes("sink", "middle->sink")
        shown = operator.types("ps").out
        assert "blocked on middle→sink" in shown
        assert str(operator.actors()["busy"]["pid"]) in shown
        assert operator.types("kill", "sink", "--signal", "cont").status == ExitCode.DRAINED
        assert eventually(lambda: operator.actors()["sink"]["state"] in {"idle", "running"})


def test_ps_shows_a_run_that_has_lost_its_supervisor(operator: Operator) -> None:
    with hosted("flow", *FLOW) as host:
        family = host.family()
        host.send(signal.SIGKILL)
        host.wait()
        assert all_gone(family, 10.0)
        (run,) = operator.types("ps", "--json").data
        assert run["phase"] == "dead"
        assert {actor["state"] for actor in run["actors"]} == {"dead"}
        assert {actor["pid"] for actor in run["actors"]} == {None}
        assert "its supervisor" in operator.types("ps").out
        assert "nothing runs on this machine" in operator.refused("kill", "source")


def test_kill_hits_the_actor_that_it_names_and_the_run_goes_on(operator: Operator) -> None:
    with hosted("busy", *FLOW, "busy") as host:
        host.wait_line("spinning busy")
        before = operator.actors()
        told = operator.types("kill", "busy", "--json").data
        assert told == {
            "actor": "busy",
            "pid": before["busy"]["pid"],
            "generation": 1,
            "signal": "SIGKILL",
        }
        host.wait_line("started busy 2 ")
        host.wait_line("spinning busy")
        after = operator.actors()
        assert after["busy"]["deaths"] == {"SIGKILL": 1}
        assert [after[name]["pid"] for name in FLOW] == [before[name]["pid"] for name in FLOW]
        assert "its next life goes on" in operator.types("kill", "source", "--signal", "15").out
        host.wait_line("started source 2 ")


def test_kill_refuses_what_is_not_there(operator: Operator) -> None:
    with hosted("flow", *FLOW):
        assert "no actor 'nobody' in graph 'flow': there is source, middle, sink" in operator.refused("kill", "nobody")
        assert "'BANG' is no signal" in operator.refused("kill", "source", "--signal", "BANG")
        assert "no run 'other': there is flow" in operator.refused("kill", "source", "--run", "other")
        assert "run" in operator.refused("kill", "source", "--run", os.devnull)


def test_stop_drains_and_says_so(operator: Operator, run_root: Path) -> None:
    with hosted("flow", *FLOW) as host:
        told = operator.types("stop")
        assert told.status == ExitCode.DRAINED
        assert "flow: drained after" in told.out
        assert not list(run_root.iterdir())
        assert host.wait() == ExitCode.DRAINED
        assert host.report()["clean"]


def test_stop_names_who_refused(operator: Operator) -> None:
    with hosted("stubborn", *FLOW, "stubborn") as host:
        told = operator.types("stop", "--json")
        assert told.status == ExitCode.UNCLEAN
        assert told.data["exit_code"] == ExitCode.UNCLEAN
        (refused,) = told.data["refused"]
        assert "stubborn" in refused
        assert "3 orders unpaid" in refused
        assert host.wait() == ExitCode.UNCLEAN


def test_stop_without_waiting_then_with_an_end_to_its_patience_then_at_once(operator: Operator) -> None:
    with hosted("busy", *FLOW, "busy") as host:
        host.wait_line("spinning busy")
        assert "busy: draining" in operator.types("stop", "--no-wait").out
        # Asked again before it has heard that, it would get a second signal, and stop at once.
        assert eventually(lambda: operator.types("ps", "--json").data[0]["phase"] == "draining")
        assert "busy is still draining" in operator.refused("stop", "--timeout", "0.2")
        told = operator.types("stop", "--now")
        assert told.status == ExitCode.DRAINED
        assert "exit code 130" in told.out
        assert host.wait() == ExitCode.INTERRUPTED


def test_stop_now_of_a_run_that_nobody_has_asked_before(operator: Operator) -> None:
    with hosted("busy", *FLOW, "busy") as host:
        assert operator.types("stop", "--now", "--json").data["exit_code"] == ExitCode.INTERRUPTED
        assert host.wait() == ExitCode.INTERRUPTED


def test_a_frozen_supervisor_is_named_and_stopped_all_the_same(operator: Operator, run_root: Path) -> None:
    with hosted("flow", *FLOW) as host:
        host.send(signal.SIGSTOP)
        assert eventually(lambda: psutil.Process(host.pid).status() == psutil.STATUS_STOPPED)
        assert f"kill -CONT {host.pid}" in operator.refused("stop")
        told = operator.types("stop", "--now")
        assert told.status == ExitCode.DRAINED
        assert "killed with its supervisor" in told.out
        assert host.wait() == -signal.SIGKILL
        assert not list(run_root.iterdir())


def test_stop_does_not_kill_a_program_that_does_something_else(operator: Operator) -> None:
    """Graph.start without block_until_stopped: SIGTERM would end the whole program."""
    graph = Graph("embedded", log_level="error")
    graph.actor("idler", perform, lives.PARENT)
    watch = Watch()
    with graph.start(on_event=watch, output=io.StringIO()):
        watch.wait_for(ActorStarted)
        before = signal.getsignal(signal.SIGTERM)
        assert before is signal.SIG_DFL
        assert "without waiting for it (block_until_stopped)" in operator.refused("stop")


DEAF = """
import signal, threading
from steady_mp import Graph
from steady_mp.testing.scripted import perform
from tests.support import lives
if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: print("heard", flush=True))
    graph = Graph("deaf")
    graph.actor("refuser", perform, lives.REFUSING)
    with graph.start():
        print("up", flush=True)
        while True:
            threading.Event().wait(1.0)
"""


def test_a_supervisor_that_hears_and_does_nothing(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_ANSWER", 0.3)
    with Process(sys.executable, "-c", DEAF) as program:
        program.wait_line("up")
        family = program.family()
        assert "deaf is still draining" in operator.refused("stop", "--timeout", "0.5")
        program.wait_line("heard")
        told = operator.types("stop", "--now")
        assert told.status == ExitCode.DRAINED
        assert "killed with its supervisor, which did not answer" in told.out
        assert program.wait() == -signal.SIGKILL
        assert all_gone(family, 10.0)


def test_what_is_wrongly_asked_and_what_cant_be_done_have_different_statuses(operator: Operator) -> None:
    with hosted("busy", *FLOW, "busy"):  # which drains for long enough to be looked at
        assert operator.types("kill", "nobody").status == ExitCode.BAD_CONFIGURATION
        assert operator.types("kill").status == ExitCode.BAD_CONFIGURATION
        assert operator.types("stop", "--no-wait").status == ExitCode.DRAINED
        assert eventually(lambda: operator.actors()["source"]["state"] == "finished")
        told = operator.types("kill", "source")
        assert told.status == ExitCode.UNCLEAN
        assert told.err == "steady-mp: source has no process at present: it is finished\n"
        assert operator.types("health").status == 1


def test_a_run_is_found_by_name_or_directory_where_there_are_two(operator: Operator) -> None:
    with hosted("flow", *FLOW), hosted("stubborn", *FLOW, "stubborn"):
        several: Callable[..., str] = operator.refused
        assert "several runs could be meant" in several("stop")
        runs = {run["graph"]: run for run in operator.types("ps", "--json").data}
        assert set(runs) == {"flow", "stubborn"}
        assert set(operator.actors("flow")) == set(FLOW)
        assert operator.types("kill", "stubborn", "--run", runs["stubborn"]["directory"]).status == 0
        assert "both name a run: give one of them" in operator.refused("stop", "flow", "--run", "stubborn")
        (by_option,) = operator.types("ps", "--run", "flow", "--json").data
        assert by_option["run"] == runs["flow"]["run"]
        assert operator.types("health", "--run", "flow").status == 0
        assert operator.types("stop", "--run", "flow").status == ExitCode.DRAINED
        assert set(operator.actors()) == {*FLOW, "stubborn"}


COMMAND = (sys.executable, "-m", "steady_mp")


def test_stop_and_ps_of_a_durable_run(operator: Operator, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    words = ("--rate", "1", "--beats", "1000000", "--no-telemetry")
    with Process(*COMMAND, "run", "--durable", str(folder), *words) as process:
        process.wait_line("Msg")
        process.wait_hearing()
        assert operator.types("state", "generator", "--run", str(folder)).status == 0
        (run,) = operator.types("ps", str(folder), "--json").data
        assert run["durable"]
        assert run["phase"] == "running"
        told = operator.types("stop", str(folder))
        assert told.status == ExitCode.DRAINED
        assert "drained" in told.out
        assert process.wait() == ExitCode.DRAINED
    assert "is not running" in operator.refused("stop", str(folder))
    assert operator.types("ps", str(folder), "--json").data[0]["phase"] == "stopped"
    assert operator.types("state", "generator", "--run", str(folder)).status == ExitCode.DRAINED


def test_a_durable_run_is_found_as_any_other_while_it_lives(operator: Operator, tmp_path: Path, run_root: Path) -> None:
    folder = tmp_path / "kept"
    words = ("--rate", "1", "--beats", "1000000", "--no-telemetry")
    with Process(*COMMAND, "run", "--durable", str(folder), *words) as process:
        process.wait_line("Msg")
        assert eventually(lambda: operator.types("health").status == 0)
        (run,) = operator.types("ps", "--json").data
        assert (run["run"], run["directory"], run["phase"]) == ("kept", str(folder), "running")
        assert operator.types("state", "worker", "--run", "kept").status == 0
        family = process.family()
        process.send(signal.SIGKILL)
        assert all_gone(family, 10.0)
    (run,) = operator.types("ps", "--json").data
    assert (run["directory"], run["phase"]) == (str(folder), "dead")
    assert operator.types("clean").out.startswith("nothing to clean")
    assert not list(run_root.iterdir())
    with Process(*COMMAND, "run", "--resume", str(folder)) as process:
        process.wait_line("Msg")
        process.wait_hearing()
        assert eventually(lambda: operator.types("health").status == 0)
        assert operator.types("stop").status == ExitCode.DRAINED
        assert process.wait() == ExitCode.DRAINED
    assert not list(run_root.iterdir())
    assert (folder / "durable").exists()


def test_the_shell_completes_what_runs(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    def offered(*words: str) -> list[str]:
        monkeypatch.setenv("_STEADY_MP_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(words))
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        with pytest.raises(SystemExit):
            operator.types()
        return operator.read().split()

    assert {"stop", "state", "stack"} <= set(offered("steady-mp", "st"))
    assert offered("steady-mp", "kill", "s") == []
    with hosted("flow", *FLOW):
        assert offered("steady-mp", "kill", "s") == ["sink", "source"]
        assert offered("steady-mp", "stop", "") == ["flow"]
        assert offered("steady-mp", "peek", "middle-") == ["middle->sink"]


def test_an_output_that_nobody_reads_or_that_is_full(run_root: Path) -> None:
    assert run_root.exists()
    for words in ("ps", "ps --json"):
        script = f"{shlex.join(COMMAND)} {words} > /dev/full"
        with Process("sh", "-c", script) as shell:
            assert shell.wait() == ExitCode.UNCLEAN
            (line,) = [line for line in shell.output.splitlines() if line]
            assert line == "steady-mp: the output can't be written: No space left on device"
