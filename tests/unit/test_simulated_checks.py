"""Checks that do otherwise than assert: they answer, or end by pytest, by Ctrl-C, by a time-out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ConfigurationError
from steady_mp.testing.simulation import Crash, Outcome, SimulationFailed, crash_points, explore, simulate
from tests.support import toys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steady_mp import Actor, Graph


def failing_by_pytest(outcome: Outcome) -> None:
    if outcome.crashes:
        pytest.fail("somebody died")


def come_too_late(_actor: Actor) -> None:
    pytest.fail("too late")


def test_a_check_that_fails_by_pytest_tells_the_seed_and_the_crashes_as_a_note() -> None:
    crash = Crash("keeper", "commit:epoch", 3)
    with pytest.raises(pytest.fail.Exception, match="somebody died") as found:
        explore(toys.line, seeds=[5], crashes=[crash, Crash("keeper", "commit:epoch", 10_000)], check=failing_by_pytest)
    call = "simulate(line, …, seed=5, crashes=[Crash('keeper', 'commit:epoch', 3)], log_level='warning')"
    assert found.value.__notes__ == [f"seed 5; the same run again: {call}"]


def test_a_time_out_in_the_middle_of_a_run_tells_the_seed_and_the_crashes_as_a_note() -> None:
    def build(graph: Graph) -> None:
        graph.actor("failer", come_too_late)

    with pytest.raises(pytest.fail.Exception, match="too late") as found:
        explore(build, seeds=[5])
    assert found.value.__notes__ == [
        "seed 5; the same run again: simulate(build, …, seed=5, crashes=[], log_level='warning')"
    ]


@pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit])
def test_ctrl_c_in_a_check_is_left_alone(leaving: type[BaseException]) -> None:
    def check(_outcome: Outcome) -> None:
        raise leaving

    with pytest.raises(leaving) as found:
        simulate(toys.line, check=check)
    assert not hasattr(found.value, "__notes__")


def test_a_time_out_while_a_failure_is_shrunk_leaves_the_least_that_is_known() -> None:
    runs: list[int] = []

    def check(outcome: Outcome) -> None:
        runs.append(len(outcome.crashes))
        if len(runs) > 3:
            pytest.fail("too late")
        assert not outcome.crashes

    crashes = [Crash("keeper", "commit:epoch", hit) for hit in (3, 5, 7, 9)]
    with pytest.raises(SimulationFailed, match="check: ") as found:
        simulate(toys.line, crashes=crashes, check=check)
    assert runs == [4, 4, 4, 0], "again, without its switches, without its crashes"
    assert (found.value.crashes, found.value.switches) == (crashes, [])


def test_crash_points_of_a_graph_that_fails_tells_the_seed_and_the_trace() -> None:
    with pytest.raises(SimulationFailed, match=r"seed 3; what it takes: simulate\(failing, …, seed=3") as found:
        crash_points(toys.failing, seed=3)
    assert "died: ValueError: life 1 fails" in str(found.value)


async def awaited(outcome: Outcome) -> None:
    assert not outcome.states


def generated(outcome: Outcome) -> Iterator[None]:
    assert not outcome.states
    yield


def judged(outcome: Outcome) -> bool:
    return not outcome.crashes and outcome.states["keeper"] is None


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (judged, "check judged returned False: let it assert; it is to return nothing"),
        (lambda _: ["wrong!"], "check <lambda> returned ['wrong!']: let it assert"),
        (awaited, "check awaited returned <coroutine object"),
        (generated, "check generated returned <generator object"),
    ],
)
def test_a_check_that_answers_is_refused(check: Callable[[Outcome], object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        explore(toys.line, seeds=range(3), check=check)


def test_what_would_check_nothing_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="seeds is empty: nothing was simulated"):
        explore(toys.line, seeds=[])
    with pytest.raises(ConfigurationError, match="crashes -3: must be a whole number from 0"):
        simulate(toys.line, crashes=-3)
    with pytest.raises(ConfigurationError, match="crashes True: must be a whole number from 0"):
        explore(toys.line, crashes=True)
    with pytest.raises(ConfigurationError, match="hits 0: must be a whole number from 1"):
        crash_points(toys.line, hits=0)


@pytest.mark.parametrize("crashes", [[("keeper", "commit:epoch", 1)], Crash("keeper", "commit:epoch"), 1.5, ["x"]])
def test_what_is_no_crash_is_refused_with_what_is_one(crashes: Any) -> None:
    for play in (simulate, explore):
        with pytest.raises(ConfigurationError, match=r"^crashes .*: give a list of Crash\(actor, point, hit\), or"):
            play(toys.line, crashes=crashes)
