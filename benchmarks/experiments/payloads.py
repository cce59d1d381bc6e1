"""Payloads: byte strings of 1 KiB and 1 MiB, one a turn, copied into the channel and out of it.

Peers that have an interface for bytes are measured by that (Pipe, faster-fifo, pyzmq, iceoryx2), the
others by the one for objects. Each side's own bytes: nobody hands out a view of memory that is reused.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

from benchmarks.figures import FEW, MICROSECONDS, RATE, Unit
from benchmarks.kinds import NO_BYTES_LANE, lane
from benchmarks.peer import peers
from benchmarks.peers.mp_queue import NAME as BASELINE
from benchmarks.race import Race
from benchmarks.standings import Question
from benchmarks.stream import CPU, Consumed, Loops, Ours, PeerStream, Produced, SteadyStream, Streamed, bytes_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.experiment import Experiment
    from steady_mp import Actor, Rx, SteadyState, Tx

#: Different payloads, sent in turn.
_KINDS = 4
#: Bytes beside each payload that a ring of ours is given.
_OVERHEAD = 128
#: Large messages that a ring of ours holds: fewer than peers may queue, but what is written to is in a cache then.
_WARM = 3
#: The same of a bytes lane, which is handed over by quarters: of three each would be more than one, and take a commit.
_WARM_LANE = 5


def _payloads(size: int) -> list[bytes]:
    return [bytes([kind]) * size for kind in range(_KINDS)]


def _checksum(size: int, count: int) -> int:
    whole, rest = divmod(count, _KINDS)
    return count * size + whole * sum(range(_KINDS)) + sum(range(rest))


def _send(size: int, send: Callable[[Any], object], count: int) -> None:
    payloads = _payloads(size)
    for number in range(count):
        send(payloads[number % _KINDS])


def _receive(receive: Callable[[], Any], count: int) -> Streamed:
    value = receive()
    total = len(value) + value[-1]
    begin = time.perf_counter_ns()
    for _ in range(count - 1):
        value = receive()
        total += len(value) + value[-1]
    return Streamed(count, total, time.perf_counter_ns() - begin)


def _produce(actor: Actor, tx: Tx[bytes], state: SteadyState[Produced], count: int, size: int) -> None:
    produced = state.acquire(Produced)
    began = time.process_time_ns()
    payloads = _payloads(size)
    while actor.is_running():
        if produced.count == count:
            break
        tx.send(payloads[produced.count % _KINDS])
        produced.count += 1
    produced.cpu_ns = time.process_time_ns() - began


def produce_1k(actor: Actor, tx: Tx[bytes], state: SteadyState[Produced], count: int) -> None:
    """Send 1 KiB a turn."""
    _produce(actor, tx, state, count, 1 << 10)


def produce_1m(actor: Actor, tx: Tx[bytes], state: SteadyState[Produced], count: int) -> None:
    """Send 1 MiB a turn."""
    _produce(actor, tx, state, count, 1 << 20)


def consume(actor: Actor, rx: Rx[bytes], state: SteadyState[Consumed]) -> None:
    """Take one a turn."""
    consumed = state.acquire(Consumed)
    began = time.process_time_ns()
    try:
        while actor.is_running():
            value = rx.take()
            if not consumed.count:
                consumed.first_ns = time.perf_counter_ns()
            consumed.checksum += len(value) + value[-1]
            consumed.count += 1
    finally:
        consumed.last_ns = time.perf_counter_ns()
        consumed.cpu_ns = time.process_time_ns() - began


def _race(  # noqa: PLR0913, PLR0917 - made twice, here
    name: str, size: int, capacity: int, held: tuple[int, int], produce: Callable[..., None], units: tuple[Unit, Unit]
) -> Race:
    checksum = functools.partial(_checksum, size)
    loops = Loops(functools.partial(_send, size), _receive, checksum)
    rings = [count * (size + _OVERHEAD) for count in held]
    bounds = ["" if count == capacity else f"; a ring of {count} messages" for count in held]
    ours = [
        Ours(
            name="steady-mp",
            note=f"bytes over an object channel{bounds[0]}",
            channel=lambda graph: graph.channel(capacity=capacity, ring_bytes=rings[0]),
            produce=produce,
            consume=consume,
        ),
        Ours(
            name="steady-mp, bytes lane",
            note=f"send and take of a bytes lane{bounds[1]}",
            channel=lambda graph: lane(graph, capacity, bytes, ring_bytes=rings[1]),
            produce=produce,
            consume=consume,
            missing=NO_BYTES_LANE,
        ),
    ]
    link = bytes_link(capacity, size)
    return Race(
        Question(
            name=f"bytes-{name.replace(' ', '')}",
            title=f"{name} of bytes a message, capacity {capacity:,}",
            unit=units[0],
            baseline=BASELINE,
            extras={CPU: units[1]},
        ),
        [
            *(SteadyStream(one, checksum, first=100) for one in ours),
            *(PeerStream(peer, link, loops, first=100) for peer in peers()),
        ],
    )


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    return [
        _race("1 KiB", 1 << 10, 1024, (1024, 1024), produce_1k, (RATE, MICROSECONDS)),
        _race("1 MiB", 1 << 20, 16, (_WARM, _WARM_LANE), produce_1m, (FEW, MICROSECONDS)),
    ]
