"""Shrinking by itself: what it keeps of a run that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady_mp.testing.simulation import Crash, SimulationFailed
from steady_mp.testing.simulation.shrink import shrunk

if TYPE_CHECKING:
    from collections.abc import Collection

NEEDED = Crash("keeper", "commit:epoch", 3)
IDLE = Crash("keeper", "commit:epoch", 900)
SWITCHES = range(300)


def failed(crashes: Collection[Crash], switches: Collection[int]) -> SimulationFailed:
    failure = SimulationFailed("check", "it is wrong")
    failure.crashes, failure.switches = list(crashes), sorted(switches)
    return failure


def test_what_does_not_strike_any_more_goes_also_where_all_tries_are_taken_by_what_does() -> None:
    """Without its first switch the run is shorter, and a crash that had struck has no place in it."""

    def run(_seed: int, crashes: list[Crash], only: frozenset[int] | None) -> None:
        assert only is not None
        if NEEDED in crashes and only >= set(SWITCHES[1:]):
            raise failed(crashes if 0 in only else [NEEDED], only)

    least = shrunk(run, failed([NEEDED, IDLE], SWITCHES))
    assert (least.crashes, least.switches) == ([NEEDED], list(SWITCHES[1:]))
