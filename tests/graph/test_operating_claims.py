"""What docs/operating.md says besides: which run is meant, who can't answer, what is not waited for, what is shown."""

from __future__ import annotations

import itertools
import os
import re
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp import ExitCode, Graph
from steady_mp.cli import health as command
from steady_mp.cli.runs import Opened
from steady_mp.events import ActorStarted
from steady_mp.memory import layout
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.stage import Stage
from steady_mp.testing.steps import LiveOn
from tests.graph.test_breakpoints import COMMAND, HALT, attach, result, running
from tests.graph.test_dump import dumped
from tests.graph.test_page_examples import example, shape
from tests.support import asked, circles, debugged
from tests.support.gates import Lines, open_gate
from tests.support.hosts import Process, all_gone
from tests.support.operator import Operator, hosted
from tests.support.spares import the_spare
from tests.support.waiting import eventually
from tests.support.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steady_mp import Run

pytestmark = pytest.mark.timeout(60)

FLOW = ("source", "middle", "sink")
PATIENT = Script.each_life([LiveOn()])


# Which run is meant


@contextmanager
def idle(name: str, *actors: str) -> Iterator[Run]:
    """Run two actors that have nothing to do."""
    graph = Graph(name, log_level="error", refresh=0.05)
    tx, rx = graph.channel(8, name=f"{name} way")
    graph.actor(actors[0], perform, PATIENT, tx)
    graph.actor(actors[1], perform, PATIENT, rx)
    with graph.start(output=Lines()) as run:
        yield run


#: What is typed, and what the answer has where the right run was asked. {run} is where its name goes.
ASKED = {
    "ps {run}": "first  running",
    "top {run} --once": "first way",
    "stop {run}": "runs first without waiting for it",
    "health {run}": "first is healthy",
    "dump {run} -o {file}": "graph first, ",
    "ps --run {run}": "first  running",
    "top --run {run} --once": "first way",
    "stop --run {run}": "runs first without waiting for it",
    "health --run {run}": "first is healthy",
    "dump --run {run} -o {file}": "graph first, ",
    "why --run {run}": "first  running",
    "kill giver --signal CONT --run {run}": "giver",
    "state giver --run {run}": "giver",
    "stack giver --run {run}": "giver, life 1, process ",
    "peek {channel} --run {run}": "first way: 0 of 8 in flight",
    "revive giver --run {run}": "giver is not given up",
    "pdb giver --run {run}": "it waits at no breakpoint()",
    "dead-letters list --run {run}": "first has no dead letters",
    "dead-letters show x@1 --run {run}": "in graph 'first': there is none",
    "dead-letters replay --all --run {run}": "first has no dead letters",
    "dead-letters export {letters} --run {run}": "0 dead letters of first",
}


def test_each_command_takes_the_name_of_the_graph_and_that_of_its_directory(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {"file": str(tmp_path / "dump.zip"), "letters": str(tmp_path / "letters"), "channel": "first way"}

    def types(line: str, run: str = "") -> str:
        words = [word.format(run=run, **places) for word in line.split()]
        told = operator.types(*words)
        return told.out + told.err

    with idle("first", "giver", "taker") as run, idle("second", "other giver", "other taker"):
        assert eventually(lambda: {each["state"] for each in operator.actors("first").values()} == {"idle"})
        assert types("ps {run}", run.directory.name).startswith("first  running")
        names = itertools.cycle(["first", str(run.directory)])
        for line, answer in ASKED.items():
            said = types(line, name := next(names))
            assert answer in said, (line, name, said)
            assert "second" not in said
        for line in ASKED:
            if "--run" in line and not line.startswith("ps"):
                said = types(line.replace("--run {run}", ""))
                assert re.search(r"several runs could be meant|name one of them", said), (line, said)
                assert said.count("\n") == 1
        # Nobody is in its own code, so nobody is watched: a pause would be longer than this test may take.
        monkeypatch.setattr(command, "_PAUSE", 1e6)
        assert types("health first") == "first is healthy: every actor works, waits for work, or has finished\n"
        # Looking can't change anything, and what stands by for the next restart is no actor.
        with Opened(run.directory) as opened:
            for words in (opened.control(0).words, opened.store(0).words):
                with pytest.raises(TypeError):
                    words[0] = 1
        spare = str(the_spare(run).pid)
        for line in ("ps first --json", "why --run first --json", "stack --run first --json", "top first --once"):
            assert not re.search(rf"\b{spare}\b", types(line)), line


# stack


def test_native_code_sees_that_it_was_asked(operator: Operator) -> None:
    graph = Graph("native", log_level="error")
    graph.actor("native", asked.poll_natively)
    output = Lines()
    with graph.start(output=output) as run:
        output.wait_for("polling")
        told: list[bool] = []

        def has_said_it() -> bool:
            told.append(operator.types("stack", "native").status == ExitCode.DRAINED)
            return any("poll gave -1, EINTR" in line for line in output.all())

        assert eventually(has_said_it)
        assert any(told)
        run.request_shutdown()
        report = run.block_until_stopped(30)
    assert report.clean
    assert report.actors[0].restarts == 0


@pytest.mark.skipif(sys.platform != "linux", reason="how other systems show such a call is not known")
def test_one_in_a_call_that_nothing_interrupts_is_said_to_be(operator: Operator, tmp_path: Path) -> None:
    fifo = tmp_path / "input"
    os.mkfifo(fifo)
    graph = Graph("deaf", log_level="error")
    graph.actor("deaf", asked.stay_deaf, str(fifo))
    output, watch = Lines(), Watch()
    with graph.start(output=output, on_event=watch) as run:
        actor = psutil.Process(watch.wait_for(ActorStarted).pid)
        try:
            assert eventually(lambda: bool(actor.children()) and actor.status() == psutil.STATUS_DISK_SLEEP)
            said = operator.refused("stack", "deaf", "--timeout", "0.1")
        finally:
            writer = open_gate(str(fifo))
            output.wait_for("hears again")
            os.close(writer)
        assert "no answer within 0.1 s: it is in a system call that no signal interrupts" in said
        run.request_shutdown()
        assert run.block_until_stopped(30).clean


# stop

EMBEDDED = """
import threading
from steady_mp import Graph
from steady_mp.memory import layout
from steady_mp.testing.scripted import perform
from tests.support import lives
if __name__ == "__main__":
    graph = Graph("embedded")
    graph.actor("patient", perform, lives.REFUSING)
    with graph.start():
        print("up", flush=True)
        while True:
            threading.Event().wait(1.0)
"""
AT_A_BREAKPOINT = """
from steady_mp import Graph
from tests.support import debugged
if __name__ == "__main__":
    graph = Graph("held", shutdown_timeout=0.2)
    tx, rx = graph.channel(8)
    graph.actor("counter", debugged.count, tx, 6, graph.state())
    graph.actor("inspector", debugged.inspect, rx, (0,), graph.state())
    raise SystemExit(graph.start().block_until_stopped().exit_code)
"""


def test_stop_now_kills_a_program_that_does_something_else(operator: Operator, run_root: Path) -> None:
    with Process(sys.executable, "-c", EMBEDDED) as program:
        program.wait_line("up")
        family = program.family()
        assert "without waiting for it" in operator.refused("stop")
        assert operator.types("stop", "--now").out == "embedded: killed with its supervisor\n"
        assert program.wait() == -signal.SIGKILL
        assert all_gone(family, 10.0)
        assert not list(run_root.iterdir())


def test_stop_now_does_not_wait_for_a_debugger(operator: Operator) -> None:
    with Process(sys.executable, "-c", AT_A_BREAKPOINT) as program:
        program.wait_line("breakpoint at")
        program.wait_hearing()
        assert operator.types("stop", "--no-wait").status == ExitCode.DRAINED
        program.wait_line("the shutdown waits for the debugger of inspector")
        assert "held is still draining" in operator.refused("stop", "--timeout", "0.1")
        told = operator.types("stop", "--now")
        assert told.status == ExitCode.DRAINED
        assert "exit code 130" in told.out
        assert program.wait() == ExitCode.INTERRUPTED


# The debugger


def test_the_death_of_the_client_detaches_and_the_page_shows_what_is_said() -> None:
    page = example("pdb worker")
    with running(3) as (run, _, output):
        line = output.wait_for("breakpoint at")
        said = re.fullmatch(
            r"[\d:.]+ inspector +breakpoint at \S+\.py:(\d+); attach with: (steady-mp pdb inspector --run \S+)", line
        )
        assert said, line
        with Process(*COMMAND, "pdb", "inspector", terminal=True) as client:
            client.wait_line(HALT)
            told = "steady-mp: attached to inspector, life 1; Ctrl-D or Ctrl-C detaches, and it goes on"
            client.wait_line(told)
            assert page[0] == told.replace("inspector", "worker")
            place = next(line for line in client.lines if line.startswith("> "))
            number = int(said[1]) + ("breakpoint" not in HALT)
            assert re.fullmatch(rf"> \S+debugged\.py\({number}\)inspect\(\)", place)
            assert re.fullmatch(r"> \S+worker\.py\(\d+\)run\(\)", page[1])
            client.press(b"value = 30\n")
            client.send(signal.SIGKILL)
        assert result(run)[4:] == [4, 5]
    assert page[-1] == "steady-mp: worker goes on"


def debugging(graph: Graph) -> None:
    tx, rx = graph.channel(8)
    graph.actor("counter", debugged.count, tx, 6, graph.state())
    graph.actor("inspector", debugged.inspect, rx, (3,), graph.state())


def test_on_a_stage_an_actor_that_is_not_played_waits_for_pdb() -> None:
    with Stage(debugging, playing=["counter"]) as stage:
        stage.actor("counter").echo(3)
        stage.wait_line("breakpoint at")
        assert "steady-mp: inspector goes on" in attach("value = 30\nc\n").stderr
        assert stage.final_bow().actors[1].state["values"] == [30]


# Deadlocks


def test_a_deadlock_is_told_without_telemetry_and_no_kill_mends_it(operator: Operator) -> None:
    graph = Graph("circle", log_level="error")
    circles.circle(graph, circles.breed, "ab")
    watch = Watch()

    def is_in_it(life: int) -> bool:
        (seen,) = operator.types("ps", "--json").data
        lives = {actor["name"]: actor["generation"] for actor in seen["actors"]}
        return (seen["deadlocks"], lives["a"]) == (["a → b → a"], life)

    with graph.start(output=Lines(), on_event=watch) as run:
        assert eventually(lambda: is_in_it(1))
        told = operator.types("health")
        assert (told.status, shape(told.out)) == (
            ExitCode.UNCLEAN,
            "a → b → a is a deadlock: each waits for room in the next one's channel",
        )
        assert operator.types("kill", "a").status == ExitCode.DRAINED
        watch.wait_for(ActorStarted, actor="a", generation=2)
        assert eventually(lambda: is_in_it(2))
        run.stop_now()
        assert any("a deadlock: a → b → a" in line for line in run.block_until_stopped(30).why)


# dump


def test_a_summary_is_as_the_page_shows_it_and_every_text_is_in_the_archive(operator: Operator, tmp_path: Path) -> None:
    def are(**states: str) -> bool:
        found = operator.actors()
        return all(found[name]["state"] == state for name, state in states.items())

    def stop_asleep() -> bool:
        """Stop the sink, and let it go on again where that did not find it in its wait."""
        assert operator.types("kill", "sink", "--signal", "STOP").status == ExitCode.DRAINED
        assert eventually(lambda: are(sink="stopped"))
        (run,) = operator.types("ps", "--json").data
        with Opened(Path(run["directory"])) as opened:
            if opened.control(2).words[layout.PHASE] == layout.PHASE_WAITING:
                return True
        assert operator.types("kill", "sink", "--signal", "CONT").status == ExitCode.DRAINED
        return False

    with hosted("flow", *FLOW):
        # Where nothing comes any more the sink waits; there it is stopped, and only then does more come.
        assert operator.types("kill", "source", "--signal", "STOP").status == ExitCode.DRAINED
        assert eventually(lambda: are(source="stopped", middle="idle", sink="idle") and stop_asleep())
        assert operator.types("kill", "source", "--signal", "CONT").status == ExitCode.DRAINED
        assert eventually(lambda: "8 of 8 in flight" in operator.types("peek", "source->middle").out)
        assert eventually(lambda: are(source="blocked", middle="blocked", sink="stopped"))
        assert operator.types("health").out == f"{example('health')[0].replace('logger', 'sink')}\n"
        told = operator.types("dump", "-o", str(tmp_path / "still.tgz"))
        parts = dumped(operator, tmp_path / "again.zip")
        (run,) = operator.types("ps", "--json").data
        texts = {f"run/{name}" for name in ("status.json", "events.jsonl", "graph.json", "log-file")}
        there = {f"run/{entry.name}" for entry in Path(run["directory"]).iterdir()}
        assert texts <= there
        assert texts | {f"run/actor-{index}.stack" for index in (0, 1)} <= set(parts)
    shown = " ".join(" ".join(example("dump -o still.tar.gz")).split())
    for old, new in (("generator", "source"), ("worker", "middle"), ("logger", "sink")):
        shown = shown.replace(old, new)
    printed = " ".join(told.out.split())
    for words in (shown, printed):
        assert re.match(r"graph \S+, \S+ running; its supervisor is process \d+ ", words)
    told_page, told_run = (words[words.index("source waits for ") :] for words in (shown, printed))
    assert shape(told_run).startswith(shape(told_page))
    assert "summary.txt is above" in told.out
