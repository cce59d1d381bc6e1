"""A played actor at the ends of lanes: what it sends and takes are items."""

from __future__ import annotations

import pytest

from actors.performant import Args, build_graph
from steady_mp import DoesNotFit
from steady_mp.testing import Stage


def test_the_test_plays_both_ends_of_the_performant_worker() -> None:
    args = Args(rate=10, beats=1_000_000, capacity=8)
    with Stage(build_graph, args, playing=["heartbeat", "generator", "logger"]) as stage:
        numbers = stage.actor("generator")
        with pytest.raises(DoesNotFit, match="'many' does not fit dtype 'Q'"):
            numbers.echo("many")
        numbers.echo_all(range(12, 20))
        for code in (3, 0, 0, 15):
            stage.actor("logger").wait_for(code)
        stage.kill("worker")
        stage.final_bow()
        assert stage.actor("logger").take_all() == [0, 0, 3, 0]
