"""Behaviors that ask and are answered: turns that wait, in their middle, for what only their own messages bring."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steady_mp import Actor, Rx, SteadyState, Tx


@dataclass
class Asked:
    answers: list[int] = field(default_factory=list)


@dataclass
class Served:
    count: int = 0


def ask(actor: Actor, questions: Tx[int], answers: Rx[int], total: int, state: SteadyState[Asked]) -> None:
    """Send a question and take its answer, both in one turn."""
    asked = state.acquire(Asked)
    while actor.is_running() and len(asked.answers) < total:
        questions.send(len(asked.answers))
        asked.answers.append(answers.take())


def serve(actor: Actor, questions: Rx[int], answers: Tx[int], state: SteadyState[Served]) -> None:
    """Answer each question with its double."""
    served = state.acquire(Served)
    while actor.is_running():
        if actor.await_for_all(questions.wait_avail(1), answers.wait_vacant(1)):
            answers.send(2 * questions.take())
            served.count += 1


def gather(actor: Actor, numbers: Rx[int], count: int, state: SteadyState[Asked]) -> None:
    """Take only when `count` messages are there, or when that can't be any more."""
    taken = state.acquire(Asked)
    while actor.is_running():
        actor.await_for_all(numbers.wait_avail(count))
        taken.answers += numbers.take_slice(numbers.avail())


def send_bulk(actor: Actor, out: Tx[bytes], size: int, burst: int, state: SteadyState[Served]) -> None:
    """Send a hundred large messages, some in a turn, with no other wait than that of `send`."""
    sent = state.acquire(Served)
    total = 100
    while actor.is_running() and sent.count < total:
        for _ in range(min(burst, total - sent.count)):
            out.send(sent.count.to_bytes(4, "big") + bytes(size - 4))
            sent.count += 1


def gather_bulk(actor: Actor, values: Rx[bytes], count: int, state: SteadyState[Asked]) -> None:
    """Like `gather`, and keep the number that each message begins with."""
    taken = state.acquire(Asked)
    while actor.is_running():
        actor.await_for_all(values.wait_avail(count))
        taken.answers += [int.from_bytes(value[:4], "big") for value in values.take_slice(values.avail())]
