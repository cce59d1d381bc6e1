"""A cycle of channels is named once, when the run starts, and once more when everybody in it waits for room."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph
from steady_mp.events import CycleBlocked, CycleDeclared, TelemetryStarted
from steady_mp.testing import positions
from tests.support import circles, pipeline, talk
from tests.support.gates import Gate, Lines
from tests.support.runs import complete
from tests.support.scrape import get, state
from tests.support.waiting import eventually
from tests.support.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.operator import Operator

pytestmark = pytest.mark.timeout(60)


def test_a_cycle_is_named_once_however_often_its_actors_die() -> None:
    graph = Graph("cycle")
    questions_tx, questions_rx = graph.channel(4, name="questions")
    answers_tx, answers_rx = graph.channel(8, name="answers")
    graph.actor("asker", talk.ask, questions_tx, answers_rx, 5, graph.state())
    graph.actor("server", talk.serve, questions_rx, answers_tx, graph.state())
    graph.faults["server"] = [{"point": "commit:begin", "hit": 2, "generations": [1, 2]}]
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    (event,) = outcome.watch.all_of(CycleDeclared)
    assert (event.actors, event.channels, event.capacity) == (("asker", "server"), ("questions", "answers"), 12)
    said = "WARNING: a cycle of channels: asker → server → asker, with room for 12 messages; "
    assert outcome.log.count(said) == 1


def test_a_pipeline_has_none() -> None:
    graph = Graph("pipeline")
    numbers_tx, numbers_rx = graph.channel(4)
    results_tx, results_rx = graph.channel(4)
    graph.actor("source", pipeline.source, numbers_tx, 10, 1, graph.state())
    graph.actor("middle", pipeline.middle, numbers_rx, results_tx, 1, graph.state())
    graph.actor("sink", pipeline.sink, results_rx, 1, graph.state())
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert not outcome.watch.all_of(CycleDeclared)
    assert "cycle" not in outcome.log


@pytest.mark.parametrize(("behavior", "names"), [(circles.breed, "ab"), (circles.breed_by_twos, "abc")])
def test_a_deadlock_is_named_everywhere(operator: Operator, behavior: Callable[..., None], names: str) -> None:
    graph = Graph("circle", shutdown_timeout=0.2, refresh=0.05)
    circles.circle(graph, behavior, names)
    watch, output = Watch(), Lines()
    with graph.start(on_event=watch, output=output, telemetry=True) as run:
        event = watch.wait_for(CycleBlocked)
        assert event.actors == tuple(names)
        assert event.channels == tuple(name + after for name, after in zip(names, names[1:] + names[0], strict=True))
        way = " → ".join((*names, names[0]))
        output.wait_for(f"a deadlock: {way}: each of them waits for room")
        told = operator.types("health")
        assert told.status == ExitCode.UNCLEAN
        assert f"{way} is a deadlock" in told.out
        assert operator.types("ps", "--json").data[0]["deadlocks"] == [way]
        assert f"deadlock: {way}" in operator.types("ps").out
        status, body = get(f"{run.url}readyz")
        assert status == HTTPStatus.SERVICE_UNAVAILABLE
        assert f"{way} is a deadlock" in body.decode()
        assert 'steady_deadlocks{graph="circle"} 1.0' in get(f"{run.url}metrics")[1].decode()
        assert len(watch.all_of(CycleBlocked)) == 1  # a shutdown wakes them all, and then it comes about once more
        run.request_shutdown()
        report = run.block_until_stopped(30)
    assert report.exit_code is ExitCode.UNCLEAN
    assert any(f"a deadlock: {way}" in line for line in report.why)


def test_a_deadlock_is_named_without_telemetry_and_when_nobody_waits_for_the_end(operator: Operator) -> None:
    graph = Graph("circle")
    circles.circle(graph, circles.breed, "ab")
    with graph.start(output=Lines()) as run:
        assert eventually(lambda: operator.types("ps", "--json").data[0]["deadlocks"] == ["a → b → a"])
        run.stop_now()
        report = run.block_until_stopped(30)
    assert any("a deadlock: a → b → a" in line for line in report.why)


def test_who_is_slow_or_has_a_way_out_is_in_no_deadlock(operator: Operator, tmp_path: Path) -> None:
    graph = Graph("slow", refresh=0.05)
    with Gate(tmp_path / "gate") as gate:
        there_tx, there_rx = graph.channel(4, name="there")
        back_tx, back_rx = graph.channel(4, name="back")
        graph.actor("fast", circles.fill, back_rx, there_tx)
        graph.actor("slow", circles.take_by_gate, there_rx, back_tx, gate.path)
        circles.circle(graph, circles.breed_with_a_way_out, "ab")
        watch = Watch()
        with graph.start(on_event=watch, output=Lines(), telemetry=True) as run:
            url = watch.wait_for(TelemetryStarted).url  # nobody else would tell of a deadlock
            assert eventually(lambda: operator.actors()["fast"]["blocked_on"] == "there")
            assert eventually(lambda: {operator.actors()[name]["blocked_on"] for name in "ab"} == {"ab", "ba"})
            for _ in range(10):
                before = positions.cursors(run, 0)
                gate.give()
                assert eventually(lambda before=before: positions.cursors(run, 0) > before)  # type: ignore[misc]
                assert operator.types("health").status == ExitCode.DRAINED
                looked = state(url)["as_of"]
                assert eventually(lambda looked=looked: state(url)["as_of"] > looked)  # type: ignore[misc]
            assert not watch.all_of(CycleBlocked)
