"""Messages put aside and replayed, with crashes anywhere: nothing is lost, and nothing comes twice."""

from __future__ import annotations

import pytest

from steady_mp.testing.simulation.simulate import simulate
from tests.support import posted


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_put_aside_and_replayed_exactly_once(first: int) -> None:
    letters = replayed = 0
    for seed in range(first, first + 10):
        office = posted.Office(seed)
        with posted.opened(office):
            outcome = simulate(posted.build, seed=seed, crashes=5, check=office.check, shrink=False)
        missing = set(range(posted.TOTAL)) - set(outcome.states["relay"].values)
        letters += len(office.letters)
        replayed += len(office.letters) - len(missing)
    assert letters > 10
    assert replayed > 3
