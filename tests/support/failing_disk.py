"""A giver whose disk takes nothing any more in its first life, and a taker."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from steady_mp.memory import disk

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, Rx, SteadyState, Tx

MESSAGES = 20
#: Messages of which the commit returned.
TAKEN = 5


@dataclass
class Count:
    given: int = 0


@dataclass
class Numbers:
    got: list[int] = field(default_factory=list)


def _refuse(fd: int) -> NoReturn:  # noqa: ARG001 - none will do
    raise OSError(errno.EIO, "Input/output error")


def give(actor: Actor, out: Tx[int], state: SteadyState[Count]) -> None:
    """Send one number a turn."""
    count = state.acquire(Count)
    while actor.is_running() and count.given < MESSAGES:
        if actor.generation == 1 and count.given == TAKEN:
            disk.flush = _refuse
        out.send(count.given)
        count.given += 1


def take(actor: Actor, numbers: Rx[int], state: SteadyState[Numbers]) -> None:
    """Keep all."""
    kept = state.acquire(Numbers)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            kept.got.append(numbers.take())


def fill(graph: Graph) -> None:
    """Declare them."""
    tx, rx = graph.channel(64)
    graph.actor("giver", give, tx, graph.state())
    graph.actor("taker", take, rx, graph.state())
