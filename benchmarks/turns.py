"""Turns: what a turn costs by itself, in a real actor whose neighbour sleeps meanwhile.

The sender waits until its channel is empty, times some turns, and sends one more message; only that one
wakes the receiver, which times as many turns in its turn. So nobody waits inside of what is timed, and no
wake-up is paid there. A figure is the median over the batches of one run, per turn.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from benchmarks.steady import run_graph, state_of
from steady_mp import Actor, Graph, RxBundle, SteadyState, TxBundle

if TYPE_CHECKING:
    from benchmarks.experiment import Effort

#: How a turn ends: not at all, by `is_running` (which may put its commit off), or by a commit of its own.
Ends = Literal["not", "is_running", "commit"]
_BATCHES: Final = 60


@dataclass(frozen=True, slots=True)
class Shape:
    """What is measured, and in which surroundings."""

    ends: Ends = "commit"
    #: Turns timed together. At most the capacity, less one.
    batch: int = 8
    capacity: int = 1024
    #: Channels between the two; all but the first stand idle.
    channels: int = 1
    #: Characters of the sender's state that are different after each turn.
    text: int = 0


@dataclass
class Turned:
    """The state of either side."""

    #: What each turn changes.
    count: int = 0
    text: str = ""
    #: Nanoseconds of a turn: the median over the batches.
    nanoseconds: float = 0.0


def send(actor: Actor, txs: TxBundle[int], state: SteadyState[Turned], shape: Shape, batches: int) -> None:
    """Time batches of turns that send one message each."""
    turned = state.acquire(Turned)
    tx = txs[0]
    texts = [kind * shape.text for kind in "ab"]
    nanoseconds: list[int] = []
    while actor.is_running() and len(nanoseconds) < batches:
        actor.await_for_all(tx.wait_empty())
        actor.commit()
        begin = time.perf_counter_ns()
        if shape.ends == "commit":
            for number in range(shape.batch):
                tx.send(number)
                turned.count += 1
                turned.text = texts[number & 1]
                actor.commit()
        elif shape.ends == "is_running":
            for number in range(shape.batch):
                tx.send(number)
                actor.is_running()
        else:
            for number in range(shape.batch):
                tx.send(number)
        nanoseconds.append(time.perf_counter_ns() - begin)
        tx.send(0)
        actor.commit()
    turned.nanoseconds = statistics.median(nanoseconds) / shape.batch


def take(actor: Actor, rxs: RxBundle[int], state: SteadyState[Turned], shape: Shape) -> None:
    """Time batches of turns that take one message each."""
    turned = state.acquire(Turned)
    rx = rxs[0]
    nanoseconds: list[int] = []
    while actor.is_running():
        if not actor.await_for_all(rx.wait_avail(shape.batch + 1)):
            rx.take_slice(shape.batch + 1)
            continue
        begin = time.perf_counter_ns()
        if shape.ends == "commit":
            for _ in range(shape.batch):
                rx.take()
                turned.count += 1
                actor.commit()
        elif shape.ends == "is_running":
            for _ in range(shape.batch):
                rx.take()
                actor.is_running()
        else:
            for _ in range(shape.batch):
                rx.take()
        nanoseconds.append(time.perf_counter_ns() - begin)
        rx.take()
        actor.commit()
    turned.nanoseconds = statistics.median(nanoseconds) / shape.batch


class Cost(NamedTuple):
    """Seconds of a turn of either side."""

    send: float
    take: float


def cost(shape: Shape, effort: Effort) -> Cost:
    """Run a graph of the two, and return what a turn costs."""
    graph = Graph("turns", log_level="warning")
    txs, rxs = graph.channel_bundle(shape.channels, capacity=shape.capacity)
    graph.actor("sender", send, txs, graph.state(), shape, _BATCHES)
    graph.actor("taker", take, rxs, graph.state(), shape)
    report = run_graph(graph, effort.patience)
    return Cost(*(state_of(report, actor)["nanoseconds"] / 1e9 for actor in ("sender", "taker")))
