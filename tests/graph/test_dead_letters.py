"""`steady-mp dead-letters` and `revive` at real runs: alive, over, and resumed."""

from __future__ import annotations

import base64
import io
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ExitCode, Graph, RestartPolicy
from steady_mp.events import ActorFinished, ActorGivenUp, LettersReplayed, MessagePutAside
from steady_mp.memory.letters import Letters
from steady_mp.testing import positions
from steady_mp.testing.under_test import GraphUnderTest
from tests.support import poisoned
from tests.support.waiting import eventually
from tests.support.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp import Run
    from tests.support.operator import Operator

pytestmark = [pytest.mark.timeout(60), pytest.mark.usefixtures("kept")]


def flow(cure: Path, poison: tuple[int, ...], total: int = 100, **options: Any) -> Graph:
    graph = Graph("poisoned", log_level="info", shutdown_timeout=30.0)
    tx, rx = graph.channel(64, name="numbers", showstopper_after=options.pop("after", 3))
    graph.actor("source", poisoned.patient_source, tx, total, graph.state())
    restart = RestartPolicy(backoff=0.0, max_backoff=0.0, **options)
    graph.actor("sink", poisoned.sink, rx, graph.state(), poison, str(cure), restart=restart)
    return graph


def wait_sent(run: Run, total: int = 100) -> None:
    """Wait until the source has sent everything: it stops where it stands once that is asked for."""
    assert eventually(lambda: positions.cursors(run, 0)[0] == total)


def heard(test: GraphUnderTest) -> list[int]:
    report = test.finish(rescued=True)
    assert report.exit_code is ExitCode.DRAINED, report.why
    values: list[int] = next(actor for actor in report.actors if actor.name == "sink").state["values"]
    return values


def test_a_letter_is_listed_shown_exported_and_replayed_exactly_once(operator: Operator, tmp_path: Path) -> None:
    cure = tmp_path / "cure"
    with GraphUnderTest(flow(cure, (30, 70))) as test:
        for position in (30, 70):
            test.events.wait_for(MessagePutAside, position=position)
        listed = operator.types("dead-letters", "list", "--json").data
        assert [letter["name"] for letter in listed["letters"]] == ["numbers@30", "numbers@70"]
        assert "numbers@30" in (table := operator.types("dead-letters", "list").out)
        assert "SIGSEGV" in table
        shown = operator.types("dead-letters", "show", "numbers@30").out
        assert "message 30 of numbers" in shown
        assert shown.count("sink died in life") == 3
        assert shown.count(" in segfault\n") == 3  # its stacks at each crash
        assert operator.types("dead-letters", "show", "numbers@30", "--json").data["value"] == "30"
        assert "there is numbers@30, numbers@70" in operator.refused("dead-letters", "show", "numbers@31")

        file = tmp_path / "letters.jsonl"
        assert "2 dead letters" in operator.types("dead-letters", "export", str(file)).out
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert [pickle.loads(base64.b64decode(line["pickle"])) for line in lines] == [30, 70]  # noqa: S301
        assert "can't be written" in operator.refused("dead-letters", "export", str(tmp_path / "no" / "file"))

        # While it still kills, it comes back.
        assert "name the letters" in operator.refused("dead-letters", "replay")
        told = operator.types("dead-letters", "replay", "numbers@30").out
        assert "1 dead letters of numbers go to sink" in told
        test.events.wait_for(MessagePutAside, position=30, policy="replay")
        assert len(operator.types("dead-letters", "list", "--json").data["letters"]) == 2

        cure.touch()
        told = operator.types("dead-letters", "replay", "--all", "--json").data
        assert told["replayed"] == ["numbers@30", "numbers@70"]
        assert "2 dead letters of numbers go to sink" in told["result"][0]
        again = operator.types("dead-letters", "replay", "numbers@30")
        assert "on their way already" in again.out or "no dead letter" in again.err, again
        wait_sent(test.run)
        test.run.request_shutdown()
        values = heard(test)
    rest = [number for number in range(100) if number not in {30, 70}]
    assert sorted(values) == list(range(100))
    assert [value for value in values if value in rest] == rest
    assert test.events.all_of(LettersReplayed)
    assert not list(tmp_path.glob("steady-mp-letters-*")), "nothing is left to be kept"


def test_letters_of_a_run_that_is_over_are_found_and_a_replay_is_refused(operator: Operator, tmp_path: Path) -> None:
    with GraphUnderTest(flow(tmp_path / "cure", (30,))) as test:
        test.events.wait_for(MessagePutAside)
        directory = test.run.directory
        test.run.request_shutdown()
        report = test.finish(rescued=True)
    assert not directory.exists()
    assert report.letters.startswith(str(tmp_path))
    for run in ((), ("--run", "poisoned"), ("--run", report.letters)):
        listed = operator.types("dead-letters", "list", "--json", *run).data
        assert [letter["name"] for letter in listed["letters"]] == ["numbers@30"]
    assert "is not running" in operator.refused("dead-letters", "replay", "--all")
    assert "no dead letter" in operator.refused("dead-letters", "show", "numbers@1")


def test_a_durable_run_goes_on_with_its_letters_and_its_suspects(operator: Operator, tmp_path: Path) -> None:
    folder, cure = tmp_path / "run", tmp_path / "cure"
    told = Watch()
    tired = flow(cure, (30, 60), after=5, give_up="stop_graph", threshold=1.5)
    with tired.start(durable=folder, on_event=told, output=io.StringIO()) as run:
        assert run.block_until_stopped(20).exit_code is ExitCode.GAVE_UP
    assert 1 <= len(Letters(folder).suspects(1)[-1].deaths) < 5, "what the deaths have shown is kept"
    assert not Letters(folder).all()
    assert "--resume" in operator.refused("revive", "sink", "--run", str(folder))
    told = Watch()
    with flow(cure, (30, 60), after=5).start(resume=folder, on_event=told, output=io.StringIO()) as run:
        told.wait_for(MessagePutAside, position=60)
        listed = operator.types("dead-letters", "list", "--run", str(folder), "--json").data["letters"]
        assert [len(letter["deaths"]) for letter in listed] == [5, 5], "those before the resume count"
        cure.touch()
        operator.types("dead-letters", "replay", "numbers@60", "--run", str(folder))
        wait_sent(run)
        run.request_shutdown()
        report = run.block_until_stopped(20)
    values = next(actor for actor in report.actors if actor.name == "sink").state["values"]
    assert sorted(values) == [number for number in range(100) if number != 30]
    assert (report.dead_letters, report.letters) == (1, str(folder))
    assert [letter.position for letter in Letters(folder).all()] == [30]


def test_an_isolated_actor_answers_closed_until_it_is_revived(operator: Operator, tmp_path: Path) -> None:
    cure = tmp_path / "cure"
    graph = Graph("revived", log_level="info", shutdown_timeout=30.0)
    tries_tx, tries_rx = graph.channel(8, name="tries")
    tx, rx = graph.channel(2, name="numbers", showstopper_after=0)
    isolate = RestartPolicy(backoff=0.0, max_backoff=0.0, threshold=2.5, give_up="isolate")
    graph.actor("prompter", poisoned.prompter, tries_tx, graph.state())
    graph.actor("tester", poisoned.tester, tx, tries_rx, graph.state())
    graph.actor("sink", poisoned.sink, rx, graph.state(), (0,), str(cure), restart=isolate)

    def last() -> str:
        state = operator.types("state", "tester", "--json").data["state"]
        return state["outcomes"][-1] if state and state["outcomes"] else ""

    with GraphUnderTest(graph) as test:
        assert "is not given up" in operator.refused("revive", "tester")
        test.events.wait_for(ActorGivenUp, actor="sink")
        assert eventually(lambda: last() == "CLOSED PeerGone PeerGone False")
        assert operator.actors()["sink"]["state"] == "given up"
        assert "sink" in operator.types("health").out
        cure.touch()
        assert "sink begins life" in operator.types("revive", "sink").out
        assert eventually(lambda: last() == "SENT SENT SENT True")
        assert operator.types("health").status == ExitCode.DRAINED
        test.run.request_shutdown()
        values = heard(test)
        outcomes = next(actor for actor in test.finish().actors if actor.name == "tester").state["outcomes"]
    assert outcomes[0] == "SENT SENT PeerGone False", "who waited for room was woken"
    assert values == [n for n, outcome in enumerate(outcomes) for _ in range(outcome.count("SENT"))]


def test_who_is_revived_may_leave_the_message_behind_that_it_died_over(operator: Operator, tmp_path: Path) -> None:
    graph = flow(tmp_path / "cure", (30,), after=50, threshold=2.5, give_up="isolate")
    with GraphUnderTest(graph) as test:
        test.events.wait_for(ActorGivenUp, actor="sink")
        told = operator.types("revive", "sink", "--skip-head", "--json").data
        assert "message 30 of numbers went to the dead letters" in told["result"]
        test.run.request_shutdown()
        report = test.finish(rescued=True)
    assert report.exit_code is ExitCode.DRAINED, report.why
    values = report.actors[1].state["values"]
    assert values == [number for number in range(len(values) + 1) if number != 30]
    assert report.dead_letters == 1


def test_who_has_finished_is_not_revived(operator: Operator, tmp_path: Path) -> None:
    graph = Graph("finished", log_level="info")
    tx, rx = graph.channel(64)
    graph.actor("source", poisoned.source, tx, 3, graph.state())
    graph.actor("sink", poisoned.sink, rx, graph.state(), (), str(tmp_path))
    waits_tx, waits_rx = graph.channel(64)
    graph.actor("patient", poisoned.patient_source, waits_tx, 3, graph.state())
    graph.actor("other", poisoned.sink, waits_rx, graph.state(), (), str(tmp_path))
    with GraphUnderTest(graph) as test:
        test.events.wait_for(ActorFinished, actor="sink")
        assert "sink has finished" in operator.refused("revive", "sink")
        assert "there is source, sink" in operator.refused("revive", "nobody")
        test.run.request_shutdown()
        test.finish()
