"""Throughput: ints one at a time from one process to another, a turn for each.

Ours runs as it always does: each turn is committed, put off in groups while nobody waits, and the
states of both actors are saved with it. Two ways to write the loops are measured: the plainest one, and
the one that waits for its conditions first, as an actor with several channels does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from benchmarks.figures import RATE
from benchmarks.peer import peers
from benchmarks.peers.mp_queue import NAME as BASELINE
from benchmarks.race import Contestant, Race
from benchmarks.standings import Question
from benchmarks.stream import (
    EXTRAS,
    Consumed,
    Loops,
    Ours,
    PeerStream,
    Produced,
    SteadyStream,
    Streamed,
    object_link,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.experiment import Experiment
    from steady_mp import Actor, Rx, SteadyState, Tx

_CAPACITIES = (1024, 64)


def sum_up_to(count: int) -> int:
    """Return 0 + 1 + … for so many numbers."""
    return count * (count - 1) // 2


# Peers


def _send_ints(send: Callable[[Any], object], count: int) -> None:
    for number in range(count):
        send(number)


def _receive_ints(receive: Callable[[], Any], count: int) -> Streamed:
    total = receive()
    begin = time.perf_counter_ns()
    for _ in range(count - 1):
        total += receive()
    return Streamed(count, total, time.perf_counter_ns() - begin)


# Ours


def produce(actor: Actor, tx: Tx[int], state: SteadyState[Produced], count: int) -> None:
    """Send 0, 1, 2, …, one a turn."""
    produced = state.acquire(Produced)
    began = time.process_time_ns()
    while actor.is_running():
        if produced.count == count:
            break
        tx.send(produced.count)
        produced.count += 1
    produced.cpu_ns = time.process_time_ns() - began


def consume(actor: Actor, rx: Rx[int], state: SteadyState[Consumed]) -> None:
    """Take and add up, one a turn."""
    consumed = state.acquire(Consumed)
    began = time.process_time_ns()
    if not consumed.count:
        consumed.checksum = rx.take()
        consumed.count = 1
        consumed.first_ns = time.perf_counter_ns()
    try:
        while actor.is_running():
            consumed.checksum += rx.take()
            consumed.count += 1
    finally:
        consumed.last_ns = time.perf_counter_ns()
        consumed.cpu_ns = time.process_time_ns() - began


def produce_waiting(actor: Actor, tx: Tx[int], state: SteadyState[Produced], count: int) -> None:
    """Send 0, 1, 2, …, each after a wait for room."""
    produced = state.acquire(Produced)
    began = time.process_time_ns()
    while actor.is_running():
        if produced.count == count:
            break
        if actor.await_for_all(tx.wait_vacant(1)):
            tx.send(produced.count)
            produced.count += 1
    produced.cpu_ns = time.process_time_ns() - began


def consume_waiting(actor: Actor, rx: Rx[int], state: SteadyState[Consumed]) -> None:
    """Take and add up, each after a wait for a message."""
    consumed = state.acquire(Consumed)
    began = time.process_time_ns()
    if not consumed.count:
        consumed.checksum = rx.take()
        consumed.count = 1
        consumed.first_ns = time.perf_counter_ns()
    while actor.is_running():
        if actor.await_for_all(rx.wait_avail(1)):
            consumed.checksum += rx.take()
            consumed.count += 1
    consumed.last_ns = time.perf_counter_ns()
    consumed.cpu_ns = time.process_time_ns() - began


def plain(capacity: int) -> Ours:
    """Return our plainest stream of ints."""
    return Ours(
        name="steady-mp",
        note="send and take, committed, with state",
        channel=lambda graph: graph.channel(capacity=capacity),
        produce=produce,
        consume=consume,
    )


def peer_loops() -> Loops:
    """Return what the two processes of a peer do."""
    return Loops(_send_ints, _receive_ints, sum_up_to)


def _contestants(capacity: int) -> list[Contestant]:
    loops = peer_loops()
    waiting = Ours(
        name="steady-mp, await_for_all",
        note="the same, each turn waiting for its conditions",
        channel=lambda graph: graph.channel(capacity=capacity),
        produce=produce_waiting,
        consume=consume_waiting,
    )
    return [
        SteadyStream(plain(capacity), sum_up_to),
        SteadyStream(waiting, sum_up_to),
        *(PeerStream(peer, object_link(capacity), loops) for peer in peers()),
    ]


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    return [
        Race(
            Question(
                name=f"throughput-{capacity}",
                title=f"ints one at a time, two processes, capacity {capacity:,}",
                unit=RATE,
                baseline=BASELINE,
                extras=EXTRAS,
            ),
            _contestants(capacity),
        )
        for capacity in _CAPACITIES
    ]
