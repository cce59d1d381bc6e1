"""The performant pipeline: its codes, each actor on a bench, and all of them in a simulation."""

from __future__ import annotations

import sys
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.fizzbuzz import Value, fizzbuzz
from actors.generator import GeneratorState
from actors.logger import LoggerState
from actors.performant import Args, build_graph, check_report, codes, generator, logger, worker
from actors.proof import totals
from actors.worker import WorkerState
from steady_mp.cli.target import load_target
from steady_mp.errors import ConfigurationError
from steady_mp.testing import Bench, Outcome, explore

#: A beat every 50 µs of virtual time: nobody waits for them, so the run is as long as they are.
SMALL = Args(rate=0.05, beats=2, capacity=6)  # type: ignore[arg-type]


def code_of(number: int) -> int:
    said = fizzbuzz(number)
    return 0 if isinstance(said, Value) else {"FizzBuzz": 15, "Fizz": 3, "Buzz": 5}[said.value]


@given(st.integers(0, 1 << 40), st.integers(1, 100), st.sets(st.integers(0, 99), max_size=3))
def test_each_number_has_its_code_in_a_row_or_not(first: int, count: int, gaps: set[int]) -> None:
    numbers = [first + at for at in range(count) if at not in gaps]
    found = np.zeros(len(numbers), np.uint8)
    codes.encode(np.array(numbers, np.uint64), found)
    assert found.tolist() == [code_of(number) for number in numbers]


def test_a_long_row_has_no_seams() -> None:
    numbers = np.arange(1, 100_001, dtype=np.uint64)
    found = np.zeros(len(numbers), np.uint8)
    codes.encode(numbers, found)
    assert found.tolist() == [code_of(number) for number in range(1, 100_001)]
    counted = LoggerState()
    logger.add(counted, found)
    assert counted == LoggerState(**{**asdict(totals(100_001)), "fizzbuzz": totals(100_001).fizzbuzz - 1})


def test_the_generator_fills_half_a_lane_a_turn() -> None:
    bench = Bench("generator")
    numbers, state = bench.output(8, dtype="Q"), bench.state()
    bench.actor(generator.run, numbers.end, state)
    bench.run()
    assert numbers.take_all() == list(range(8))
    bench.run()
    assert numbers.take_all() == list(range(8, 16))
    assert bench.saved(state) == GeneratorState(16)


def test_the_worker_turns_half_a_lane_and_in_a_shutdown_what_is_left() -> None:
    bench = Bench("worker")
    beats, numbers, results = bench.input(), bench.input(10, dtype="Q"), bench.output(10, dtype="B")
    state = bench.state()
    bench.actor(worker.run, beats.end, numbers.end, results.end, state)
    numbers.send_all(range(3))
    beats.send_all([0])
    bench.run()
    assert bench.saved(state) == WorkerState(beats=1, messages=0)
    numbers.send_all(range(3, 8))
    bench.run()
    results.assert_all(code_of(number) for number in range(5))
    numbers.send_all(range(8, 14))  # around the end of both rings, with the rest of the half before
    bench.run()
    results.assert_all(code_of(number) for number in range(5, 10))
    numbers.close()
    beats.close()
    bench.run()
    results.assert_all(code_of(number) for number in range(10, 14))
    assert bench.finished
    assert bench.saved(state) == WorkerState(beats=1, messages=14)


def test_the_logger_counts_each_kind() -> None:
    bench = Bench("logger")
    results, state = bench.input(64, dtype="B"), bench.state()
    bench.actor(logger.run, results.end, state)
    results.send_all([code_of(number) for number in range(50)])
    results.close()
    bench.run()
    assert bench.saved(state) == totals(50)
    assert bench.lines == [f"Totals: {totals(50)}"]


def test_it_is_exact_wherever_its_actors_die() -> None:
    sent = []

    def exact(outcome: Outcome) -> None:
        assert check_report(outcome.report) == []
        sent.append(outcome.sent("worker→logger"))

    explore(build_graph, SMALL, seeds=range(8), crashes=3, check=exact)
    assert max(sent) > SMALL.capacity


def test_without_numpy_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "actors.performant")
    with pytest.raises(ConfigurationError, match=r"^actors\.performant needs numpy: pip install 'steady-mp\[numpy\]'$"):
        load_target("actors.performant")
