"""A bench that is used in a way nobody can have meant: one line says so, and nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ConfigurationError
from steady_mp.testing import Bench, ManualClock

if TYPE_CHECKING:
    from steady_mp import Actor, Rx


def idle(actor: Actor, numbers: Rx[int]) -> None:
    """Take nothing."""
    while actor.is_running():
        actor.await_for_all(numbers.wait_avail(2))


@pytest.mark.parametrize("make", [Bench.input, Bench.output, lambda b: b.input_bundle(2), lambda b: b.output_bundle(2)])
def test_the_test_s_side_of_a_channel_is_no_end(make: Any) -> None:
    bench = Bench()
    with pytest.raises(ConfigurationError, match=r"numbers is the test's side of a channel: hand over its \.end"):
        bench.actor(idle, make(bench))


@pytest.mark.parametrize(
    "arguments",
    [{"turns": "1"}, {"turns": -1}, {"seconds": None}, {"seconds": float("nan")}, {"until": True}],
    ids=str,
)
def test_arguments_of_a_run_that_make_no_sense_are_refused(arguments: dict[str, Any]) -> None:
    bench = Bench()
    bench.actor(idle, bench.input().end)
    with pytest.raises(ConfigurationError, match=f"run: {next(iter(arguments))} "):
        bench.run(**arguments)
    assert bench.generation == 0


@pytest.mark.parametrize("hit", ["2", 1.5, 0, True])
def test_a_crash_strikes_at_a_whole_number(hit: Any) -> None:
    with pytest.raises(ConfigurationError, match="crash_at"):
        Bench().crash_at("commit:epoch", hit)


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_clock_goes_on_by_numbers_only(seconds: float) -> None:
    clock = ManualClock()
    with pytest.raises(ValueError, match="can't"):
        clock.advance(seconds)
    assert clock() == 0.0


@pytest.mark.parametrize("level", ["debug", None, True])
def test_a_log_level_that_is_no_number_is_refused(level: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^log_level .*: give it as a number, as logging.DEBUG is one$"):
        Bench(log_level=level)
