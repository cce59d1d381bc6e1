"""A graph whose actors space their commits, in the ways in which that could go wrong.

A stream that pauses: what its middle has put off must be seen in time, though it sleeps. Questions with answers: who
asks would wait a day for its own commit, so it has to commit as soon as it comes to wait for the answer. And a giver
that gives the next thing when the last one was taken: the taker has to say so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from steady_mp import CommitEvery

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, Rx, SteadyState, Tx
    from steady_mp.testing.simulation.outcome import Outcome

MESSAGES = 40
QUESTIONS = 30
DAY = 86_400.0
SOON = 0.01


@dataclass
class Heard:
    values: list[int] = field(default_factory=list)


def pour(actor: Actor, out: Tx[int], state: SteadyState[Heard]) -> None:
    """Send all numbers, one a turn, and stay until the shutdown."""
    sent = state.acquire(Heard).values
    while actor.is_running():
        if len(sent) < MESSAGES:
            actor.await_for_all(out.wait_vacant(1))
            out.send(len(sent))
            sent.append(len(sent))
        else:
            actor.await_for_all(actor.wait_shutdown())


def carry(actor: Actor, numbers: Rx[int], out: Tx[int], state: SteadyState[Heard]) -> None:
    """Pass on what comes, one a turn."""
    seen = state.acquire(Heard).values
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1), out.wait_vacant(1)):
            seen.append(numbers.take())
            out.send(seen[-1])


def drink(actor: Actor, numbers: Rx[int], last: Tx[int], state: SteadyState[Heard]) -> None:
    """Take what comes, and say when that was all."""
    seen = state.acquire(Heard).values
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            seen.append(numbers.take())
            if len(seen) == MESSAGES:
                last.send(0)


def ask(actor: Actor, questions: Tx[int], answers: Rx[int], ends: list[Rx[int]], state: SteadyState[Heard]) -> None:
    """Ask, and wait for each answer in the next turn; then wait for the others' ends, and ask for the shutdown."""
    heard = state.acquire(Heard).values
    while actor.is_running():
        if questions.position() == len(heard) < QUESTIONS:
            questions.send(len(heard))
        elif len(heard) < QUESTIONS:
            if actor.await_for_all(answers.wait_avail(1)):
                heard.append(answers.take())
        elif actor.await_for_all(*(end.wait_avail(1) for end in ends)):
            actor.request_shutdown()
            return  # the answerer ends when its questions do


def answer(actor: Actor, questions: Rx[int], answers: Tx[int], state: SteadyState[Heard]) -> None:
    """Answer each question with its square."""
    seen = state.acquire(Heard).values
    while actor.is_running():
        if actor.await_for_all(questions.wait_avail(1)):
            seen.append(questions.take())
            answers.send(seen[-1] ** 2)


def give(actor: Actor, out: Tx[int], done: Tx[int], state: SteadyState[Heard]) -> None:
    """Send each number once the last one was taken, and stay until the shutdown."""
    sent = state.acquire(Heard).values
    while actor.is_running():
        if len(sent) < QUESTIONS:
            if actor.await_for_all(out.wait_empty()):
                out.send(len(sent))
                sent.append(len(sent))
        elif not done.position():
            done.send(0)
        else:
            actor.await_for_all(actor.wait_shutdown())


def take(actor: Actor, numbers: Rx[int], state: SteadyState[Heard]) -> None:
    """Take what comes."""
    seen = state.acquire(Heard).values
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            seen.append(numbers.take())


def fill(graph: Graph) -> None:
    """Declare them all."""
    given_tx, given_rx = graph.channel(8)
    done_tx, done_rx = graph.channel(4)
    graph.actor("giver", give, given_tx, done_tx, graph.state())
    graph.actor("taker", take, given_rx, graph.state(), commit_every=CommitEvery(seconds=DAY))
    in_tx, in_rx = graph.channel(64)
    out_tx, out_rx = graph.channel(64)
    last_tx, last_rx = graph.channel(4)
    asked_tx, asked_rx = graph.channel(8)
    told_tx, told_rx = graph.channel(8)
    graph.actor("pourer", pour, in_tx, graph.state())
    graph.actor("carrier", carry, in_rx, out_tx, graph.state(), commit_every=CommitEvery(seconds=SOON, turns=30))
    graph.actor("drinker", drink, out_rx, last_tx, graph.state(), commit_every=CommitEvery(seconds=SOON))
    ends = [last_rx, done_rx]
    graph.actor("asker", ask, asked_tx, told_rx, ends, graph.state(), commit_every=CommitEvery(seconds=DAY))
    graph.actor("answerer", answer, asked_rx, told_tx, graph.state(), commit_every=CommitEvery(seconds=DAY, turns=10))


def check(outcome: Outcome) -> None:
    """Everything came once and in order, and nobody had to wait for a commit that a day would bring."""
    states = outcome.states
    assert states["carrier"].values == states["drinker"].values == list(range(MESSAGES))
    assert states["taker"].values == list(range(QUESTIONS))
    assert states["answerer"].values == list(range(QUESTIONS))
    assert states["asker"].values == [number**2 for number in range(QUESTIONS)]
    assert outcome.report.wall_time < DAY / 100
