"""Hundreds of SIGKILLs at random times: the result is that of a calm run."""

from __future__ import annotations

import pytest

from tests.support import chaos, mixed
from tests.support.frames import Frame
from tests.support.runs import complete

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

MESSAGES = 150_000
KILLS = 200
#: For each stage; what faust#340 asks for.
EACH = 50


def test_the_messages_are_of_all_kinds_and_sizes() -> None:
    values = [mixed.message(number) for number in range(5000)]
    plain = {int, float, str, bytes, bool, type(None), dict, mixed.Order}
    assert {type(value) for value in values} == plain | {bytearray, list, Frame}
    assert max(value.bit_length() for value in values if isinstance(value, int)) > 500
    sizes = [len(value) for value in values if isinstance(value, bytes)]
    assert (min(sizes), max(sizes)) == (1, (1 << 16) + 8)


def test_a_calm_run_is_what_the_others_are_measured_by() -> None:
    outcome = complete(chaos.build(20_000))
    assert chaos.faults(outcome) == []
    assert outcome.actor("sink").state["count"] == 20_000


def test_random_kills() -> None:
    """Count, order and checksum of each actor are exact; no channel ever held more than it may."""
    run = chaos.Chaos(kills=KILLS, messages=MESSAGES, seed=340)
    outcome = run.run(seconds=150)
    assert chaos.faults(outcome) == []
    assert outcome.actor("sink").state["count"] >= MESSAGES
    deaths = {actor.name: actor.deaths for actor in outcome.report.actors}
    assert set().union(*deaths.values()) == {"SIGKILL"}
    assert sum(map(len, deaths.values())) >= KILLS
    assert all(len(causes) >= EACH for causes in deaths.values())
    assert 0 < run.fullest <= chaos.CAPACITY
