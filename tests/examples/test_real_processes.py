"""The four actors in real processes, which the test kills, freezes and lets crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors import Args, build_graph, check_report
from steady_mp import ExitCode
from steady_mp.events import ActorStarted, ShutdownRequested
from steady_mp.testing.under_test import GraphUnderTest

if TYPE_CHECKING:
    from steady_mp.testing.plugin import StartsGraph

SHORT = Args(rate=5, beats=50)
ENDLESS = Args(rate=5, beats=1_000_000)
CHANNELS = ("heartbeat→worker", "generator→worker", "worker→logger")


def test_a_killed_worker_goes_on_where_it_was() -> None:
    with GraphUnderTest(build_graph, SHORT) as graph:
        graph.wait_line("Msg Value(1)")
        graph.kill("worker")
        graph.wait_for(ActorStarted, actor="worker", generation=2)
        report = graph.finish()
    assert report.clean
    assert check_report(report) == []


@pytest.mark.parametrize("actor", ["heartbeat", "generator", "worker", "logger"])
def test_each_actor_may_die_between_its_commit_and_its_neighbours_knowing_of_it(actor: str) -> None:
    with GraphUnderTest(build_graph, SHORT).crash_at(actor, "commit:publish") as graph:
        assert graph.wait_for_death(actor).cause == "SIGKILL"
        report = graph.finish()
    assert check_report(report) == []


def test_an_actor_may_die_in_the_start_of_its_second_life() -> None:
    crashes = [("worker", "commit:journal", 3), ("worker", "start:recovered", 1, 2)]
    with GraphUnderTest(build_graph, SHORT, crash_at=crashes) as graph:
        report = graph.finish()
    assert [graph.wait_for_death("worker").generation for _ in crashes] == [1, 2]
    assert check_report(report) == []


def test_a_frozen_logger_holds_everybody_back_and_nothing_is_lost() -> None:
    with GraphUnderTest(build_graph, ENDLESS) as graph:
        graph.freeze("logger")
        graph.wait_until(lambda: all(graph.channel(name).in_flight == 64 for name in CHANNELS))
        graph.thaw("logger")
        graph.wait_until(lambda: graph.channel("worker→logger").taken > 64)
        graph.request_shutdown()
        report = graph.finish()
    assert check_report(report) == []


def test_one_that_does_not_stop_is_named() -> None:
    with GraphUnderTest(build_graph, ENDLESS, shutdown_timeout=1.0) as graph:
        graph.wait_line("Msg Value(1)")  # nobody is still about to begin
        graph.freeze("generator")
        graph.request_shutdown()
        report = graph.finish()
    assert report.exit_code is ExitCode.UNCLEAN
    assert report.why[0].startswith("generator did not stop in time: ")


def test_the_fixture_stops_what_the_test_does_not(graph_under_test: StartsGraph) -> None:
    graph = graph_under_test(build_graph, SHORT)
    graph.kill("logger")
    graph.wait_for(ShutdownRequested, reason="heartbeat asked for it")
