"""A message that its receiver dies over is put aside after three deaths, and the others arrive exactly once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ExitCode, Graph, RestartPolicy
from steady_mp.events import MessagePutAside
from steady_mp.memory.letters import Letter, Letters
from tests.support import poisoned
from tests.support.runs import Outcome, complete

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Run
    from tests.support.watch import Watch

pytestmark = [pytest.mark.timeout(60), pytest.mark.usefixtures("kept")]

_QUICK = RestartPolicy(backoff=0.0, max_backoff=0.0)
_NO_CURE = "/nonexistent"


def flow(
    total: int,
    poison: tuple[Any, ...],
    source: Callable[..., None] = poisoned.source,
    sink: Callable[..., None] = poisoned.sink,
    **of_channel: Any,
) -> Graph:
    graph = Graph("poisoned", log_level="info")
    tx, rx = graph.channel(64, name="numbers", **of_channel)
    graph.actor("source", source, tx, total, graph.state())
    graph.actor("sink", sink, rx, graph.state(), poison, _NO_CURE, restart=_QUICK)
    return graph


def letters_of(outcome: Outcome) -> list[Letter]:
    return Letters(Path(outcome.report.letters)).all()


def test_the_500th_of_1000_is_put_aside_after_three_deaths() -> None:
    outcome = complete(flow(1000, (500,)))
    heard = outcome.actor("sink").state
    rest = [number for number in range(1000) if number != 500]
    assert heard["values"] == rest
    assert heard["positions"] == rest, "positions count on over what was put aside"
    assert outcome.actor("sink").deaths == ["SIGSEGV"] * 3
    [letter] = letters_of(outcome)
    assert (letter.channel, letter.position, letter.actor, letter.shown) == ("numbers", 500, "sink", "500")
    assert [death["cause"] for death in letter.deaths] == ["SIGSEGV"] * 3
    assert outcome.report.dead_letters == 1
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert "message 500 of numbers was in hand at 3 deaths in a row (SIGSEGV); it is put aside" in outcome.log
    assert "1 dead letter is left" in outcome.log
    assert not outcome.rescues


def test_in_a_record_of_many_each_is_by_itself() -> None:
    outcome = complete(flow(300, (0, 121, 122, 299), poisoned.source_of_slices))
    assert outcome.actor("sink").state["values"] == [n for n in range(300) if n not in {0, 121, 122, 299}]
    assert [letter.position for letter in letters_of(outcome)] == [0, 121, 122, 299]


@pytest.mark.parametrize("sink", [poisoned.sink, poisoned.sink_of_slices])
def test_a_message_that_can_not_be_unpickled(sink: Callable[..., None]) -> None:
    outcome = complete(flow(41, (), poisoned.source_of_bombs, sink))  # forty are left, in slices of five
    assert outcome.actor("sink").state["values"] == [[n] for n in range(41) if n != 20]
    [letter] = letters_of(outcome)
    assert letter.position == 20
    assert "_go_off" in letter.shown


def test_of_two_that_were_in_hand_the_right_one_is_found() -> None:
    graph = Graph("two", log_level="info")
    beats_tx, beats_rx = graph.channel(64, name="beats")
    tx, rx = graph.channel(64, name="numbers")
    graph.actor("beat", poisoned.source, beats_tx, 60, graph.state())
    graph.actor("source", poisoned.source, tx, 60, graph.state())
    graph.actor("sink", poisoned.sink_of_two, (beats_rx, rx), graph.state(), 30, restart=_QUICK)
    outcome = complete(graph)
    letters = {(letter.channel, letter.position) for letter in letters_of(outcome)}
    assert ("numbers", 30) in letters
    assert letters <= {("numbers", 30), ("beats", 30)}
    values = outcome.actor("sink").state["values"]
    assert [number for number, _ in values] == [n for n in range(60) if n != 30][: len(values)]
    assert len(values) >= 58


def test_a_lane_of_a_bundle() -> None:
    graph = Graph("lanes", log_level="info")
    tx, rx = graph.channel_bundle(3, 64, name="lane")
    graph.actor("source", poisoned.source_of_lanes, tx, 90, graph.state())
    graph.actor("sink", poisoned.sink_of_lanes, rx, graph.state(), (40,), _NO_CURE, restart=_QUICK)
    outcome = complete(graph)
    assert sorted(outcome.actor("sink").state["values"]) == [n for n in range(90) if n != 40]
    assert [(letter.channel, letter.position) for letter in letters_of(outcome)] == [("lane[1]", 13)]


def test_what_was_taken_as_one_slice_goes_as_one() -> None:
    outcome = complete(flow(50, (12,), sink=poisoned.sink_of_slices))
    letters = letters_of(outcome)
    put_aside = [letter.position for letter in letters]
    assert 12 in put_aside
    assert put_aside == list(range(put_aside[0], put_aside[0] + 5))
    assert {letter.together for letter in letters} == {5}
    assert outcome.actor("sink").state["values"] == [n for n in range(50) if n not in put_aside]


def test_a_run_can_be_stopped_while_thousands_are_put_aside() -> None:
    graph = Graph("poisoned", log_level="info")
    tx, rx = graph.channel(4000, name="numbers")
    graph.actor("source", poisoned.source_of_slices, tx, 4000, graph.state())
    graph.actor("sink", poisoned.sink_of_long_slices, rx, graph.state(), (12,), _NO_CURE, restart=_QUICK)

    def stop(run: Run, watch: Watch) -> None:
        watch.wait_for(MessagePutAside)
        run.stop_now()

    outcome = complete(graph, meanwhile=stop)
    assert outcome.report.exit_code is ExitCode.INTERRUPTED
    assert 1 <= outcome.report.dead_letters < 2000


def test_thousands_that_were_taken_as_one_slice_are_put_aside_and_the_others_arrive() -> None:
    graph = Graph("poisoned", log_level="warning")
    tx, rx = graph.channel(4000, name="numbers")
    graph.actor("source", poisoned.source_of_slices, tx, 4000, graph.state())
    graph.actor("sink", poisoned.sink_of_long_slices, rx, graph.state(), (12,), _NO_CURE, restart=_QUICK)
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert [letter.position for letter in letters_of(outcome)] == list(range(2000))
    assert outcome.actor("sink").state["values"] == list(range(2000, 4000))


def test_stop_ends_the_graph_with_a_line_and_a_status_of_its_own() -> None:
    outcome = complete(flow(100, (50,), showstopper="stop"))
    assert outcome.report.exit_code is ExitCode.SHOWSTOPPER
    assert outcome.report.dead_letters == 0
    why = (
        "message 50 of numbers was in hand at 3 deaths of sink in a row (SIGSEGV), and the channel's policy is to stop"
    )
    assert why in outcome.report.why
    assert why in outcome.log
    assert outcome.actor("sink").state["values"] == list(range(50))


def test_skip_drops_it_and_says_so() -> None:
    outcome = complete(flow(100, (50,), showstopper="skip", showstopper_after=2))
    assert outcome.actor("sink").state["values"] == [n for n in range(100) if n != 50]
    assert outcome.report.dead_letters == 0
    assert "message 50 of numbers was in hand at 2 deaths in a row (SIGSEGV); it is dropped" in outcome.log


def test_code_that_decides_itself() -> None:
    outcome = complete(flow(100, (50,), sink=poisoned.wary_sink))
    state = outcome.actor("sink").state
    assert state["values"] == [n for n in range(100) if n != 50]
    assert state["positions"] == [50]
    assert len(outcome.actor("sink").deaths) == 2
    assert outcome.report.dead_letters == 0


def test_a_run_in_which_everything_is_poison_gives_up_and_keeps_what_it_put_aside() -> None:
    outcome = complete(flow(100, tuple(range(100))))
    assert outcome.report.exit_code is ExitCode.GAVE_UP
    assert 1 <= outcome.report.dead_letters <= 3
    assert len(letters_of(outcome)) == outcome.report.dead_letters


def test_never_counted_is_never_put_aside() -> None:
    outcome = complete(flow(100, (50,), showstopper_after=0))
    assert outcome.report.exit_code is ExitCode.GAVE_UP
    assert outcome.report.dead_letters == 0
