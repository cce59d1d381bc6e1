"""Workers that take a message and send what comes of it: no turn of theirs is torn because their neighbours wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steady_mp import CommitEvery
from steady_mp.testing import Outcome, explore, simulate
from steady_mp.waiting import Waiting
from tests.support.pool import Dealt, Found, work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp import Actor, Graph, Rx, RxBundle, SteadyState, Tx, TxBundle

JOBS = 24
WORKERS = 3


def deal(actor: Actor, jobs: TxBundle[int], dealt: SteadyState[Dealt]) -> None:
    following = dealt.acquire(Dealt)
    while actor.is_running() and following.value < JOBS:
        lane = actor.await_for_lane(jobs.wait_vacant(1))
        if lane is not None:
            jobs[lane].send(following.value)
            following.value += 1


def collect(actor: Actor, results: RxBundle[int], found: SteadyState[Found]) -> None:
    """Take one at a time, and be slower than the workers."""
    values = found.acquire(Found).values
    while actor.is_running():
        lane = actor.await_for_lane(results.wait_avail(1))
        if lane is not None:
            values.append(results[lane].take())
            actor.await_for_all(actor.wait_timeout(0.5))


def build_pool(graph: Graph) -> None:
    jobs_tx, jobs_rx = graph.channel_bundle(WORKERS, capacity=2)
    results_tx, results_rx = graph.channel_bundle(WORKERS, capacity=2)
    graph.actor("deal", deal, jobs_tx, graph.state())
    for lane in range(WORKERS):
        graph.actor(f"work-{lane}", work, jobs_rx[lane], results_tx[lane])
    graph.actor("collect", collect, results_rx, graph.state())


def all_once(outcome: Outcome) -> None:
    assert sorted(outcome.states["collect"].values) == list(range(JOBS))


def test_no_job_is_lost_while_the_one_who_collects_is_slow() -> None:
    explore(build_pool, seeds=range(60), crashes=3, check=all_once)


def collect_in_order(
    actor: Actor, results: Sequence[Rx[int]], found: SteadyState[Found], upto: int, rest: float
) -> None:
    """Take the results in the order of the jobs, and rest behind each."""
    values = found.acquire(Found).values
    while actor.is_running() and len(values) < upto:
        values.append(results[len(values) % WORKERS].take())
        actor.await_for_all(actor.wait_timeout(rest))


def deal_in_order(actor: Actor, jobs: Sequence[Tx[int]], dealt: SteadyState[Dealt], upto: int) -> None:
    following = dealt.acquire(Dealt)
    while actor.is_running() and following.value < upto:
        if actor.await_for_all(jobs[following.value % WORKERS].wait_vacant(1)):
            jobs[following.value % WORKERS].send(following.value)
            following.value += 1


def build_ordered_pool(graph: Graph, upto: int = JOBS, commit_every: CommitEvery | None = None) -> None:
    """The workers but the first one have more room, and may space their commits."""
    capacities = [1] + [8] * (WORKERS - 1) if commit_every else [1] * WORKERS
    jobs_tx, jobs_rx = zip(*map(graph.channel, capacities), strict=True)
    results_tx, results_rx = zip(*map(graph.channel, capacities), strict=True)
    graph.actor("deal", deal_in_order, jobs_tx, graph.state(), upto)
    for lane, (jobs, results) in enumerate(zip(jobs_rx, results_tx, strict=True)):
        graph.actor(f"work-{lane}", work, jobs, results, commit_every=commit_every if lane else None)
    graph.actor("collect", collect_in_order, results_rx, graph.state(), upto, 0.01 if commit_every else 15.0)


def test_no_job_is_lost_however_long_the_one_who_collects_takes() -> None:
    explore(build_ordered_pool, seeds=range(60), crashes=3, check=all_once)


@pytest.mark.parametrize("spaced", [None, CommitEvery(seconds=40.0)])
def test_no_turn_is_torn_for_what_comes_by_itself(spaced: CommitEvery | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who collects rests, or waits for a worker that has put off its commit and sleeps until that is due."""
    torn: list[object] = []
    monkeypatch.setattr(Waiting, "_commit_early", lambda _, end: torn.append(end))
    upto = 30 * WORKERS  # the first turns of a life are each committed alone
    for seed in range(5):
        outcome = simulate(lambda graph: build_ordered_pool(graph, upto, spaced), seed=seed)
        assert outcome.states["collect"].values == list(range(upto))
        assert not torn


def deal_unevenly(actor: Actor, first: Tx[int], second: Tx[int], dealt: SteadyState[Dealt]) -> None:
    """Send three messages to the one before the other has any."""
    following = dealt.acquire(Dealt)
    while actor.is_running() and following.value < 4:
        (first if following.value < 3 else second).send(following.value)
        following.value += 1


def collect_last_first(actor: Actor, first: Rx[int], second: Rx[int], found: SteadyState[Found]) -> None:
    """Begin with what comes last."""
    values = found.acquire(Found).values
    while actor.is_running() and len(values) < 4:
        values.append((first if values else second).take())


def collect_patiently(actor: Actor, first: Rx[int], second: Rx[int], found: SteadyState[Found]) -> None:
    """Begin with what comes last, or after a hundred seconds."""
    values = found.acquire(Found).values
    if not values:
        actor.await_for_any(second.wait_avail(1), actor.wait_timeout(100.0))
    while actor.is_running() and len(values) < 4:
        values.append((second if not values and second.avail() else first).take())


def build_standstill(graph: Graph, collect: Callable[..., None] = collect_last_first) -> None:
    """The room that one worker has in its hand is what all of them wait for."""
    pairs = [graph.channel(1) for _ in range(4)]
    graph.actor("deal", deal_unevenly, pairs[0][0], pairs[1][0], graph.state())
    graph.actor("first", work, pairs[0][1], pairs[2][0])
    graph.actor("second", work, pairs[1][1], pairs[3][0])
    graph.actor("collect", collect, pairs[2][1], pairs[3][1], graph.state())


def test_where_all_wait_for_what_a_turn_holds_it_is_torn() -> None:
    for seed in range(30):
        outcome = simulate(build_standstill, seed=seed)
        assert outcome.states["collect"].values == [3, 0, 1, 2]
        assert outcome.report.wall_time < 2


def test_where_one_of_them_may_be_woken_otherwise_it_is_torn_after_a_while() -> None:
    for seed in range(10):
        outcome = simulate(build_standstill, collect_patiently, seed=seed)
        assert outcome.states["collect"].values == [3, 0, 1, 2]
        assert 10 <= outcome.report.wall_time < 12
