"""The heartbeat alone, by a clock that only the test moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors import heartbeat
from actors.heartbeat import HeartbeatState
from steady_mp.testing import Bench
from steady_mp.testing.points import ON_BENCH

if TYPE_CHECKING:
    from steady_mp import SteadyState
    from steady_mp.testing import BenchOutput


def put_on_bench(
    *, period: float = 1.0, total: int = 100, capacity: int = 64
) -> tuple[Bench, BenchOutput[int], SteadyState[Any]]:
    bench = Bench("heartbeat")
    beats = bench.output(capacity)
    state = bench.state()
    bench.actor(heartbeat.run, beats.end, period, total, state)
    return bench, beats, state


@pytest.mark.parametrize("period", [0.1, 0.5, 0.003, 2.0])
def test_beats_fall_on_the_multiples_of_the_period(period: float) -> None:
    bench, beats, _ = put_on_bench(period=period)
    for number in range(1, 40):
        bench.run(seconds=number * period - bench.clock() + 1e-9)
        assert beats.take_all() == [number - 1]
        assert bench.clock() == pytest.approx(number * period, abs=1e-8)


def test_the_first_beat_is_not_early() -> None:
    bench, beats, _ = put_on_bench(period=1.0)
    bench.run(seconds=0.999)
    assert beats.take_all() == []


def test_beats_that_had_no_room_are_not_made_up_for() -> None:
    bench, beats, _ = put_on_bench(period=1.0, capacity=1)
    bench.run(seconds=1.0)
    bench.clock.advance(4.5)  # the channel is full: four multiples pass
    bench.run()
    assert beats.take_all() == [0]
    bench.run(seconds=0.5)
    assert beats.take_all() == [1]
    assert bench.clock() == 6.0


def test_it_stops_the_graph_behind_its_last_beat() -> None:
    bench, beats, state = put_on_bench(period=1.0, total=3)
    bench.run(seconds=2.0)
    before = bench.shutdown_requested
    bench.run(seconds=10.0)
    assert (before, bench.shutdown_requested) == (False, True)
    assert bench.finished
    assert beats.take_all() == [0, 1, 2]
    assert beats.is_closed()
    assert bench.saved(state) == HeartbeatState(beats=3)
    assert bench.clock() == 3.0


@pytest.mark.parametrize("hit", [1, 2, 4, 5])
@pytest.mark.parametrize("point", [*ON_BENCH, "park:woke"])
def test_no_death_skips_or_repeats_a_beat_or_forgets_to_stop_the_graph(point: str, hit: int) -> None:
    bench, beats, state = put_on_bench(period=1.0, total=4)
    crashes = 0
    for _ in range(20):
        bench.crash_at(point, hit)
        bench.run(seconds=9.0)
        crashes += bench.crashed
        if not bench.crashed:
            break
    bench.run(seconds=9.0)
    assert bench.finished
    assert bench.shutdown_requested
    assert beats.take_all() == [0, 1, 2, 3]
    assert bench.saved(state) == HeartbeatState(beats=4)
    assert crashes or hit > 1


def test_each_beat_is_logged_by_the_actor(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    bench, _, _ = put_on_bench(total=2)
    bench.run(seconds=9.0)
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("heartbeat", "Beat 0"),
        ("heartbeat", "Beat 1"),
    ]


def test_a_shutdown_from_elsewhere_ends_it_without_another_beat() -> None:
    bench, beats, _ = put_on_bench()
    bench.run(seconds=2.5)
    bench.request_shutdown()
    bench.run(seconds=9.0)
    assert bench.finished
    assert beats.take_all() == [0, 1]
