"""SIGKILLs at random times: the result is that of a calm run."""

from __future__ import annotations

import random

import pytest

from tests.support import killing, mixed

KILLS = 200
MESSAGES = 300_000


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_two_hundred_kills_change_nothing() -> None:
    siege, report = killing.besiege(rng=random.Random(20261122), kills=KILLS, messages=MESSAGES, pause=0.03)
    assert report.clean, report.why
    assert killing.verdict(siege, report) == []
    assert siege.kills >= KILLS
    assert report.channels[1].taken >= MESSAGES
    assert min(siege.deaths.values()) >= KILLS // 4, "every stage has had its share"


def test_the_messages_are_of_all_sizes() -> None:
    sizes = [len(value) for n in range(20_000) if isinstance(value := mixed.message(n), bytes)]
    assert min(sizes) == 1
    assert max(sizes) > 60 * 1024
    assert len({type(mixed.message(n)) for n in range(1000)}) >= 9
