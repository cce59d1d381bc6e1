"""The worker alone: it turns numbers into messages at the pace of the beats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from actors import worker
from actors.fizzbuzz import FizzBuzz, Value, Word, fizzbuzz
from actors.worker import WorkerState
from steady_mp.testing import Bench
from steady_mp.testing.points import ON_BENCH

if TYPE_CHECKING:
    from steady_mp import SteadyState
    from steady_mp.testing import BenchInput, BenchOutput


@dataclass
class OnBench:
    """The worker on its bench, with its three channels and its state."""

    bench: Bench
    beats: BenchInput[int]
    numbers: BenchInput[int]
    results: BenchOutput[FizzBuzz]
    state: SteadyState[Any]

    def run(self) -> list[FizzBuzz]:
        self.bench.run()
        return self.results.take_all()

    @property
    def saved(self) -> WorkerState | None:
        return self.bench.saved(self.state)


def put_on_bench(room: int = 64) -> OnBench:
    bench = Bench("worker")
    beats, numbers, results = bench.input(), bench.input(), bench.output(room)
    state = bench.state()
    bench.actor(worker.run, beats.end, numbers.end, results.end, state)
    return OnBench(bench, beats, numbers, results, state)


def test_a_beat_turns_the_numbers_that_are_there_into_messages() -> None:
    on = put_on_bench()
    on.numbers.send_all(range(7))
    on.beats.send_all([0])
    assert on.run() == [Word.FIZZBUZZ, Value(1), Value(2), Word.FIZZ, Value(4), Word.BUZZ, Word.FIZZ]
    assert on.saved == WorkerState(beats=1, messages=7)


def test_without_a_beat_nothing_is_taken() -> None:
    on = put_on_bench()
    on.numbers.send_all(range(3))
    assert on.run() == []
    assert on.numbers.left() == 3


def test_without_a_number_the_beat_waits() -> None:
    on = put_on_bench()
    on.beats.send_all([0, 1])
    assert on.run() == []
    assert on.beats.left() == 2
    on.numbers.send_all([15])
    assert on.run() == [Word.FIZZBUZZ]
    assert on.beats.left() == 1


def test_it_takes_no_more_numbers_than_there_is_room_for() -> None:
    on = put_on_bench(room=4)
    on.numbers.send_all(range(1, 11))
    on.beats.send_all([0, 1, 2])
    assert on.run() == [fizzbuzz(n) for n in (1, 2, 3, 4)]
    assert on.numbers.left() == 6
    assert on.beats.left() == 2
    assert on.run() == [fizzbuzz(n) for n in (5, 6, 7, 8)]
    assert on.run() == [fizzbuzz(n) for n in (9, 10)]
    assert on.saved == WorkerState(beats=3, messages=10)


def test_without_room_neither_beat_nor_number_is_taken() -> None:
    on = put_on_bench(room=2)
    on.numbers.send_all([1, 2])
    on.beats.send_all([0])
    on.bench.run()
    on.numbers.send_all([3])
    on.beats.send_all([1])
    on.bench.run()
    assert (on.numbers.left(), on.beats.left()) == (1, 1)
    assert on.results.take_all() == [Value(1), Value(2)]
    assert on.run() == [Word.FIZZ]


def test_in_a_shutdown_it_drains_without_beats() -> None:
    on = put_on_bench(room=4)
    on.bench.request_shutdown()
    on.beats.close()
    on.numbers.send_all(range(10), close=True)
    got = []
    for _ in range(4):
        got += on.run()
    assert got == [fizzbuzz(n) for n in range(10)]
    assert on.bench.finished
    assert on.results.is_closed()
    assert on.saved == WorkerState(beats=0, messages=10)


def test_beats_that_no_number_waits_for_do_not_keep_it() -> None:
    on = put_on_bench()
    on.beats.send_all([0, 1, 2], close=True)
    on.numbers.close()
    on.bench.request_shutdown()
    assert on.run() == []
    assert on.bench.finished
    assert on.saved == WorkerState(beats=3, messages=0)


def test_it_stays_while_an_input_is_open() -> None:
    on = put_on_bench()
    on.bench.request_shutdown()
    on.beats.close()
    on.bench.run()
    assert not on.bench.finished
    on.numbers.send_all([5], close=True)
    assert on.run() == [Word.BUZZ]
    assert on.bench.finished


@pytest.mark.parametrize("hit", [1, 2, 3])
@pytest.mark.parametrize("point", ON_BENCH)
def test_no_death_loses_or_doubles_a_message(point: str, hit: int) -> None:
    on = put_on_bench(room=3)
    on.numbers.send_all(range(20), close=True)
    on.beats.send_all(range(9), close=True)
    got: list[FizzBuzz] = []
    crashes = 0
    for life in range(40):
        if life % 3:
            on.bench.crash_at(point, hit)
        got += on.run()
        crashes += on.bench.crashed
    assert crashes or hit > 1
    assert on.bench.finished
    assert got == [fizzbuzz(n) for n in range(20)]
    assert on.saved == WorkerState(beats=9, messages=20)
