"""The logger alone: every line that it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors import logger
from actors.fizzbuzz import FizzBuzz, Value, Word, fizzbuzz
from actors.logger import LoggerState
from steady_mp.testing import Bench
from steady_mp.testing.points import ON_BENCH

if TYPE_CHECKING:
    from steady_mp import SteadyState
    from steady_mp.testing import BenchInput


@pytest.fixture(autouse=True)
def _at_the_default_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


def put_on_bench() -> tuple[Bench, BenchInput[FizzBuzz], SteadyState[Any]]:
    bench = Bench("logger")
    results = bench.input()
    state = bench.state()
    bench.actor(logger.run, results.end, state)
    return bench, results, state


def test_a_line_for_each_message_in_order(caplog: pytest.LogCaptureFixture) -> None:
    bench, results, state = put_on_bench()
    results.send_all([Word.FIZZBUZZ, Value(1), Value(2), Word.FIZZ, Value(4), Word.BUZZ])
    bench.run()
    assert caplog.messages == [
        "Msg FizzBuzz",
        "Msg Value(1)",
        "Msg Value(2)",
        "Msg Fizz",
        "Msg Value(4)",
        "Msg Buzz",
    ]
    assert {record.name for record in caplog.records} == {"logger"}
    assert bench.saved(state) == LoggerState(fizzbuzz=1, fizz=1, buzz=1, value=3)


def test_the_last_line_is_the_totals(caplog: pytest.LogCaptureFixture) -> None:
    bench, results, _ = put_on_bench()
    results.send_all(map(fizzbuzz, range(31)), close=True)
    bench.run()
    assert bench.finished
    assert caplog.messages[-1] == "Totals: FizzBuzz 3, Fizz 8, Buzz 4, Value 16"
    assert len(caplog.messages) == 32


def test_the_totals_stand_there_even_if_nothing_came(caplog: pytest.LogCaptureFixture) -> None:
    bench, results, _ = put_on_bench()
    results.close()
    bench.run()
    assert caplog.messages == ["Totals: FizzBuzz 0, Fizz 0, Buzz 0, Value 0"]


def test_a_shutdown_alone_does_not_end_it_while_its_input_is_open(caplog: pytest.LogCaptureFixture) -> None:
    bench, results, _ = put_on_bench()
    bench.request_shutdown()
    bench.run()
    assert not bench.finished
    results.send_all([Value(7)], close=True)
    bench.run()
    assert caplog.messages == ["Msg Value(7)", "Totals: FizzBuzz 0, Fizz 0, Buzz 0, Value 1"]


@pytest.mark.parametrize("hit", [1, 2])
@pytest.mark.parametrize("point", ON_BENCH)
def test_no_death_changes_what_it_has_counted(point: str, hit: int, caplog: pytest.LogCaptureFixture) -> None:
    """Lines are effects outside the graph: after a death some come again, but none is missing."""
    bench, results, state = put_on_bench()
    crashes = 0
    for start in range(0, 45, 5):
        bench.crash_at(point, hit)
        results.send_all(map(fizzbuzz, range(start, start + 5)), close=start == 40)
        bench.run()
        crashes += bench.crashed
    assert crashes or hit > 1
    bench.run()
    assert bench.finished
    assert bench.saved(state) == LoggerState(fizzbuzz=3, fizz=12, buzz=6, value=24)
    assert set(caplog.messages) >= {f"Msg {fizzbuzz(n)}" for n in range(45)}
    assert caplog.messages[-1] == "Totals: FizzBuzz 3, Fizz 12, Buzz 6, Value 24"
