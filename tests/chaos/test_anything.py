"""Graphs, turns and kills by dice: nothing is lost, doubled or out of order, and nobody oversleeps."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from steady_mp.events import RunStopped
from tests.support import anything
from tests.support.runs import complete
from tests.support.waiting import let_pass

if TYPE_CHECKING:
    from steady_mp import Run
    from tests.support.watch import Watch

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(60)]

MESSAGES = 4000
KILLS = 40


@pytest.mark.parametrize("kills", [0, KILLS], ids=["calm", "killed"])
@pytest.mark.parametrize("seed", range(8))
def test_any_graph_any_turns_any_kills(seed: int, kills: int) -> None:
    graph, names = anything.build(seed, MESSAGES)

    def kill(run: Run, watch: Watch) -> None:
        dice = random.Random(seed)
        for _ in range(kills):
            let_pass(dice.uniform(0.0, 0.02))  # the times of the kills are what is tried
            run.kill(dice.choice(names))
            if watch.all_of(RunStopped):
                return

    outcome = complete(graph, meanwhile=kill)
    assert outcome.report.clean, outcome.report.why
    assert not anything.faults({name: outcome.actor(name).state for name in names}, MESSAGES)
    assert all(channel.sent == channel.taken for channel in outcome.report.channels)
    assert not outcome.rescues
