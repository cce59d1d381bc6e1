"""A producer that waits for bytes, and a consumer that waits for more messages than the ring has bytes for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ExitCode
from steady_mp.testing.simulation.simulate import simulate

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, Rx, SteadyState, Tx

TOTAL = 30


def bulk(actor: Actor, tx: Tx[Any], state: SteadyState[list[int]]) -> None:
    """Send short messages and long ones."""
    sent = state.acquire(lambda: [0])
    while actor.is_running() and sent[0] < TOTAL:
        tx.send([sent[0], "x" * (100 if sent[0] % 3 else 3500)])
        sent[0] += 1


def gather(actor: Actor, rx: Rx[Any], state: SteadyState[list[int]]) -> None:
    """Wait for six at once; where these can't be there, take what there is, and commit between."""
    seen: list[int] = state.acquire(list)
    while actor.is_running():
        if actor.await_for_all(rx.wait_avail(6)):
            seen.append(rx.take()[0])
            continue
        for _ in range(2):
            if (message := rx.try_take()) is not None:
                seen.append(message[0])
            actor.commit()


def build(graph: Graph, _: None = None) -> None:
    """One to the other, through a ring of a page."""
    tx, rx = graph.channel(64, ring_bytes=4096, name="bulk")
    graph.actor("bulk", bulk, tx, graph.state())
    graph.actor("gather", gather, rx, graph.state())


@pytest.mark.parametrize("seed", [20, 77, 80, 128, 182, *range(6)])
def test_neither_waits_for_the_other_for_ever(seed: int) -> None:
    outcome = simulate(build, None, seed=seed, shrink=False)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.states["gather"] == list(range(TOTAL))
