"""A pool: one deals, workers take a job and send what comes of it, one collects once its gate is open."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.gates import open_gate

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, Rx, RxBundle, SteadyState, Tx, TxBundle

JOBS = 40
WORKERS = 2
CAPACITY = 2


@dataclass
class Dealt:
    value: int = 0


@dataclass
class Found:
    values: list[int] = field(default_factory=list)


def deal(actor: Actor, jobs: TxBundle[int], state: SteadyState[Dealt], in_turn: bool) -> None:  # noqa: FBT001
    """Send the jobs to the workers in turn, or to whoever has room."""
    dealt = state.acquire(Dealt)
    while actor.is_running() and dealt.value < JOBS:
        if in_turn:
            jobs[dealt.value % WORKERS].send(dealt.value)
            dealt.value += 1
        elif (lane := actor.await_for_lane(jobs.wait_vacant(1))) is not None:
            jobs[lane].send(dealt.value)
            dealt.value += 1


def work(actor: Actor, jobs: Rx[int], results: Tx[int]) -> None:
    """Do one job after the other, without a look at whether there is room for the result."""
    while actor.is_running():
        results.send(jobs.take())


def collect(actor: Actor, results: RxBundle[int], gate: str, state: SteadyState[Found]) -> None:
    """Take what comes, behind the gate."""
    values = state.acquire(Found).values
    fd = open_gate(gate)
    actor.await_for_all(actor.wait_readable(fd))
    while actor.is_running():
        lane = actor.await_for_lane(results.wait_avail(1))
        if lane is not None:
            values.append(results[lane].take())
    os.close(fd)


def declare(graph: Graph, gate: str, *, in_turn: bool) -> None:
    """Declare the graph."""
    jobs_tx, jobs_rx = graph.channel_bundle(WORKERS, capacity=CAPACITY)
    results_tx, results_rx = graph.channel_bundle(WORKERS, capacity=CAPACITY)
    graph.actor("deal", deal, jobs_tx, graph.state(), in_turn)
    for lane in range(WORKERS):
        graph.actor(f"work {lane}", work, jobs_rx[lane], results_tx[lane])
    graph.actor("collect", collect, results_rx, gate, graph.state())
