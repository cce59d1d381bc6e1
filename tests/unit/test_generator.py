"""The generator alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors import generator
from actors.generator import GeneratorState
from steady_mp.testing import Bench
from steady_mp.testing.points import ON_BENCH

if TYPE_CHECKING:
    from steady_mp import SteadyState
    from steady_mp.testing import BenchOutput


def put_on_bench(capacity: int = 64) -> tuple[Bench, BenchOutput[int], SteadyState[Any]]:
    bench = Bench("generator")
    numbers = bench.output(capacity)
    state = bench.state()
    bench.actor(generator.run, numbers.end, state)
    return bench, numbers, state


def test_it_sends_the_numbers_from_zero_on() -> None:
    bench, numbers, state = put_on_bench()
    bench.run(turns=5)
    assert numbers.take_all() == [0, 1, 2, 3, 4]
    assert bench.saved(state) == GeneratorState(value=5)


def test_it_sends_as_much_as_there_is_room_for() -> None:
    bench, numbers, _ = put_on_bench(capacity=3)
    got = []
    for _ in range(3):
        bench.run()
        got.append(numbers.take_all())
    assert got == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


@pytest.mark.parametrize("hit", [1, 2, 5])
@pytest.mark.parametrize("point", ON_BENCH)
def test_no_death_skips_or_repeats_a_number(point: str, hit: int) -> None:
    bench, numbers, state = put_on_bench(capacity=4)
    got: list[int] = []
    crashes = 0
    for life in range(13):
        if life % 3:  # two deaths in a row, and a life without
            bench.crash_at(point, hit)
        bench.run()
        got += numbers.take_all()
        crashes += bench.crashed
    assert crashes or hit > 1
    assert got == list(range(len(got)))
    assert len(got) >= 16
    assert bench.saved(state) == GeneratorState(value=len(got))


def test_a_shutdown_ends_it_at_once_and_closes_its_channel() -> None:
    bench, numbers, _ = put_on_bench()
    bench.run(turns=2)
    bench.request_shutdown()
    bench.run()
    assert bench.finished
    assert numbers.take_all() == [0, 1]
    assert numbers.is_closed()
