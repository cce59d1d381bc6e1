"""The pipeline under chaos: its four actors are killed and frozen at random, and nobody can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors import Args, build_graph, check_report
from steady_mp.testing import GraphUnderTest, unleash

if TYPE_CHECKING:
    from steady_mp.testing.plugin import StartsGraph, Unleashes

SHORT = Args(rate=5, beats=150)
ENDLESS = Args(rate=5, beats=1_000_000)


def test_the_result_is_that_of_a_calm_run() -> None:
    with GraphUnderTest(build_graph, SHORT) as graph, unleash(graph, rate=50, freeze=0.2):
        report = graph.finish()
    assert report.clean
    assert check_report(report) == []


@pytest.mark.parametrize("actor", ["heartbeat", "generator", "worker", "logger"])
def test_an_actor_may_die_again_and_again(actor: str) -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        with unleash(graph, rate=100) as strikes:
            strikes.wait_for(kills=5, actor=actor)
        graph.request_shutdown()
        report = graph.finish()
    assert check_report(report) == []


def test_whoever_dies_while_the_graph_drains_still_drains() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph, unleash(graph, rate=200, freeze=0.2) as strikes:
        strikes.wait_for(kills=1, freezes=1)
        graph.request_shutdown()
        report = graph.finish()
    assert report.clean
    assert check_report(report) == []


def test_the_fixtures_do_the_same(graph_under_test: StartsGraph, chaos: Unleashes) -> None:
    graph = graph_under_test(build_graph, SHORT)
    with chaos(graph, rate=50, seed=7):
        report = graph.finish()
    assert check_report(report) == []
