"""A giver and a taker of a durable run that stops in the middle: each keeps how much it has done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, Rx, SteadyState, Tx

ROUND = 10


@dataclass
class Count:
    seen: int = 0


def give(actor: Actor, out: Tx[int], state: SteadyState[Count]) -> None:
    """Send ten numbers a life, and stay."""
    count = state.acquire(Count)
    for _ in range(ROUND):
        out.send(out.position())
        count.seen += 1
    while actor.is_running():
        actor.await_for_all(actor.wait_shutdown())


def take(actor: Actor, numbers: Rx[int], state: SteadyState[Count]) -> None:
    """Take what comes, and say so at each ten."""
    count = state.acquire(Count)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            assert numbers.take() == numbers.position() - 1
            count.seen += 1
            if numbers.position() % ROUND == 0:
                actor.commit()
                print(f"seen {count.seen} up to {numbers.position()}", flush=True)  # noqa: T201 - the test waits for it


def fill(graph: Graph) -> None:
    """Declare them."""
    tx, rx = graph.channel(64)
    graph.actor("giver", give, tx, graph.state())
    graph.actor("taker", take, rx, graph.state())
