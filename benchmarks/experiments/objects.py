"""Objects: small tuples one at a time from one process to another, a turn for each, pickled by either side's own way.

Most of what passes between processes in Python is such a message: a few fields, nothing that has an array of its own.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from benchmarks.experiments.throughput import sum_up_to
from benchmarks.figures import RATE
from benchmarks.peer import peers
from benchmarks.peers.mp_queue import NAME as BASELINE
from benchmarks.race import Race
from benchmarks.standings import Question
from benchmarks.stream import EXTRAS, Consumed, Loops, Ours, PeerStream, Produced, SteadyStream, Streamed, object_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.experiment import Experiment
    from steady_mp import Actor, Rx, SteadyState, Tx

_CAPACITY = 1024
#: Bytes of a pickled one, roughly.
_PICKLED = 64


def _order(number: int) -> tuple[str, int, float]:
    return "order", number, 3.5


def _send(send: Callable[[Any], object], count: int) -> None:
    for number in range(count):
        send(_order(number))


def _receive(receive: Callable[[], Any], count: int) -> Streamed:
    total = receive()[1]
    begin = time.perf_counter_ns()
    for _ in range(count - 1):
        total += receive()[1]
    return Streamed(count, total, time.perf_counter_ns() - begin)


def produce(actor: Actor, tx: Tx[tuple[str, int, float]], state: SteadyState[Produced], count: int) -> None:
    """Send tuples, one a turn."""
    produced = state.acquire(Produced)
    began = time.process_time_ns()
    while actor.is_running():
        if produced.count == count:
            break
        tx.send(_order(produced.count))
        produced.count += 1
    produced.cpu_ns = time.process_time_ns() - began


def consume(actor: Actor, rx: Rx[tuple[str, int, float]], state: SteadyState[Consumed]) -> None:
    """Take them and add up their numbers, one a turn."""
    consumed = state.acquire(Consumed)
    began = time.process_time_ns()
    if not consumed.count:
        consumed.checksum = rx.take()[1]
        consumed.count = 1
        consumed.first_ns = time.perf_counter_ns()
    try:
        while actor.is_running():
            consumed.checksum += rx.take()[1]
            consumed.count += 1
    finally:
        consumed.last_ns = time.perf_counter_ns()
        consumed.cpu_ns = time.process_time_ns() - began


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    ours = Ours(
        name="steady-mp",
        note="send and take, committed, with state",
        channel=lambda graph: graph.channel(capacity=_CAPACITY),
        produce=produce,
        consume=consume,
    )
    loops = Loops(_send, _receive, sum_up_to)
    return [
        Race(
            Question(
                name=f"objects-{_CAPACITY}",
                title=f"small tuples one at a time, two processes, capacity {_CAPACITY:,}",
                unit=RATE,
                baseline=BASELINE,
                extras=EXTRAS,
            ),
            [
                SteadyStream(ours, sum_up_to),
                *(PeerStream(peer, object_link(_CAPACITY, _PICKLED), loops) for peer in peers()),
            ],
        )
    ]
