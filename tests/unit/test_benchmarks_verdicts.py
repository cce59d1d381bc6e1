"""The verdicts of the benchmarks: from the data of a run alone, so they are the same when it is read again."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.bars import BARS, AtMostTimes, Bar, Flat, Limit, Need, Times, judge
from benchmarks.experiments import ping_pong
from benchmarks.figures import MICROSECONDS, RATE, Unit
from benchmarks.race import Race, Series
from benchmarks.standings import Question, Row, Sample, standings

PEER, OTHER, ABSENT = "peer", "other peer", "absent peer"


def race(unit: Unit, extras: dict[str, Unit] | None = None, /, **rows: float | None) -> dict[str, Any]:
    """Return a race of `ours` and others, each with one figure; None for one that is out."""
    names = {"ours": "ours", "peer": PEER, "other": OTHER, "absent": ABSENT}
    question = Question(name="race", title="a race", unit=unit, baseline=PEER, extras=extras or {})
    found = []
    for key, value in rows.items():
        samples = [] if value is None else [Sample(value, dict.fromkeys(extras or {}, value))]
        found.append(
            Row(
                names.get(key, key),
                ours=key not in names or key == "ours",
                samples=samples,
                out=None if samples else "no",
            )
        )
    return standings(question, found).data


def verdict(need: Need, data: dict[str, Any], row: str = "ours") -> tuple[bool | None, str]:
    (found,) = judge([data], [Bar("what", "race", row, need)])
    return found.met, found.measured


@pytest.mark.parametrize(("ours", "met"), [(19.9, False), (20.0, True), (25.0, True)])
def test_so_many_times_the_rate_of_a_peer(ours: float, met: bool) -> None:  # noqa: FBT001
    assert verdict(Times(20, PEER), race(RATE, ours=ours, peer=1.0)) == (met, f"{ours:.2f}x")


@pytest.mark.parametrize(
    ("ours", "shown"), [(19.998, "19.998x"), (20.00002, "20.00002x"), (19.99, "19.99x"), (20.0, "20.00x")]
)
def test_a_bar_missed_by_a_hair_does_not_read_as_met(ours: float, shown: str) -> None:
    assert verdict(Times(20, PEER), race(RATE, ours=ours, peer=1.0)) == (ours >= 20, shown)


def test_so_many_times_faster_than_a_peer_where_less_is_better() -> None:
    assert verdict(Times(2, PEER), race(MICROSECONDS, ours=1.0, peer=3.0)) == (True, "3.00x")
    assert verdict(Times(4, PEER), race(MICROSECONDS, ours=1.0, peer=3.0)) == (False, "3.00x")


def test_the_best_peer_is_the_one_that_is_hardest_to_beat() -> None:
    rates = race(RATE, ours=6.0, peer=2.0, other=4.0, absent=None)
    assert verdict(Times(2), rates) == (False, f"1.50x {OTHER}")
    times = race(MICROSECONDS, ours=1.0, peer=2.0, other=4.0)
    assert verdict(Times(2), times) == (True, f"2.00x {PEER}")


def test_another_row_of_ours_is_no_peer() -> None:
    assert verdict(Times(1), race(RATE, ours=3.0, **{"ours too": 9.0}, peer=2.0)) == (True, f"1.50x {PEER}")


def test_a_floor_is_no_peer() -> None:
    question = Question(name="race", title="a race", unit=MICROSECONDS, baseline=PEER)
    rows = [
        Row("ours", ours=True, samples=[Sample(6.0)]),
        Row(PEER, samples=[Sample(2.0)]),
        Row("floor", floor=True, samples=[Sample(1.0)]),
    ]
    assert verdict(Times(1), standings(question, rows).data) == (False, f"0.33x {PEER}")


def test_the_floors_of_the_round_trips_are_marked_and_no_bar_names_them() -> None:
    races = {race.name: race for race in ping_pong.experiments() if isinstance(race, Race)}
    floors = {name: [one for one in race.contestants if one.floor] for name, race in races.items()}
    names = {name: {one.name for one in found} for name, found in floors.items()}
    both = {"floor: spin and commit", "floor: two FIFOs"}
    assert names == {"ping-pong": both, "ping-pong-idle": {"floor: two FIFOs"}}
    assert not any(one.ours for found in floors.values() for one in found)
    assert both.isdisjoint({bar.row for bar in BARS} | {getattr(bar.need, "peer", None) for bar in BARS})


def paired(unit: Unit, **rows: tuple[float, ...]) -> dict[str, Any]:
    question = Question(name="race", title="side by side", unit=unit, baseline="first", ranked=False, paired=True)
    found = [Row(name, ours=True, samples=[Sample(value) for value in values]) for name, values in rows.items()]
    return standings(question, found).data


def test_what_was_taken_side_by_side_is_judged_side_by_side() -> None:
    times = paired(MICROSECONDS, first=(10.0, 15.0, 9.0, 15.5, 10.0), second=(10.5, 15.5, 9.5, 16.0, 30.0))
    assert verdict(Flat(0.06), times, "first") == (True, "second: 5% worse")
    assert verdict(AtMostTimes(1.02, "first"), times, "second") == (False, "1.05x")
    rates = paired(RATE, first=(1000.0, 1500.0, 1000.0), second=(990.0, 1490.0, 1500.0))
    assert verdict(Times(0.98, "first"), rates, "second") == (True, "0.99x")
    assert verdict(Flat(0.005), rates, "first") == (False, "second: 1% worse")


def test_at_most_so_many_times_the_time_of_a_peer() -> None:
    assert verdict(AtMostTimes(1.2, PEER), race(MICROSECONDS, ours=1.2, peer=1.0)) == (True, "1.20x")
    assert verdict(AtMostTimes(1.2, PEER), race(MICROSECONDS, ours=1.3, peer=1.0)) == (False, "1.30x")


def test_a_limit_is_a_least_where_more_is_better() -> None:
    assert verdict(Limit(300e3, "≥ 300 k"), race(RATE, ours=299e3)) == (False, "299 k messages/s")
    assert verdict(Limit(300e3, "≥ 300 k"), race(RATE, ours=300e3)) == (True, "300 k messages/s")
    assert verdict(Limit(10e-6, "≤ 10 µs"), race(MICROSECONDS, ours=10.1e-6)) == (False, "10.1 µs")


def test_a_limit_of_another_column_is_always_a_most() -> None:
    data = race(RATE, {"wait": MICROSECONDS}, ours=5e-6)
    assert verdict(Limit(5e-6, "≤ 5 µs", "wait"), data) == (True, "5.0 µs")
    assert verdict(Limit(4e-6, "≤ 4 µs", "wait"), data) == (False, "5.0 µs")


def test_flat_looks_at_the_worst_row_and_not_at_a_better_one() -> None:
    rates = race(RATE, **{"2 actors": 10.0, "4 actors": 30.0, "8 actors": 9.0})
    assert verdict(Flat(0.2), rates, "2 actors") == (True, "8 actors: 10% worse")
    times = race(MICROSECONDS, **{"1 channel": 10.0, "64 channels": 27.0})
    assert verdict(Flat(0.2), times, "1 channel") == (False, "64 channels: 170% worse")


@pytest.mark.parametrize(
    ("need", "why"),
    [
        (Times(2, ABSENT), f"{ABSENT}: no"),
        (Times(2, "nobody"), "nobody was not measured"),
        (Limit(1, "1", "x"), "no x"),
    ],
)
def test_what_is_missing_gives_no_verdict_and_says_what(need: Need, why: str) -> None:
    met, measured = verdict(need, race(RATE, ours=1.0, absent=None))
    assert met is None
    assert why in measured


def test_without_any_peer_there_is_no_best_one() -> None:
    assert verdict(Times(1), race(RATE, ours=1.0)) == (None, "no peer was measured")


def test_an_experiment_that_did_not_run_has_no_verdicts() -> None:
    assert judge([], BARS) == []


def test_each_bar_names_an_experiment_and_a_row_that_there_are() -> None:
    from benchmarks.experiment import discover  # noqa: PLC0415 - imports every experiment

    rows: dict[str, set[str]] = {}
    for one in discover():
        if isinstance(one, Race):
            rows[one.name] = {contestant.name for contestant in one.contestants}
        elif isinstance(one, Series):
            rows[one.name] = set(one.rows)
    for bar in BARS:
        assert bar.row in rows[bar.experiment], bar
        peer = getattr(bar.need, "peer", None)
        assert peer is None or peer in rows[bar.experiment], bar
