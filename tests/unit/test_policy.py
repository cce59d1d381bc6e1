"""Restart policies: how soon, how often, and when it is enough."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp import ConfigurationError, RestartPolicy
from steady_mp.policy import Failures
from steady_mp.testing import ManualClock

CALM = RestartPolicy(jitter=0.0, half_life=10.0, threshold=3.0, backoff=0.1, max_backoff=1.0)


def deaths(failures: Failures, count: int, *, innocent: bool) -> list[float | None]:
    return [failures.died(innocent=innocent) for _ in range(count)]


def test_the_first_restart_is_at_once_and_the_pause_doubles_to_its_limit() -> None:
    failures = Failures(CALM, ManualClock())
    assert deaths(failures, 7, innocent=True) == [0.0, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_a_pause_decays_with_time() -> None:
    clock = ManualClock()
    failures = Failures(CALM, clock)
    deaths(failures, 5, innocent=True)
    clock.advance(10.0)  # five have become two and a half
    assert failures.died(innocent=True) == pytest.approx(0.1 * 2**1.5)
    clock.advance(1000.0)
    assert failures.died(innocent=True) == 0.0


def test_deaths_far_apart_are_each_a_first_one() -> None:
    clock = ManualClock()
    failures = Failures(CALM, clock)
    for _ in range(100):
        assert failures.died(innocent=False) == 0.0
        clock.advance(60.0)


def test_above_the_threshold_it_gives_up() -> None:
    failures = Failures(CALM, ManualClock())
    assert None not in deaths(failures, 3, innocent=False)
    assert failures.died(innocent=False) is None


def test_half_a_life_later_it_has_twice_the_patience() -> None:
    clock = ManualClock()
    failures = Failures(CALM, clock)
    deaths(failures, 3, innocent=False)
    clock.advance(10.0)
    assert failures.died(innocent=False) is not None
    assert failures.died(innocent=False) is None


def test_a_life_that_got_something_done_can_die_any_number_of_times() -> None:
    failures = Failures(CALM, ManualClock())
    assert None not in deaths(failures, 10_000, innocent=True)


def test_something_done_makes_up_for_what_was_not() -> None:
    failures = Failures(CALM, ManualClock())
    for _ in range(20):
        assert None not in deaths(failures, 3, innocent=False)
        assert failures.died(innocent=True) is not None


def test_a_threshold_of_zero_forgives_nothing() -> None:
    failures = Failures(dataclasses.replace(CALM, threshold=0.0), ManualClock())
    assert failures.died(innocent=False) is None


def test_many_deaths_at_once_overflow_nothing() -> None:
    failures = Failures(dataclasses.replace(CALM, max_backoff=float("inf"), threshold=1e9), ManualClock())
    for pause in deaths(failures, 5000, innocent=True):
        assert pause is not None
        assert pause < float("inf")


def test_jitter_makes_pauses_longer_by_at_most_its_share() -> None:
    policy = dataclasses.replace(CALM, jitter=0.5)
    pauses = []
    for seed in range(50):
        failures = Failures(policy, ManualClock(), random.Random(seed))
        failures.died(innocent=True)
        pauses.append(failures.died(innocent=True))
    assert all(pause is not None and 0.1 <= pause <= 0.15 for pause in pauses)
    assert len(set(pauses)) > 40


def test_two_actors_with_one_policy_do_not_restart_in_step() -> None:
    policy = dataclasses.replace(CALM, jitter=0.5)
    pauses = set()
    for _ in range(5):
        failures = Failures(policy, ManualClock())
        failures.died(innocent=True)
        pauses.add(failures.died(innocent=True))
    assert len(pauses) == 5


def test_five_siblings_never_share_a_budget() -> None:
    """One policy object, five actors: each has its own count."""
    clock = ManualClock()
    siblings = [Failures(CALM, clock) for _ in range(5)]
    for _ in range(3):
        for sibling in siblings:
            assert sibling.died(innocent=False) is not None
    assert [sibling.died(innocent=False) for sibling in siblings] == [None] * 5


@given(st.lists(st.tuples(st.floats(0.0, 100.0), st.booleans()), max_size=50), st.floats(0.0, 5.0))
def test_every_answer_is_a_pause_within_bounds_or_the_end(steps: list[tuple[float, bool]], jitter: float) -> None:
    clock = ManualClock()
    policy = dataclasses.replace(CALM, jitter=jitter)
    failures = Failures(policy, clock)
    for seconds, innocent in steps:
        clock.advance(seconds)
        pause = failures.died(innocent=innocent)
        assert pause is None or 0.0 <= pause <= policy.max_backoff * (1 + jitter)
        assert pause is not None or not innocent


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"threshold": -1}, "threshold -1 must be 0 or more"),
        ({"backoff": -0.1}, "backoff -0.1 must be 0 or more"),
        ({"max_backoff": float("nan")}, "max_backoff nan must be 0 or more"),
        ({"jitter": -1.0}, "jitter -1.0 must be 0 or more"),
        ({"half_life": 0}, "half_life 0 must be above 0 seconds"),
        ({"half_life": float("nan")}, "half_life nan must be above 0 seconds"),
        ({"give_up": "never"}, "give_up 'never' must be stop_graph or isolate"),
        ({"backoff": "soon"}, "backoff 'soon' must be a number"),
        ({"half_life": None}, "half_life None must be a number"),
        ({"threshold": True}, "threshold True must be a number"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^RestartPolicy: {message}"):
        RestartPolicy(**wrong)


def test_a_policy_is_frozen_and_has_keywords_only() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        CALM.threshold = 9.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        RestartPolicy(5.0)  # type: ignore[call-arg]
