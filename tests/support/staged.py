"""Graphs for stages, and what tests of failures ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors import Args
from steady_mp import ConfigurationError, Graph, RestartPolicy
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import PassOn
from tests.support import pipeline, quiet

if TYPE_CHECKING:
    from collections.abc import Callable

#: The pipeline of the example, with a beat each millisecond for as long as the test likes.
ENDLESS = Args(rate=1, beats=1_000_000)
ENDS = ["generator", "logger"]
MANY = RestartPolicy(threshold=1000.0, backoff=0.0, max_backoff=0.0)


def complaint(call: Callable[[], object]) -> str:
    """Return what an AssertionError says."""
    with pytest.raises(AssertionError) as caught:
        call()
    return str(caught.value)


def refusal(call: Callable[[], object]) -> str:
    """Return what a ConfigurationError says, in its one line."""
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def merging(graph: Graph, lanes: int) -> None:
    """A played source of several lanes, and the merge and the sink of production."""
    txs, rxs = graph.channel_bundle(lanes, capacity=4, name="lane")
    graph.actor("feeder", quiet.split, txs, 1, graph.state())
    graph.actor("merge", pipeline.sink, rxs[0], 1, graph.state())
    for lane in range(1, lanes):
        graph.actor(f"sink {lane}", pipeline.sink, rxs[lane], 1, graph.state())


def splitting(graph: Graph, lanes: int) -> None:
    """The split of production, and a sink that takes all lanes."""
    txs, rxs = graph.channel_bundle(lanes, capacity=4, name="lane")
    graph.actor("split", quiet.split, txs, 9, graph.state())
    graph.actor("collector", quiet.merge, rxs, graph.state())


def passing(graph: Graph, capacity: int) -> None:
    """A source and a sink around a middle."""
    numbers_tx, numbers_rx = graph.channel(capacity, name="numbers", ring_bytes=4096)
    results_tx, results_rx = graph.channel(capacity, name="results", ring_bytes=4096)
    graph.actor("source", pipeline.source, numbers_tx, 0, 1, graph.state(), restart=MANY)
    graph.actor("middle", perform, Script.each_life([PassOn()]), numbers_rx, results_tx, graph.state(), restart=MANY)
    graph.actor("sink", pipeline.sink, results_rx, 1, graph.state(), restart=MANY)
