"""A stage on which something goes wrong: it says what, ends within bounded time, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from actors import build_graph
from actors.fizzbuzz import Word
from steady_mp import ConfigurationError, ExitCode, Graph, MessageTooLarge, NotPicklable
from steady_mp.events import ActorFinished
from steady_mp.memory import layout
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.stage import Stage
from steady_mp.testing.steps import Refuse, Say
from tests.support import pipeline
from tests.support.staged import ENDLESS, ENDS, complaint, passing, refusal

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.timeout(60)


class Picky:
    """Can only be made again in the process that it comes from."""

    def __init__(self) -> None:
        self.home = os.getpid()

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["home"] != os.getpid():
            message = "there is no place like home"
            raise ValueError(message)
        self.__dict__ = state


# Waiting in vain


def test_what_came_instead_is_shown() -> None:
    with Stage(passing, 8, playing=["source", "sink"]) as stage:
        source, sink = stage.actor("source"), stage.actor("sink")
        assert sink.take_all() == []  # it is there: its half second is not for its start
        source.echo_all([(1, "one"), (2, "two"), (3, "three")])
        stage.wait_until(lambda: stage.channel("results").sent == 3)
        told = complaint(lambda: sink.wait_for((2, "too"), timeout=0.5))
        assert told.startswith(
            "sink waited for (2, 'too'): no further message in results within 0.5 s; what came instead:\n"
            "  0: (1, 'one')\n"
            "  1: (2, 'two')\n"
            "  2: (3, 'three')\n"
            "the nearest one, with what was expected (-) and what came (+):\n"
            "  - (2, 'too')\n"
            "  ?       ^\n"
            "  + (2, 'two')\n"
            "  ?       ^\n"
        )
        assert "nothing came instead\nwhere everybody stands:" in complaint(lambda: sink.wait_for(str, timeout=0.01))


def test_a_class_or_a_function_can_be_waited_for() -> None:
    with Stage(passing, 8, playing=["source", "sink"]) as stage:
        source, sink = stage.actor("source"), stage.actor("sink")
        source.echo_all([1, "two", 3, 4, 5.0, 6])
        assert sink.wait_for(str) == "two"
        assert sink.wait_for(lambda value: value > 3) == 4
        stage.wait_until(lambda: stage.channel("results").sent == 6)
        told = complaint(lambda: sink.wait_for(bytes, timeout=0.5))
        assert told.startswith("sink waited for bytes: no further message")
        assert "\n  0: 5.0\n  1: 6\nwhere everybody stands:" in told


def test_another_message_than_the_expected_one_fails_at_once_and_stays() -> None:
    with Stage(passing, 8, playing=["source", "sink"]) as stage:
        stage.actor("source").echo_all(["a", "b", "d"])
        told = complaint(lambda: stage.actor("sink").expect("a", "b", "c", "d", timeout=50))
        assert told.startswith(
            "sink: another message in results\n"
            "message 2 differs (4 expected, 3 sent: 1 missing, 0 extra)\n"
            "         0  'a'\n"
            "         1  'b'\n"
            "  -      2  'c'\n"
            "  +      2  'd'\n"
            "  -      3  'd'\n"
            "where everybody"
        )
        stage.actor("sink").expect("a", "b", "d")
        stage.final_bow()


def test_a_full_channel_is_named() -> None:
    with Stage(passing, 4, playing=["source", "sink"]) as stage:
        source = stage.actor("source")
        source.echo_all(range(8))  # what two channels hold
        stage.wait_until(lambda: stage.channel("numbers").in_flight == 4)
        told = complaint(lambda: source.echo(8, timeout=0.1))
        assert told.startswith(
            "source could not echo 8 within 0.1 s: 0 of 1 were sent, and numbers holds 4 of 4 messages\n"
        )
        stage.actor("sink").expect(0, 1)
        stage.wait_until(lambda: stage.channel("numbers").in_flight == 2)
        told = complaint(lambda: source.echo_all(range(8, 20), timeout=0.5))
        assert told.startswith(
            "source could not echo 12 values within 0.5 s: 2 of 12 were sent, and numbers holds 4 of 4"
        )
        stage.actor("sink").expect(*range(2, 10))  # the first one that timed out was not sent
        source.echo(10)
        stage.actor("sink").expect(10)
        assert stage.final_bow().clean


def test_a_graph_that_does_not_end_cleanly_fails_the_bow_with_its_stacks() -> None:
    def stubborn(graph: Graph) -> None:
        passing(graph, 4)
        graph.actor("stubborn", perform, Script.each_life([Say("here"), Refuse("3 orders unpaid")]))

    with Stage(stubborn, playing=["source", "sink"], shutdown_timeout=1.0) as stage:
        stage.wait_line("here")
        stage.actor("source").echo(1)
        stage.actor("sink").expect(1)
        for name in ("source", "sink"):  # the second is for one only
            stage.actor(name).leave()
        for name in ("source", "middle", "sink"):
            stage.wait_for(ActorFinished, actor=name)
        told = complaint(stage.final_bow)
        assert told.startswith(
            "the graph did not end cleanly: stubborn did not stop in time: it refused: 3 orders unpai"
        )
        assert '/scripted.py", line ' in told.partition("\nstacks at the end:\n")[2]
        assert stage.report.exit_code is ExitCode.UNCLEAN


# What can't be


def test_names_that_nobody_has_are_refused() -> None:
    there_are = "there are heartbeat, generator, worker, logger"
    assert refusal(lambda: Stage(build_graph, ENDLESS, playing=["genrator"])) == (
        f"no actor 'genrator' in graph 'under-test': {there_are}"
    )
    stage = Stage(build_graph, ENDLESS, playing=ENDS)
    assert refusal(lambda: stage.actor("loger")) == f"no actor 'loger' in graph 'under-test': {there_are}"
    assert refusal(lambda: stage.actor("worker")) == "worker plays itself: the test plays generator, logger"
    assert refusal(lambda: Stage(build_graph, ENDLESS, playing=()).actor("worker")).endswith("the test plays nobody")
    assert refusal(lambda: Stage(Graph("g"), playing=ENDS)) == (  # type: ignore[arg-type]
        "graph 'g' is declared already: pass the build_graph that declares it"
    )
    assert refusal(lambda: stage.actor("generator").take()) == "generator has no input"
    assert refusal(lambda: stage.actor("logger").echo(1)) == "logger has no output"


def test_lanes_that_are_not_there_are_refused() -> None:
    worker = Stage(build_graph, ENDLESS, playing="worker").actor("worker")
    there_are = "by lane= 0 (heartbeat→worker), 1 (generator→worker)"
    assert refusal(worker.take) == f"worker has 2 inputs: say which one, {there_are}"
    for lane in (2, -1, True, "worker→logger"):
        assert refusal(lambda lane=lane: worker.take(lane=lane)) == (  # type: ignore[misc]
            f"worker has 2 inputs: there is no lane {lane!r}, {there_are}"
        )


def test_a_played_actor_is_declared_with_all_checks_of_production() -> None:
    def wrong(graph: Graph) -> None:
        tx, _rx = graph.channel()
        graph.actor("source", pipeline.source, tx, 1)

    with pytest.raises(ConfigurationError, match=r"actor 'source': source\(actor, …\) can't take 2 arguments"):
        Stage(wrong, playing="source")


def test_what_can_not_be_sent_is_refused_in_the_test() -> None:
    with Stage(passing, 8, playing=["source", "sink"]) as stage:
        source, sink = stage.actor("source"), stage.actor("sink")
        with pytest.raises(NotPicklable, match="channel 'numbers': a function can't be pickled: "):
            source.echo_all([1, lambda: None])
        with pytest.raises(MessageTooLarge, match=r"channel 'numbers': a bytes of .* exceeds the ring of 4096 bytes"):
            source.echo(bytes(5000))
        assert complaint(lambda: source.echo_all([2, Picky(), 3])).startswith(
            "source could not echo 3 values: ValueError: there is no place like home"
        )
        source.echo(4)
        sink.expect(2, 4)  # what stood before the one that can't be made again was sent
        stage.final_bow()


# Tests that go wrong


def test_an_error_inside_the_with_leaves_nothing_behind() -> None:
    def go_wrong() -> None:
        with Stage(build_graph, ENDLESS, playing=ENDS) as stage:
            stage.actor("generator").echo(1)
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        go_wrong()
    assert caught.value.__notes__[0].startswith("where everybody stands:\n")
    assert not psutil.Process().children()


def test_a_final_bow_that_takes_too_long_can_be_taken_again() -> None:
    with Stage(passing, 64, playing=["source", "sink"], log_level="error") as stage:
        stage.actor("source").echo_all(range(100))
        stage.freeze("middle")
        for _ in range(3):
            assert complaint(lambda: stage.final_bow(seconds=0.05)).startswith(
                "graph 'under-test' still runs after 0.05"
            )
        stage.thaw("middle")
        assert stage.final_bow().clean
        assert stage.actor("sink").take_all() == list(range(100))


def test_two_final_bows_are_one_too_many_but_no_harm() -> None:
    with Stage(build_graph, ENDLESS, playing=ENDS) as stage:
        assert stage.final_bow() is stage.final_bow()
        told = complaint(lambda: stage.actor("generator").echo(1))
        assert told.startswith("generator can't echo 1 any more: ")
        assert "logger has nothing to take: it has left the stage" in complaint(stage.actor("logger").take)
    assert stage.final_bow().clean


def test_ctrl_c_ends_a_wait_and_nothing_is_lost_by_it() -> None:
    with Stage(passing, 8, playing=["source", "sink"]) as stage:
        source, sink = stage.actor("source"), stage.actor("sink")
        source.echo(1)
        sink.expect(1)

        def press_when_it_waits() -> None:
            """The actor that was told to take sleeps until the next message is sent."""
            stage.wait_until(lambda: stage.run._channels[1].words[layout.WAKE_TAIL] == 2)
            os.kill(os.getpid(), signal.SIGINT)

        finger = threading.Thread(target=press_when_it_waits)
        finger.start()
        with pytest.raises(KeyboardInterrupt):
            sink.take()
        finger.join()
        source.echo(2)
        sink.expect(2)
        assert stage.final_bow().clean


def test_a_run_directory_with_a_long_name_will_do(tmp_path: Path) -> None:
    root = tmp_path / ("long" * 30)
    with Stage(build_graph, ENDLESS, playing=ENDS, root=root) as stage:
        assert len(str(stage.run.directory)) > 120
        stage.actor("generator").echo(3)
        stage.actor("logger").expect(Word.FIZZ)
        stage.final_bow()
    assert list(root.iterdir()) == []


def test_it_can_be_declared_and_never_started() -> None:
    stage = Stage(build_graph, ENDLESS, playing=ENDS)
    stage.close()
    for use in (stage.final_bow, stage.actor("logger").take, lambda: stage.actor("generator").echo(1)):
        assert refusal(use) == "it was not started: use it in a `with`, or call start()"
