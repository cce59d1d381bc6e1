"""What is measured side by side: whose stint it is, and that a machine of two speeds makes no difference."""

from __future__ import annotations

import random

import pytest

from benchmarks import turns
from benchmarks.baton import baton
from benchmarks.experiments import sizes
from benchmarks.figures import Figures, ratios, side_by_side
from steady_mp.channel.kinds import Shape
from steady_mp.graph import RING


def test_each_runner_has_a_stint_in_each_round_and_each_begins_one() -> None:
    with baton(4, 8) as way:
        rounds = [[way.runner(number) for number in range(begin, begin + 4)] for begin in range(0, 32, 4)]
    assert rounds[:4] == [[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]]
    assert rounds[4:] == rounds[:4]


@pytest.mark.parametrize("runners", [1, 2, 3])
def test_the_baton_goes_to_whose_stint_it_is_until_there_are_no_more(runners: int) -> None:
    with baton(runners, 3) as way:
        for number in range(3 * runners):
            assert way.await_stint(way.runner(number)) == number  # would wait for ever if it were another's
            way.pass_on(number + 1)


def test_a_machine_of_two_speeds_makes_no_difference_between_columns() -> None:
    dice = random.Random(20261)
    costs = (10.0, 11.0, 10.0)
    moments = []
    for number in range(100):
        speed = 1.5 if 20 < number < 70 else 1.0
        moments.append([speed * cost * dice.uniform(0.98, 1.02) for cost in costs])
    moments[3] = [moments[3][0] * 9, *moments[3][1:]]
    first, second, third = side_by_side(moments)
    assert second / first == pytest.approx(1.1, abs=0.01)
    assert third / first == pytest.approx(1.0, abs=0.01)
    assert 10.0 < first < 15.2


def test_a_figure_by_itself_is_the_median() -> None:
    assert side_by_side([[3.0], [1.0], [7.0]]) == pytest.approx([3.0])


def test_the_ratio_of_pairs_is_that_of_each_pair_and_not_that_of_the_medians() -> None:
    ours, theirs = (2.0, 3.0, 10.0), (1.0, 4.0, 5.0)
    assert ratios(ours, theirs, paired=True) == Figures((2.0, 0.75, 2.0))
    assert ratios(ours, theirs, paired=False) == Figures((0.75,))


def test_the_batches_of_a_run_walk_twice_through_the_largest_ring() -> None:
    ring = Shape().ring_bytes(max(sizes._CAPACITIES), least=RING)
    assert ring > RING
    assert 2 * ring <= turns.STINTS * turns.BATCHES * sizes._STRIDE
