"""A cycle of channels is named once, when the run starts."""

from __future__ import annotations

import pytest

from steady_mp import ExitCode, Graph
from steady_mp.events import CycleDeclared
from tests.support import pipeline, talk
from tests.support.runs import complete

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
