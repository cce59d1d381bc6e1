"""Turns that wait in their middle: no ring is lost, and nobody waits for what somebody else holds back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph
from steady_mp.events import ActorStarted
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping
from steady_mp.plan import actor_file
from tests.support import pipeline, pool, talk
from tests.support.gates import Gate
from tests.support.runs import Outcome, complete
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp import Run
    from tests.support.watch import Watch

pytestmark = pytest.mark.timeout(60)

ROUNDS = 1000


def check(outcome: Outcome, answers: list[int]) -> None:
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    assert outcome.actor("ask").state["answers"] == answers
    assert not outcome.rescues, outcome.counters
    early = outcome.counters["ask"]["EARLY_COMMITS"]
    # Such a turn is torn once, where it waits. More would say that it spins while it waits.
    assert early <= len(answers)


def test_question_and_answer_in_one_turn() -> None:
    graph = Graph("talk", log_level="error")
    questions_tx, questions_rx = graph.channel(4)
    answers_tx, answers_rx = graph.channel(4)
    graph.actor("ask", talk.ask, questions_tx, answers_rx, ROUNDS, graph.state())
    graph.actor("serve", talk.serve, questions_rx, answers_tx, graph.state())
    check(complete(graph), [2 * number for number in range(ROUNDS)])


def test_the_answer_comes_from_somebody_else() -> None:
    graph = Graph("ring", log_level="error")
    questions_tx, questions_rx = graph.channel(4)
    between_tx, between_rx = graph.channel(4)
    answers_tx, answers_rx = graph.channel(4)
    graph.actor("ask", talk.ask, questions_tx, answers_rx, ROUNDS, graph.state())
    graph.actor("first", talk.serve, questions_rx, between_tx, graph.state())
    graph.actor("second", talk.serve, between_rx, answers_tx, graph.state())
    check(complete(graph), [4 * number for number in range(ROUNDS)])


@pytest.mark.parametrize("burst", [1, 3])
@pytest.mark.parametrize("size", [10_000, 30_000, 60_000])
def test_the_consumer_waits_for_more_than_the_ring_has_bytes_for(size: int, burst: int) -> None:
    """Its producer waits for room, it for more messages: it is told, instead of both sleeping for ever."""
    graph = Graph("bulk", log_level="warning")
    bulk_tx, bulk_rx = graph.channel(64, ring_bytes=1 << 16)
    graph.actor("source", talk.send_bulk, bulk_tx, size, burst, graph.state())
    graph.actor("ask", talk.gather_bulk, bulk_rx, 32, graph.state())
    outcome = complete(graph)
    check(outcome, list(range(100)))
    assert "source→ask is full of bytes with" in outcome.log
    assert "give it a larger ring_bytes" in outcome.log


@pytest.mark.parametrize("capacity", [1, 3, 8])
def test_the_consumer_waits_for_a_full_channel(capacity: int) -> None:
    """Its producer, in the middle of a turn that began with less room than it needs, must see that."""
    graph = Graph("full", log_level="error")
    numbers_tx, numbers_rx = graph.channel(capacity)
    graph.actor("source", pipeline.blocking_source, numbers_tx, ROUNDS, capacity - 1 or 1, graph.state())
    graph.actor("ask", talk.gather, numbers_rx, capacity, graph.state())
    check(complete(graph), list(range(ROUNDS)))


def are_without_room(run: Run, actors: int) -> bool:
    """Tell whether each of the first actors sleeps until there is room for what it sends."""
    words = [Mapping(run.directory / actor_file(actor, "control"), read_only=True) for actor in range(actors)]
    found = [each.words[layout.PHASE] == layout.PHASE_WAITING and each.words[layout.BLOCKED_ON] != 0 for each in words]
    for each in words:
        each.close()
    return all(found)


@pytest.mark.parametrize("in_turn", [True, False])
def test_a_worker_that_is_killed_with_a_job_in_its_hand_has_lost_nothing(tmp_path: Path, *, in_turn: bool) -> None:
    """Nobody collects for a while, so who deals waits as well; that is no reason to commit half of a worker's turn."""
    workers = [f"work {lane}" for lane in range(pool.WORKERS)]

    def kill(run: Run, watch: Watch) -> None:
        for generation in (2, 3):
            assert eventually(lambda: are_without_room(run, 1 + pool.WORKERS))
            for worker in workers:
                run.kill(worker)
            for worker in workers:
                watch.wait_for(ActorStarted, actor=worker, generation=generation)
        assert eventually(lambda: are_without_room(run, 1 + pool.WORKERS))
        gate.give()

    graph = Graph("pool", log_level="error")
    with Gate(tmp_path / "gate") as gate:
        pool.declare(graph, gate.path, in_turn=in_turn)
        outcome = complete(graph, meanwhile=kill)
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    assert sorted(outcome.actor("collect").state["values"]) == list(range(pool.JOBS))
    assert [outcome.counters[worker]["EARLY_COMMITS"] for worker in workers] == [0] * pool.WORKERS
