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
            outcome = simulate(posted.build, seed=seed, crashes=5, shrink=False)
        relay, sink = outcome.states["relay"].values, outcome.states["sink"].values
        assert sink == relay
        assert len(set(relay)) == len(relay), "nothing comes twice"
        in_line = [number for number in relay if number not in office.letters]
        assert in_line == sorted(in_line), "what was never put aside keeps its order"
        missing = set(range(posted.TOTAL)) - set(relay)
        # What was ordered and could not be delivered any more, because the channel was over, may be missing as well.
        assert missing <= set(office.letters)
        assert missing == office.left(len(office.orders)), (missing, office.orders)
        letters += len(office.letters)
        replayed += len(office.letters) - len(missing)
    assert letters > 10
    assert replayed > 3
