"""Bytes lanes in the simulation: deaths at any step, by seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steady_mp.testing.simulation import Crash, Outcome, explore, simulate
from tests.support import parcels

if TYPE_CHECKING:
    from steady_mp import Graph

RING = 1 << 15


def exact(outcome: Outcome) -> None:
    assert not parcels.faults(outcome.states, 200, ring_bytes=RING)


def build_parcels(graph: Graph) -> None:
    parcels.declare(graph, 200, ring_bytes=RING)


def test_by_each_of_many_seeds_with_a_crash_it_is_exact() -> None:
    explored = explore(build_parcels, seeds=range(60), crashes=1, check=exact)
    assert explored.runs == 60
    assert explored.crashes > 50


@pytest.mark.parametrize("point", ["commit:records", "commit:journal", "commit:epoch", "commit:publish", "park:armed"])
@pytest.mark.parametrize("actor", ["source", "middle", "sink"])
def test_a_death_at_a_fault_point(actor: str, point: str) -> None:
    crashes = [Crash(actor, point, hit) for hit in (1, 3)]
    assert simulate(build_parcels, crashes=crashes, check=exact).crashes == crashes
