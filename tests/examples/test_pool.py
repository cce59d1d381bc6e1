"""Several workers between one who deals and one who collects, as docs/channels.md shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steady_mp.testing import GraphUnderTest

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, Rx, RxBundle, SteadyState, Tx, TxBundle


@dataclass
class Count:
    value: int = 0


def deal(actor: Actor, jobs: TxBundle[int], dealt: SteadyState[Count], upto: int) -> None:
    """Hand each job to a worker that has room."""
    following = dealt.acquire(Count)
    while actor.is_running() and following.value < upto:
        lane = actor.await_for_lane(jobs.wait_vacant(1))
        if lane is not None:
            jobs[lane].send(following.value)
            following.value += 1


def square(actor: Actor, jobs: Rx[int], results: Tx[int]) -> None:
    """Do one job after the other."""
    while actor.is_running():
        if actor.await_for_all(jobs.wait_avail(1), results.wait_vacant(1)):
            results.send(jobs.take() ** 2)


def collect(actor: Actor, results: RxBundle[int], total: SteadyState[Count]) -> None:
    """Add up what comes, from whichever worker has something."""
    added = total.acquire(Count)
    while actor.is_running():
        lane = actor.await_for_lane(results.wait_avail(1))
        if lane is not None:
            added.value += sum(results[lane].take_slice(64))


def build_pool(graph: Graph) -> None:
    """Four workers, with a channel to each and one from each."""
    jobs_tx, jobs_rx = graph.channel_bundle(4, capacity=64)
    results_tx, results_rx = graph.channel_bundle(4, capacity=64)
    graph.actor("deal", deal, jobs_tx, graph.state(), 1000)
    for lane in range(4):
        graph.actor(f"square-{lane}", square, jobs_rx[lane], results_tx[lane])
    graph.actor("collect", collect, results_rx, graph.state())


def test_each_job_is_done_once_whoever_dies() -> None:
    crashes = [("deal", "commit:publish"), ("square-2", "commit:publish"), ("collect", "commit:journal")]
    with GraphUnderTest(build_pool, crash_at=crashes) as graph:
        report = graph.finish()
        for actor, _ in crashes:
            assert graph.wait_for_death(actor).cause == "SIGKILL"
    assert report.clean
    assert report.actors[-1].state == {"value": sum(number**2 for number in range(1000))}
