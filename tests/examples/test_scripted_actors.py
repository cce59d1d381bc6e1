"""Scripted actors beside real ones: the neighbours of an actor that misbehaves on order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors import generator, logger
from actors.fizzbuzz import Value, Word
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.steps import Die, Freeze, PassOn, Raise, Refuse, Say, Send, Take
from steady_mp.testing.under_test import GraphUnderTest

if TYPE_CHECKING:
    from steady_mp import Graph


def build_mortal(graph: Graph) -> None:
    """The logger of the pipeline, and somebody who dies twice in the middle of a turn before it feeds it."""
    results_tx, results_rx = graph.channel()
    script = Script.each_life(
        [Send([Value(1), Value(2)]), Die()],
        [Send([Value(1)]), Raise(ValueError, "no good")],
        [Send([Value(1), Value(2), Word.FIZZ])],
    )
    graph.actor("feeder", perform, script, results_tx)
    graph.actor("logger", logger.run, results_rx, graph.state())


def test_what_was_not_committed_never_came() -> None:
    with GraphUnderTest(build_mortal) as graph:
        report = graph.finish()
    feeder, sink = report.actors
    assert feeder.deaths == ["SIGKILL", "ValueError: no good"]
    assert sink.state == {"fizzbuzz": 0, "fizz": 1, "buzz": 0, "value": 2}


def build_stubborn(graph: Graph) -> None:
    """The generator of the pipeline, and somebody who takes a few numbers and will never stop."""
    numbers_tx, numbers_rx = graph.channel()
    graph.actor("generator", generator.run, numbers_tx, graph.state())
    script = Script.each_life([Take(10), Say("that is enough"), Refuse("3 orders unpaid")])
    graph.actor("stubborn", perform, script, numbers_rx)


def test_who_refuses_is_named() -> None:
    with GraphUnderTest(build_stubborn, shutdown_timeout=1.0) as graph:
        graph.wait_line("that is enough")
        graph.request_shutdown()
        report = graph.finish()
    assert not report.clean
    assert "stubborn did not stop in time: it refused: 3 orders unpaid" in report.why


def build_frozen(graph: Graph) -> None:
    """A relay that stands still in the middle of its work; its next life does the rest."""
    numbers_tx, numbers_rx = graph.channel()
    relayed_tx, relayed_rx = graph.channel()
    script = Script.each_life([PassOn(until=30), Say("standing still"), Freeze()], [PassOn()])
    graph.actor("source", perform, Script.each_life([Send(range(100))]), numbers_tx)
    graph.actor("relay", perform, script, numbers_rx, relayed_tx)
    graph.actor("sink", perform, Script.each_life([Take(100)]), relayed_rx, graph.state())


def test_a_frozen_actor_can_be_killed() -> None:
    with GraphUnderTest(build_frozen) as graph:
        graph.wait_line("standing still")
        graph.kill("relay")
        report = graph.finish()
    assert report.clean
    assert report.actors[2].state == {"lives": [1], "taken": 100, "sent": 0}
