"""What actors can wait for, between real processes."""

from __future__ import annotations

import itertools
import os
import statistics
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph
from steady_mp.events import ActorStarted
from steady_mp.memory import layout
from tests.support import gates, lives, pipeline, quiet
from tests.support.runs import complete, counters
from tests.support.waiting import eventually, let_pass

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp import Run
    from tests.support.watch import Watch

pytestmark = pytest.mark.timeout(60)

ENDLESS = 1 << 40


def test_lanes_are_taken_in_turn() -> None:
    graph = Graph("lanes", log_level="error")
    txs, rxs = graph.channel_bundle(3, capacity=20)
    for lane, tx in enumerate(txs):
        graph.actor(f"source {lane}", pipeline.blocking_source, tx, 20, 1, graph.state())
    graph.actor("merge", quiet.merge, rxs, graph.state())
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.actor("merge").state["marks"] == [[lane, number] for number in range(20) for lane in range(3)]
    assert not outcome.rescues


def test_lanes_of_one_actor_each_keep_their_order() -> None:
    graph = Graph("lanes", log_level="error")
    txs, rxs = graph.channel_bundle(3, capacity=2)
    graph.actor("split", quiet.split, txs, 300, graph.state())
    for lane, rx in enumerate(rxs):
        graph.actor(f"sink {lane}", pipeline.sink, rx, 1, graph.state())
    outcome = complete(graph)
    arrived = [outcome.actor(f"sink {lane}").state["seen"] for lane in range(3)]
    assert sorted(itertools.chain(*arrived)) == list(range(300))
    assert all(numbers == sorted(numbers) and numbers for numbers in arrived)
    assert not outcome.rescues


def test_nested_waits(tmp_path: Path) -> None:
    """(Two of the first and one of the second) or the gate: each way alone, and not before."""
    graph = Graph("nested", log_level="error")
    first_tx, first_rx = graph.channel(8)
    second_tx, second_rx = graph.channel(8)
    output = gates.Lines()
    with (
        gates.Gate(tmp_path / "first") as first,
        gates.Gate(tmp_path / "second") as second,
        gates.Gate(tmp_path / "gate") as gate,
    ):
        graph.actor("first", gates.feed, first.path, first_tx)
        graph.actor("second", gates.feed, second.path, second_tx)
        graph.actor("waiter", quiet.tell_which, first_rx, second_rx, gate.path, graph.state())

        def play(run: Run, watch: Watch) -> None:
            for _ in range(3):
                watch.wait_for(ActorStarted)
            tails = [mapping.words for mapping in run._channels]
            second.give(b"\x05\x06")
            assert eventually(lambda: tails[1][layout.TAIL] == 2)
            first.give(b"\x01")
            assert eventually(lambda: tails[0][layout.TAIL] == 1)
            first.give(b"\x02")  # now there are two of the first
            output.wait_for("woke True False 2 2")
            first.give(b"\x03")
            assert eventually(lambda: tails[0][layout.TAIL] == 3)
            gate.give()
            output.wait_for("woke True True 1 0")
            first.give(b"\x00")  # it can't become two any more, and the gate is the only way
            second.give(b"\x07\x00")
            assert eventually(lambda: all(words[layout.TX_CLOSED] for words in tails))
            gate.give()

        outcome = complete(graph, meanwhile=play, output=output)
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    assert outcome.actor("waiter").state["marks"] == [[True, False, 2, 2], [True, True, 1, 0], [True, True, 0, 1]]
    assert not outcome.rescues


def test_draining_does_not_spin(tmp_path: Path) -> None:
    """While one actor refuses to stop, the others can neither go on nor finish; they sleep."""
    graph = Graph("drain", log_level="error")
    first_tx, first_rx = graph.channel(8)
    second_tx, second_rx = graph.channel(8)
    with gates.Gate(tmp_path / "gate") as gate:
        graph.actor("gated", quiet.gated, first_tx, gate.path)
        graph.actor("middle", pipeline.middle, first_rx, second_tx, 1, graph.state())
        graph.actor("sink", lives.tally, second_rx, graph.state())

        def refuse_for_a_while(run: Run, watch: Watch) -> None:
            for _ in range(3):
                watch.wait_for(ActorStarted)
            assert eventually(lambda: all(words["PHASE"] == layout.PHASE_WAITING for words in counters(run).values()))
            before = counters(run)
            run.request_shutdown()
            assert eventually(lambda: counters(run) != before)
            let_pass(1.0)  # the subject is what happens while time passes
            after = counters(run)
            for name, words in after.items():
                assert words["TURNS"] - before[name]["TURNS"] <= 4, name
                assert words["PARKS"] - before[name]["PARKS"] <= 4, name
            gate.give()

        outcome = complete(graph, meanwhile=refuse_for_a_while)
    assert outcome.report.exit_code is ExitCode.DRAINED, outcome.report.why
    assert not outcome.rescues


def test_beats_do_not_drift() -> None:
    """They fall on multiples of the period from the start of the run; a late one is not doubled."""
    period = 0.04
    graph = Graph("beats", log_level="error")
    graph.actor("beats", quiet.beats, period, 40, graph.state())
    starts: list[float] = []
    outcome = complete(graph, meanwhile=lambda run, _: starts.append(run._words.words[layout.START_NS] / 1e9))
    moments = [moment - starts[0] for moment in outcome.actor("beats").state["marks"]]
    beats = [int(moment / period) for moment in moments]
    # One that is held up between its beat and its look at the clock notes the number of the next beat, twice then.
    assert len(set(beats)) > 35
    late = [moment - beat * period for moment, beat in zip(moments, beats, strict=True)]
    # On a busy machine some come late; with drift, most would, and more and more.
    assert statistics.median(late[:20]) < period / 2
    assert statistics.median(late[20:]) < period / 2


def test_a_pipe_can_be_waited_for(tmp_path: Path) -> None:
    graph = Graph("echo", log_level="error")
    path = tmp_path / "pipe"
    os.mkfifo(path)
    graph.actor("echo", quiet.echo, str(path), graph.state())
    output = gates.Lines()

    def talk(_run: Run, _watch: Watch) -> None:
        output.wait_for("reading")
        with path.open("wb", buffering=0) as pipe:
            pipe.write(b"one ")
            pipe.write(b"two")

    outcome = complete(graph, meanwhile=talk, output=output)
    assert "".join(outcome.actor("echo").state["marks"]) == "one two"
    assert outcome.report.exit_code is ExitCode.DRAINED
