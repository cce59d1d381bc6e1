"""What docs/operating.md says of deaths, letters and further lives besides: which death counts, and what follows."""

from __future__ import annotations

import base64
import io
import json
import pickle
import re
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ExitCode, Graph, Recycle, RestartPolicy
from steady_mp.events import ActorFinished, ActorGivenUp, ActorRecycled, ActorStarted, MessagePutAside
from steady_mp.memory.deaths import read_reports
from steady_mp.memory.kept import kept_root
from steady_mp.memory.letters import Letters
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import Die, HangBusy, LiveOn, Raise, Say, Take
from steady_mp.testing.under_test import GraphUnderTest
from tests.graph.test_page_examples import example
from tests.support import asked, poisoned
from tests.support.gates import Gate, Lines
from tests.support.runs import complete
from tests.support.scrape import get
from tests.support.spares import server_of
from tests.support.waiting import eventually
from tests.support.watch import Watch
from tests.unit.test_operations_page import PAGE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.operator import Operator

pytestmark = [pytest.mark.timeout(60), pytest.mark.usefixtures("kept")]

#: Dies again and again without a pause, and is never given up.
TIRELESS = RestartPolicy(threshold=float("inf"), backoff=0.0, max_backoff=0.0)


def state_of(operator: Operator, actor: str) -> dict[str, Any]:
    found: dict[str, Any] = operator.types("state", actor, "--json").data["state"] or {}
    return found


# Which death counts


def test_kills_by_hand_count_and_those_by_the_run_or_by_people_do_not(operator: Operator) -> None:
    graph = Graph("counted", log_level="info")
    tx, rx = graph.channel(8, name="orders")
    graph.actor("source", poisoned.patient_source, tx, 3, graph.state())
    script = Script.each_life([Take(), Say("has it in hand"), HangBusy()])
    graph.actor("billing", perform, script, rx, restart=TIRELESS)
    with GraphUnderTest(graph) as test:

        def in_hand(life: int) -> None:
            test.events.wait_for(ActorStarted, actor="billing", generation=life)  # else the run can't kill it yet
            test.wait_line("has it in hand")

        in_hand(1)
        for life, name in enumerate(("TERM", "HUP"), 2):
            assert operator.types("kill", "billing", "--signal", name).status == ExitCode.DRAINED
            in_hand(life)
        for life in (4, 5, 6):
            test.run.kill("billing")
            in_hand(life)
        assert not test.events.all_of(MessagePutAside)
        for life in (7, 8, 9):
            assert operator.types("kill", "billing").status == ExitCode.DRAINED
            in_hand(life)
        event = test.events.wait_for(MessagePutAside)
        assert (event.channel, event.position, event.deaths) == ("orders", 0, 3)
        (letter,) = operator.types("dead-letters", "list", "--json").data["letters"]
        assert [death["generation"] for death in letter["deaths"]] == [6, 7, 8]
        assert len(test.events.all_of(MessagePutAside)) == 1
        line = test.wait_line("it is put aside")
        page = re.search(r"^\d\d:.*it is put aside", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        assert page is not None
        there, here = (re.sub(r"^[\d:.]+ ", "", text).replace("message 500", "message 0") for text in (page[0], line))
        assert here.startswith(there.replace("SIGSEGV", "SIGKILL"))
        table = operator.types("dead-letters", "list").out.splitlines()
        shown = example("dead-letters list")
        assert table[0].split() == shown[0].split()
        pattern = r"orders@\d+ +billing +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +3 +(SIGSEGV|SIGKILL) +\d+"
        assert all(re.fullmatch(pattern, row.strip()) for row in (*shown[1:], *table[1:])), table
        test.run.stop_now()


def test_being_stuck_is_a_failure_like_any_other() -> None:
    graph = Graph("strict", log_level="error")
    once = RestartPolicy(threshold=0.0)
    graph.actor("busy", perform, Script.each_life([HangBusy()]), restart=once, stall_timeout=0.1)
    report = complete(graph).report
    assert (report.exit_code, report.actors[0].deaths) == (ExitCode.GAVE_UP, ["stall"])


# What is told of a death


def test_each_fault_leaves_stacks_in_report_and_log_and_the_fork_server_is_named(operator: Operator) -> None:
    faults = {
        signal.SIGBUS: "Bus error",
        signal.SIGFPE: "Floating-point exception" if sys.version_info >= (3, 13) else "Floating point exception",
        signal.SIGILL: "Illegal instruction",
    }
    graph = Graph("faults", log_level="info")
    lives = [[Die(number)] for number in faults]
    graph.actor("faulty", perform, Script.each_life(*lives, [Say("lives on"), LiveOn()]), restart=TIRELESS)
    graph.actor("hasty", perform, Script.each_life([]))
    graph.faults["hasty"] = [{"point": "commit:done", "hit": 1, "generations": [1]}]  # with which it has finished
    with GraphUnderTest(graph) as test:
        test.events.wait_for(ActorFinished, actor="hasty")
        test.wait_line("lives on")
        server_of(test.run).kill()
        test.events.wait_for(ActorStarted, actor="faulty", generation=5)
        for words in faults.values():
            test.wait_line(f"Fatal Python error: {words}")
        reports = {report.generation: report for report in read_reports(test.run.directory) if report.actor == "faulty"}
        for life, (number, words) in enumerate(faults.items(), 1):
            assert reports[life].cause == number.name
            assert f"Fatal Python error: {words}" in reports[life].stack
            assert " in play" in reports[life].stack
        told = operator.types("why", "faulty").out
        assert "  cause    fork server\n           it died (SIGKILL), and its actors with it\n" in told
        assert reports[4].kind == "fork server"
        told = operator.types("why", "hasty").out
        assert "  cause    SIGKILL\n" in told
        assert "  then     it had finished\n" in told
        test.run.stop_now()


def test_the_last_failure_is_shown_although_a_planned_end_came_after_it(operator: Operator) -> None:
    graph = Graph("mixed", log_level="error")
    script = Script.each_life([Raise(ValueError, "no good")], [LiveOn()])
    graph.actor("worker", perform, script, restart=TIRELESS, recycle=Recycle(max_age=0.05))
    with GraphUnderTest(graph) as test:
        test.events.wait_for(ActorRecycled, actor="worker")
        assert "  cause    ValueError: no good\n" in operator.types("why", "worker").out
        kinds = [report["kind"] for report in operator.types("why", "worker", "--all", "--json").data["reports"]]
        assert kinds[:2] == ["exception", "recycled"]
        test.run.stop_now()


def test_who_is_recycled_leaves_without_finally_and_atexit() -> None:
    graph = Graph("recycled", log_level="info")
    graph.actor("tidy", asked.leave_tidily, recycle=Recycle(max_age=0.05))
    with GraphUnderTest(graph) as test:
        for life in (1, 2):
            test.events.wait_for(ActorRecycled, actor="tidy", generation=life)
        test.run.request_shutdown()
        report = test.finish()
    lives = report.actors[0].generation
    said = [line for line in test.log.all() if "finally" in line or "atexit" in line]
    assert f"finally of life {lives}" in said[0]  # the last one, which nobody has recycled
    assert all(line.endswith(f" of life {lives}") for line in said)


# Letters


def test_replayed_letters_come_first_and_in_the_order_in_which_they_were_named(
    operator: Operator, tmp_path: Path
) -> None:
    graph = Graph("replayed", log_level="error")
    tx, rx = graph.channel(64, name="numbers")
    cure = tmp_path / "cure"
    with Gate(tmp_path / "gate") as gate:
        graph.actor("source", asked.send_in_two_goes, tx, 10, gate.path, graph.state())
        graph.actor("sink", poisoned.sink, rx, graph.state(), (3, 7), str(cure), restart=TIRELESS)
        with GraphUnderTest(graph) as test:
            assert eventually(lambda: len(state_of(operator, "sink").get("values", ())) == 8)
            assert eventually(lambda: operator.actors()["sink"]["state"] == "idle")
            test.freeze("sink")
            gate.give()
            assert eventually(lambda: "10 of 64 in flight" in operator.types("peek", "numbers").out)
            listed = operator.types("dead-letters", "list", "--json").data["letters"]
            operator.types("dead-letters", "export", str(tmp_path / "letters"))
            lines = [json.loads(line) for line in (tmp_path / "letters").read_text().splitlines()]
            ends = [{"pickle": line["pickle"], "buffers": []} for line in lines]
            assert [letter | end for letter, end in zip(listed, ends, strict=True)] == lines
            assert [pickle.loads(base64.b64decode(line["pickle"])) for line in lines] == [3, 7]  # noqa: S301
            cure.touch()
            deaths = operator.actors()["sink"]["deaths"]
            assert operator.types("dead-letters", "replay", "numbers@7", "numbers@3").status == ExitCode.DRAINED
            assert eventually(lambda: len(state_of(operator, "sink").get("values", ())) == 20)
            found = state_of(operator, "sink")
            assert found["values"] == [0, 1, 2, 4, 5, 6, 8, 9, 7, 3, *range(10, 20)]
            assert found["positions"] == found["values"]
            assert eventually(lambda: not operator.types("dead-letters", "list", "--json").data["letters"])
            assert operator.actors()["sink"]["deaths"] == deaths  # a fresh life is no failure
            last = operator.types("why", "sink", "--all", "--json").data["reports"][-1]
            assert last["kind"] == "replay"
            assert last["then"] == f"life {last['generation'] + 1} begins: dead letters are replayed to it"
            test.run.request_shutdown()
            assert test.finish(rescued=True).clean


def test_what_is_dropped_is_told_by_log_list_and_metrics(operator: Operator, tmp_path: Path) -> None:
    graph = Graph("dropped", log_level="info")
    tx, rx = graph.channel(64, name="numbers", showstopper="skip", showstopper_after=1)
    graph.actor("source", poisoned.patient_source, tx, 10, graph.state())
    graph.actor("sink", poisoned.sink, rx, graph.state(), (5,), str(tmp_path / "cure"), restart=TIRELESS)
    watch, output = Watch(), Lines()
    with graph.start(on_event=watch, output=output, telemetry=True) as run:
        watch.wait_for(MessagePutAside)
        output.wait_for("it is dropped")
        assert operator.types("dead-letters", "list").out.rstrip().endswith("5 (dropped)")
        metric = re.compile(r'^steady_dead_letters_total\{graph="dropped"\} 1(\.0)?$', re.MULTILINE)
        assert eventually(lambda: metric.search(get(f"{run.url}metrics")[1].decode()) is not None)
        run.request_shutdown()
        assert run.block_until_stopped(30).dead_letters == 0


def test_a_durable_folder_keeps_its_own_reports(operator: Operator, tmp_path: Path) -> None:
    graph = Graph("durable", log_level="error")
    script = Script.each_life([Raise(ValueError, "no good")])
    graph.actor("worker", perform, script, restart=RestartPolicy(threshold=0.0))
    with graph.start(durable=tmp_path / "run", output=io.StringIO()) as run:
        assert run.block_until_stopped(30).exit_code is ExitCode.GAVE_UP
    assert "  cause    ValueError: no good\n" in operator.types("why", "--run", str(tmp_path / "run")).out
    assert not kept_root().exists()


# Revive


def test_a_revived_actor_has_a_clean_record_and_who_had_finished_stays_so(operator: Operator, tmp_path: Path) -> None:
    cure = tmp_path / "cure"
    graph = Graph("revived", log_level="error")
    tx, rx = graph.channel(64, name="numbers", showstopper_after=0)
    graph.actor("source", poisoned.source, tx, 6, graph.state())
    policy = RestartPolicy(backoff=0.0, max_backoff=0.0, threshold=2.5, half_life=1e6, give_up="isolate")
    graph.actor("sink", poisoned.sink, rx, graph.state(), (3,), str(cure), restart=policy)
    graph.actor("patient", perform, Script.each_life([LiveOn()]))  # else nobody is left, and the run ends
    with GraphUnderTest(graph) as test:
        first = test.events.wait_for(ActorGivenUp, actor="sink").generation
        assert eventually(lambda: operator.actors()["source"]["state"] == "finished")
        assert operator.types("revive", "sink").status == ExitCode.DRAINED
        second = test.events.wait_for(ActorGivenUp, actor="sink").generation
        assert second - first == 3  # as many as it may have with nothing behind it
        cure.touch()
        assert operator.types("revive", "sink").status == ExitCode.DRAINED
        test.events.wait_for(ActorFinished, actor="sink")
        test.run.request_shutdown()
        report = test.finish(rescued=True)
    source, sink, _ = report.actors
    assert report.exit_code is ExitCode.DRAINED, report.why
    assert (source.generation, source.restarts) == (1, 0)
    assert sink.state["values"] == list(range(6))


def test_where_no_message_is_known_the_next_of_each_input_is_left_behind(operator: Operator) -> None:
    graph = Graph("unknown", log_level="error")
    ways = {name: graph.channel(8, name=name) for name in ("left", "right")}
    for name, (tx, _) in ways.items():
        graph.actor(f"to the {name}", poisoned.patient_source, tx, 3, graph.state())
    once = RestartPolicy(threshold=0.0, give_up="isolate")
    script = Script.each_life([Say("busy"), HangBusy()], [Say("revived"), LiveOn()])
    graph.actor("sink", perform, script, *(rx for _, rx in ways.values()), restart=once)
    with GraphUnderTest(graph) as test:
        test.wait_line("busy")
        for name in ways:
            assert eventually(lambda name=name: "3 of 8 in flight" in operator.types("peek", name).out)  # type: ignore[misc]
        # What people end so, no message can be the fault of.
        assert operator.types("kill", "sink", "--signal", "TERM").status == ExitCode.DRAINED
        test.events.wait_for(ActorGivenUp, actor="sink")
        told = operator.types("revive", "sink", "--skip-head").out
        assert "message 0 of left, message 0 of right went to the dead letters" in told
        test.wait_line("revived")
        assert [letter.shown for letter in Letters(test.run.directory).all()] == ["0", "0"]
        test.run.stop_now()
