"""Slices: ints sent a thousand at a time, by whatever each contestant has for that.

Ours is `send_slice` and `take_slice`, the messages being ints; a peer sends lists of 1,000 ints as one
message. Both may hold 64,000 ints. The figure is ints a second.
"""

from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING, Any

from benchmarks.experiments.throughput import sum_up_to
from benchmarks.figures import Unit
from benchmarks.kinds import NO_LANE, lane
from benchmarks.peer import peers
from benchmarks.peers.mp_queue import NAME as BASELINE
from benchmarks.race import Race
from benchmarks.standings import Question
from benchmarks.stream import CPU, Consumed, Loops, Ours, PeerStream, Produced, SteadyStream, Streamed, object_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.experiment import Experiment
    from steady_mp import Actor, Rx, SteadyState, Tx

_SLICE = 1000
_SLICES = 64
#: Bytes of a pickled list of so many ints, roughly.
_PICKLED = 3 * _SLICE
_RATE = Unit(kept="ints/s", shown="M ints/s", factor=1e-6, more_is_better=True)
_CPU = Unit(kept="s", shown="ns", factor=1e9, more_is_better=False)


def _checksum(slices: int) -> int:
    return slices * sum_up_to(_SLICE)


def _send_lists(send: Callable[[Any], object], count: int) -> None:
    values = list(range(_SLICE))
    for _ in range(count):
        send(values)


def _receive_lists(receive: Callable[[], Any], count: int) -> Streamed:
    total = sum(receive())
    begin = time.perf_counter_ns()
    for _ in range(count - 1):
        total += sum(receive())
    return Streamed(count, total, time.perf_counter_ns() - begin)


def produce(actor: Actor, tx: Tx[int], state: SteadyState[Produced], count: int) -> None:
    """Send a slice a turn."""
    produced = state.acquire(Produced)
    began = time.process_time_ns()
    values = list(range(_SLICE))
    while actor.is_running():
        if produced.count == count:
            break
        tx.send_slice(values)
        produced.count += 1
    produced.cpu_ns = time.process_time_ns() - began


def consume(actor: Actor, rx: Rx[int], state: SteadyState[Consumed]) -> None:
    """Take a slice a turn, or what is there of it."""
    consumed = state.acquire(Consumed)
    began = time.process_time_ns()
    ints = 0
    while actor.is_running():
        actor.await_for_all(rx.wait_avail(_SLICE))
        taken = rx.take_slice(_SLICE)
        if taken and not ints:
            consumed.first_ns = time.perf_counter_ns()
        consumed.checksum += sum(taken)
        ints += len(taken)
        consumed.count = ints // _SLICE
    consumed.last_ns = time.perf_counter_ns()
    consumed.cpu_ns = time.process_time_ns() - began


def produce_views(actor: Actor, tx: Any, state: SteadyState[Produced], count: int) -> None:  # noqa: ANN401 - a lane's end, which not every version has
    """Copy a slice a turn to where it will stand."""
    produced = state.acquire(Produced)
    began = time.process_time_ns()
    values = memoryview(array("q", range(_SLICE)))
    while actor.is_running():
        if produced.count == count:
            break
        if not actor.await_for_all(tx.wait_vacant(_SLICE)):
            continue
        done = 0
        for view in tx.poke_slice(_SLICE):
            view[:] = values[done : done + len(view)]
            done += len(view)
        tx.advance_send(done)
        produced.count += 1
    produced.cpu_ns = time.process_time_ns() - began


def consume_views(actor: Actor, rx: Any, state: SteadyState[Consumed]) -> None:  # noqa: ANN401 - likewise
    """Add up a slice a turn where it stands."""
    consumed = state.acquire(Consumed)
    began = time.process_time_ns()
    ints = 0
    while actor.is_running():
        actor.await_for_all(rx.wait_avail(_SLICE))
        views = rx.peek_slice(_SLICE)
        if views and not ints:
            consumed.first_ns = time.perf_counter_ns()
        there = sum(map(len, views))
        consumed.checksum += sum(sum(view.tolist()) for view in views)
        rx.advance_take(there)
        ints += there
        consumed.count = ints // _SLICE
    consumed.last_ns = time.perf_counter_ns()
    consumed.cpu_ns = time.process_time_ns() - began


def _steady() -> list[SteadyStream]:
    capacity = _SLICE * _SLICES
    found = [
        Ours(
            name="steady-mp",
            note="send_slice and take_slice of an object channel",
            channel=lambda graph: graph.channel(capacity=capacity),
            produce=produce,
            consume=consume,
        ),
        Ours(
            name="steady-mp, typed lane",
            note='the same over a lane of dtype "q": lists in, lists out',
            channel=lambda graph: lane(graph, capacity, "q"),
            produce=produce,
            consume=consume,
            missing=NO_LANE,
        ),
        Ours(
            name="steady-mp, typed lane by views",
            note="poke_slice and peek_slice: memory copied in, read where it stands, a list of it made to add up",
            channel=lambda graph: lane(graph, capacity, "q"),
            produce=produce_views,
            consume=consume_views,
            missing=NO_LANE,
        ),
    ]
    return [SteadyStream(ours, _checksum, weight=_SLICE, first=100) for ours in found]


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    loops = Loops(_send_lists, _receive_lists, _checksum)
    link = object_link(_SLICES, _PICKLED)
    return [
        Race(
            Question(
                name=f"slices-{_SLICE}",
                title=f"ints in slices (peers: lists as one message) of {_SLICE:,}, at most {_SLICES} of them queued",
                unit=_RATE,
                baseline=BASELINE,
                extras={CPU: _CPU},
            ),
            [*_steady(), *(PeerStream(peer, link, loops, weight=_SLICE, first=100) for peer in peers())],
        )
    ]
