"""Bytes lanes under kills: at each point of a commit, and at random."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from steady_mp.events import ActorStarted, RunStopped
from tests.support import parcels
from tests.support.runs import complete
from tests.support.waiting import let_pass

if TYPE_CHECKING:
    from steady_mp import Run
    from tests.support.watch import Watch

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(60)]

MESSAGES = 6000
KILLS = 40
NAMES = ("source", "middle", "sink")
#: Where each of them comes by for certain, whoever sleeps.
POINTS = (
    *("start:begin", "start:mapped", "recover:publish", "start:recovered", "start:ready"),
    *("commit:begin", "commit:records", "commit:snapshot", "commit:journal", "commit:epoch", "commit:publish"),
    *("commit:published", "commit:done"),
)


def test_parcels_arrive_whole_and_once_whoever_is_killed() -> None:
    dice = random.Random(87971)

    def kill(run: Run, watch: Watch) -> None:
        for name in NAMES:
            watch.wait_for(ActorStarted, actor=name)
        for _ in range(KILLS):
            let_pass(dice.uniform(0.0, 0.03))  # the times of the kills are what is tried
            run.kill(dice.choice(NAMES))
            if watch.all_of(RunStopped):
                return

    outcome = complete(parcels.build(MESSAGES), meanwhile=kill)
    assert outcome.report.clean, outcome.report.why
    assert not parcels.faults({name: outcome.actor(name).state for name in NAMES}, MESSAGES)
    assert any(actor.deaths for actor in outcome.report.actors)
    assert not outcome.rescues


@pytest.mark.parametrize("name", NAMES)
def test_a_life_for_every_point(name: str) -> None:
    graph = parcels.build(1500)
    graph.faults[name] = [
        {"point": point, "hit": 3 if point.startswith("commit") else 1, "generations": [life]}
        for life, point in enumerate(POINTS, start=1)
    ]
    outcome = complete(graph)
    assert outcome.report.clean, outcome.report.why
    assert outcome.actor(name).deaths == ["SIGKILL"] * len(POINTS)
    assert not parcels.faults({name: outcome.actor(name).state for name in NAMES}, 1500)
    assert not outcome.rescues
