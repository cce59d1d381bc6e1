"""The kill duel's pure parts: what is drawn, what is counted, and what passes through a graph."""

from __future__ import annotations

import pytest

from benchmarks.duel.board import CONSUMER, PRODUCER
from benchmarks.duel.referee import KILLS, Result, Script
from benchmarks.experiments.kill_duel import cells
from benchmarks.flow import through


def test_a_seed_draws_the_same_kills_for_everybody() -> None:
    assert Script.drawn(7) == Script.drawn(7)
    assert Script.drawn(7) != Script.drawn(8)
    drawn = [Script.drawn(seed) for seed in range(50)]
    assert {who for script in drawn for _, who in script.strikes} == {PRODUCER, CONSUMER}
    assert all(len(script.strikes) == KILLS for script in drawn)
    assert {script.pace > 0 for script in drawn} == {True, False}  # under full load, and mostly waiting


def test_lost_and_doubled_count_only_in_runs_that_came_to_their_end() -> None:
    results = [
        Result(lost=2, doubled=1, nanoseconds=[1_000_000, 3_000_000]),
        Result(lost=3),
        Result(wedged=True, lost=99, nanoseconds=[5_000_000]),
        Result(crashed="the consumer ended with status 1", doubled=99),
        Result(),
    ]
    assert cells(results) == [5, 1, 1, 2, 5, 1, 0.003]


def test_without_a_kill_that_was_survived_there_is_no_time() -> None:
    assert cells([Result(wedged=True)]) == [1, 1, 0, 0, 0, 0, None]


@pytest.mark.parametrize(
    ("before", "after", "passed"),
    [([0, 0], [10, 8], 8), ([5, 7, 100], [1005, 907, 101], 900)],
    ids=["the slowest hop", "a heartbeat beside it"],
)
def test_the_flow_is_what_passes_its_slowest_channel(before: list[int], after: list[int], passed: int) -> None:
    assert through(before, after) == passed
