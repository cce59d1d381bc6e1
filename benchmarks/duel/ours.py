"""Our side of the kill duel: two actors, restarted by the supervisor."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.duel.board import CONSUMER, LIFE_SHIFT, MOST, NUMBER, PRODUCER, RECEIVED, STOP, ScoreBoard
from benchmarks.duel.referee import Referee, Result, WedgedError
from benchmarks.steady import state_of
from steady_mp import Actor, Graph, RestartPolicy, Rx, SteadyState, Tx

if TYPE_CHECKING:
    from benchmarks.duel.referee import Script

_CAPACITY = 64
_PATIENCE = 10.0
_AT_ONCE = RestartPolicy(threshold=float("inf"), backoff=0.0, max_backoff=0.0, jitter=0.0)


@dataclass
class Sent:
    """The state of the producer."""

    count: int = 0


@dataclass
class Received:
    """The state of the consumer: numbers come in order, so each is the next, or has come before, or some were lost."""

    next: int = 0
    lost: int = 0
    doubled: int = 0


def produce(actor: Actor, tx: Tx[int], state: SteadyState[Sent], path: str, pace: float) -> None:
    """Send numbers in order until told to stop."""
    sent = state.acquire(Sent)
    board = ScoreBoard(Path(path))
    words = board.words
    board.begin(PRODUCER, actor.generation)
    mark = actor.generation << LIFE_SHIFT
    while actor.is_running():
        if words[STOP] or sent.count == MOST:
            return
        tx.send(mark | sent.count)
        sent.count += 1
        if pace:
            actor.await_for_all(actor.wait_timeout(pace))


def consume(actor: Actor, rx: Rx[int], state: SteadyState[Received], path: str) -> None:
    """Note what comes."""
    received = state.acquire(Received)
    board = ScoreBoard(Path(path))
    words = board.words
    board.begin(CONSUMER, actor.generation)
    sender = 0
    fresh = True
    while actor.is_running():
        if not actor.await_for_all(rx.wait_avail(1)):
            continue
        value = rx.take()
        number = value & NUMBER
        if number >= received.next:
            received.lost += number - received.next
            received.next = number + 1
        else:
            received.doubled += 1
        words[RECEIVED] += 1
        if fresh:
            fresh = False
            board.arrived(CONSUMER, actor.generation)
        if value >> LIFE_SHIFT > sender:
            sender = value >> LIFE_SHIFT
            board.arrived(PRODUCER, sender)


class _Supervised:
    """The supervisor looks after everything."""

    def tend(self) -> None:
        """See `Side.tend`."""

    def expect(self, who: int) -> None:
        """See `Side.expect`."""


def fight(script: Script) -> Result:
    """Run one duel in a fresh graph."""
    result = Result()
    path = ScoreBoard.create()
    board = ScoreBoard(path)
    graph = Graph("duel", log_level="error")
    tx, rx = graph.channel(capacity=_CAPACITY)
    graph.actor("producer", produce, tx, graph.state(), str(path), script.pace, restart=_AT_ONCE)
    graph.actor("consumer", consume, rx, graph.state(), str(path), restart=_AT_ONCE)
    output = io.StringIO()
    try:
        with graph.start(output=output) as run:
            try:
                Referee(board, _Supervised()).kill(script, result)
                board.words[STOP] = 1
                report = run.block_until_stopped(_PATIENCE)
            except (WedgedError, TimeoutError):
                result.wedged = True
                run.stop_now()
                return result
        if not report.clean:
            result.crashed = "; ".join(report.why) or f"exit code {report.exit_code}"
            return result
        received = Received(**state_of(report, "consumer"))
        result.lost = received.lost + state_of(report, "producer")["count"] - received.next
        result.doubled = received.doubled
    finally:
        board.close()
        path.unlink()
    return result
