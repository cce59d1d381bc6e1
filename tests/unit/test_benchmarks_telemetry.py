"""What telemetry costs a stream, found in slices of it."""

from __future__ import annotations

import pytest

from benchmarks.experiments.telemetry import Slice, looked, missing

MILLISECOND = 1_000_000


def stream(rates: list[float], looks: dict[int, float]) -> list[Slice]:
    """Return a millisecond a slice of a stream that goes at `rates`, and loses so much of some of them to a look."""
    return [
        Slice(MILLISECOND, round(rate * (1 - looks.get(place, 0.0))), MILLISECOND, 1000 if place in looks else 0)
        for place, rate in enumerate(rates)
    ]


def test_what_a_look_takes_is_found_in_a_stream_that_becomes_faster_and_slower() -> None:
    rates = [2000.0 if place // 50 % 2 else 3000.0 for place in range(1000)]
    looks = dict.fromkeys(range(25, 1000, 20), 0.3)
    lost = sum(0.3 * rates[place] for place in looks)
    assert missing(stream(rates, looks)) == pytest.approx(lost, rel=0.1)
    assert missing(stream(rates, dict.fromkeys(looks, 0.0))) == pytest.approx(0.0, abs=lost * 0.1)


def test_a_look_is_felt_in_the_slice_behind_it_as_well() -> None:
    slices = stream([1000.0] * 20, {10: 0.5})
    slices[11] = slices[11]._replace(messages=800)
    assert looked(slices) == [place in {10, 11} for place in range(20)]
    assert missing(slices) == pytest.approx(700.0)


def test_a_stream_that_is_looked_at_all_the_time_has_nothing_beside_it() -> None:
    assert missing(stream([1000.0] * 5, dict.fromkeys(range(5), 0.5))) == 0.0
