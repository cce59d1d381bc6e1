"""Turns: what a turn costs by itself, in a real actor whose neighbour sleeps meanwhile.

The sender waits until its channel is empty, times some turns, and sends one more message; only that one
wakes the receiver, which times as many turns in its turn. So nobody waits inside of what is timed, and no
wake-up is paid there. A figure is the median over the batches of one run, per turn.

Several shapes are compared in one graph, a pair of actors each, which take turns at being at work
(`benchmarks.baton`): a figure is the median over what a stint says in relation to those beside it. All senders
stay on one core then and all takers on another one: two cores of a virtual machine are not always equally fast.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from benchmarks.baton import Baton, baton
from benchmarks.figures import side_by_side
from benchmarks.steady import run_graph, state_of
from steady_mp import Actor, Graph, RxBundle, SteadyState, TxBundle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.experiment import Effort
    from steady_mp import Report

#: How a turn ends: not at all, by `is_running` (which may put its commit off), or by a commit of its own.
Ends = Literal["not", "is_running", "commit"]
#: Stints of a pair of actors in a run, and batches of a stint.
STINTS: Final = 100
BATCHES: Final = 5


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
    #: Each side stays on a core of its own; else both go where the system puts them, which is mostly the same one.
    apart: bool = False
    #: Bytes of the message behind a batch, which is not timed: so far apart in the ring are the batches.
    stride: int = 0


@dataclass
class Turned:
    """The state of either side."""

    #: What each turn changes.
    count: int = 0
    text: str = ""
    #: When the last batch was over, by `time.perf_counter_ns`.
    ended_ns: int = 0


def send(  # noqa: PLR0913, PLR0917 - ends, state, what is measured, and when
    actor: Actor, txs: TxBundle[int | bytes], state: SteadyState[Turned], shape: Shape, baton: Baton, runner: int
) -> None:
    """Time batches of turns that send one message each, in its stints."""
    if shape.apart:
        _stay(0)
    turned = state.acquire(Turned)
    tx = txs[0]
    texts = [kind * shape.text for kind in "ab"]
    last = bytes(shape.stride) if shape.stride else 0
    nanoseconds: list[int] = []
    for _ in range(baton.stints):
        stint = baton.await_stint(runner)
        for _ in range(BATCHES):
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
            turned.ended_ns = time.perf_counter_ns()
            nanoseconds.append(turned.ended_ns - begin)
            tx.send(last)
            actor.commit()
        actor.await_for_all(tx.wait_empty())
        baton.pass_on(stint + 1)
    turned.text = json.dumps(nanoseconds)


def take(actor: Actor, rxs: RxBundle[int | bytes], state: SteadyState[Turned], shape: Shape) -> None:
    """Time batches of turns that take one message each."""
    if shape.apart:
        _stay(-1)
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
        turned.ended_ns = time.perf_counter_ns()
        nanoseconds.append(turned.ended_ns - begin)
        rx.take()
        actor.commit()
    turned.text = json.dumps(nanoseconds)


def _stay(place: int) -> None:
    """Stay on the first core (0) or on the last one (-1), where the system lets us choose."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[place]})


class Cost(NamedTuple):
    """Seconds of a turn of either side."""

    send: float
    take: float


def cost(shape: Shape, effort: Effort) -> Cost:
    """Run a graph of one pair, and return what a turn costs."""
    (found,) = _costs([shape], effort)
    return found


def costs(shapes: Sequence[Shape], effort: Effort) -> list[Cost]:
    """Run a graph of a pair for each shape, and return what a turn costs in each, side by side."""
    return _costs([dataclasses.replace(shape, apart=True) for shape in shapes], effort)


def _costs(shapes: Sequence[Shape], effort: Effort) -> list[Cost]:
    graph = Graph("turns", log_level="warning")
    with baton(len(shapes), STINTS) as way:
        for number, shape in enumerate(shapes):
            txs, rxs = graph.channel_bundle(shape.channels, capacity=shape.capacity)
            graph.actor(f"sender {number}", send, txs, graph.state(), shape, way, number)
            graph.actor(f"taker {number}", take, rxs, graph.state(), shape)
        report = run_graph(graph, effort.patience)
    sides = []
    for side in ("sender", "taker"):
        stints = [_stints(report, f"{side} {number}", shape) for number, shape in enumerate(shapes)]
        sides.append(side_by_side(list(zip(*stints, strict=True))))
    return list(map(Cost, *sides))


def _stints(report: Report, actor: str, shape: Shape) -> list[float]:
    """Return the seconds of a turn of one actor in each of its stints."""
    nanoseconds = json.loads(state_of(report, actor)["text"])
    stints = [nanoseconds[begin : begin + BATCHES] for begin in range(0, len(nanoseconds), BATCHES)]
    return [statistics.median(stint) / shape.batch / 1e9 for stint in stints]
