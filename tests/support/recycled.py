"""A pipeline whose actors are recycled, each for another reason."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from steady_mp import CommitEvery, Recycle
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, Rx, SteadyState, Tx

MESSAGES = 500


@dataclass
class Seen:
    values: list[int] = field(default_factory=list)
    lives: list[int] = field(default_factory=list)


def pour(actor: Actor, out: Tx[int], total: int, state: SteadyState[Seen]) -> None:
    """Send all numbers."""
    seen = state.acquire(Seen)
    seen.lives.append(actor.generation)
    while actor.is_running() and out.position() < total:
        if actor.await_for_all(out.wait_vacant(1)):
            out.send(out.position())


def carry(actor: Actor, numbers: Rx[int], out: Tx[int], hoard: int, state: SteadyState[Seen]) -> None:
    """Pass on what comes; keep `hoard` bytes a message that nobody needs."""
    seen = state.acquire(Seen)
    seen.lives.append(actor.generation)
    leak = []
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1), out.wait_vacant(1)):
            out.send(numbers.take())
            leak.append(bytearray(b"x" * hoard))


def drink(actor: Actor, numbers: Rx[int], state: SteadyState[Seen]) -> None:
    """Take what comes."""
    seen = state.acquire(Seen)
    seen.lives.append(actor.generation)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            seen.values.append(numbers.take())


def doze(actor: Actor, state: SteadyState[Seen]) -> None:
    """Sleep until the fourth life, then ask for the shutdown."""
    seen = state.acquire(Seen)
    seen.lives.append(actor.generation)
    if actor.generation == 4:
        actor.request_shutdown()
        actor.commit()
        # A wait of its own would end this life too, where the supervisor gets no core and hears late of the wish.
        eventually(actor.wait_shutdown().holds, 30.0)
    while actor.is_running():
        actor.await_for_all(actor.wait_shutdown())


def leave(_: Actor, status: int) -> None:
    """End with an exit status that Steady uses as well."""
    sys.exit(status)


def fill(graph: Graph, carrier: Recycle, *, total: int = MESSAGES, hoard: int = 0, spaced: bool = False) -> None:
    """Declare source → carrier → sink, of which the carrier is recycled."""
    every = CommitEvery(seconds=0.01) if spaced else None
    in_tx, in_rx = graph.channel(16)
    out_tx, out_rx = graph.channel(16)
    graph.actor("pourer", pour, in_tx, total, graph.state(), recycle=Recycle(max_messages=200), commit_every=every)
    graph.actor("carrier", carry, in_rx, out_tx, hoard, graph.state(), recycle=carrier, commit_every=every)
    graph.actor("drinker", drink, out_rx, graph.state())
