from __future__ import annotations

import dataclasses
import math
import statistics
import tracemalloc

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp import ConfigurationError, Statistic
from steady_mp.telemetry.window import HISTORY, History, Window
from tests.support.simulated import Simulated

SAMPLES = st.lists(st.floats(0, 1e9), min_size=1, max_size=60)
MILLION = 1_000_000


def filled(size: int, samples: list[float]) -> Window:
    window = Window(size)
    for sample in samples:
        window.add(sample)
    return window


@given(SAMPLES, st.integers(1, 20))
def test_statistics_are_those_of_the_last_samples(samples: list[float], size: int) -> None:
    window, last = filled(size, samples), samples[-size:]
    assert len(window) == len(last)
    assert window.average() == pytest.approx(statistics.fmean(last))
    assert window.minimum() == min(last)
    assert window.maximum() == max(last)
    assert window.standard_deviation() == pytest.approx(statistics.pstdev(last), abs=1e-3)
    assert window.last == last[-1]


@given(SAMPLES, st.floats(0, 100))
def test_a_percentile_is_a_sample_that_so_many_do_not_exceed(samples: list[float], q: float) -> None:
    found = filled(len(samples), samples).percentile(q)
    assert found in samples
    assert sum(sample <= found for sample in samples) >= math.ceil(q * len(samples) / 100)
    assert sum(sample < found for sample in samples) <= max(0, math.ceil(q * len(samples) / 100) - 1)


def test_a_percentile_has_its_rank_also_where_a_hundredth_is_not_exact() -> None:
    window = filled(100, list(range(1, 101)))
    assert [window.percentile(q) for q in range(1, 101)] == list(range(1, 101))


def test_an_empty_window_knows_nothing() -> None:
    window = Window(5)
    for statistic in (
        Statistic.average(),
        Statistic.minimum(),
        Statistic.percentile(80),
        Statistic.standard_deviation(),
    ):
        assert window.statistic(statistic) is None


@pytest.mark.parametrize(
    ("statistic", "value", "label"),
    [
        (Statistic.average(), 3.0, "avg"),
        (Statistic.minimum(), 1.0, "min"),
        (Statistic.maximum(), 5.0, "max"),
        (Statistic.percentile(80), 4.0, "p80"),
        (Statistic.standard_deviation(), math.sqrt(2), "std dev"),
    ],
)
def test_each_statistic_by_name(statistic: Statistic, value: float, label: str) -> None:
    assert filled(5, [1, 2, 3, 4, 5]).statistic(statistic) == pytest.approx(value)
    assert str(statistic) == label


@pytest.mark.parametrize("q", [-1, 100.5])
def test_a_percentile_is_of_a_hundred(q: float) -> None:
    with pytest.raises(ConfigurationError, match="from 0 to 100"):
        Statistic.percentile(q)


def test_a_history_holds_its_last_points_rounded() -> None:
    history = History(1)
    for value in range(HISTORY + 10):
        history.add(value + 0.123)
    assert history.points() == [round(value + 0.1, 1) for value in range(10, HISTORY + 10)]
    history.add(None)
    assert history.points()[-1] == 0.0


def test_memory_is_flat_after_a_million_samples() -> None:
    """Each look at this graph takes 12 samples: for two actors and a channel, into windows and histories."""
    with Simulated() as simulated:
        simulated.begin(0)
        simulated.begin(1)
        simulated.carry(5, 1)
        simulated.tick()
        sample = simulated.sampler.sample()

        def look(times: int) -> None:
            for _ in range(times):
                simulated.now += 0.5
                simulated.board.update(dataclasses.replace(sample, at=simulated.now))

        look(1000)
        resident = psutil.Process().memory_info().rss
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            look(5000)
            settled, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        look(MILLION // 12 - 6000)
        assert settled - before < 100_000
        assert psutil.Process().memory_info().rss - resident < 4 << 20
        assert {len(window) for window in simulated.board.actors[0].windows.values()} == {11}
        assert {len(window) for window in simulated.board.channels[0].windows.values()} == {0, 11}
        assert len(simulated.board.actors[0].load_history.points()) == HISTORY
