"""A stage: the test plays some actors, production plays the others, and no death of a played one shows."""

from __future__ import annotations

import os
import random
import signal
import threading
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from actors import Args, build_graph
from actors.fizzbuzz import FizzBuzz, Value, Word, fizzbuzz
from steady_mp import ConfigurationError, ExitCode, Graph, MessageTooLarge, NotPicklable, PeerGone, RestartPolicy
from steady_mp.events import ActorDied, ActorGivenUp, ActorStarted, ShutdownRequested
from steady_mp.memory import layout
from steady_mp.testing.points import FAULT_POINTS
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.stage import Stage
from steady_mp.testing.steps import PassOn, Refuse, Say
from tests.support import pipeline, quiet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

ENDLESS = Args(rate=1, beats=1_000_000)
ENDS = ["generator", "logger"]
MANY = RestartPolicy(threshold=1000.0, backoff=0.0, max_backoff=0.0)


def complaint(call: Callable[[], object]) -> str:
    """Return what an AssertionError says."""
    with pytest.raises(AssertionError) as caught:
        call()
    return str(caught.value)


def refusal(call: Callable[[], object]) -> str:
    """Return what a ConfigurationError says, in its one line."""
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def merging(graph: Graph, lanes: int) -> None:
    """A played source of several lanes, and the merge and the sink of production."""
    txs, rxs = graph.channel_bundle(lanes, capacity=4, name="lane")
    graph.actor("feeder", quiet.split, txs, 1, graph.state())
    graph.actor("merge", pipeline.sink, rxs[0], 1, graph.state())
    for lane in range(1, lanes):
        graph.actor(f"sink {lane}", pipeline.sink, rxs[lane], 1, graph.state())


def splitting(graph: Graph, lanes: int) -> None:
    """The split of production, and a sink that takes all lanes."""
    txs, rxs = graph.channel_bundle(lanes, capacity=4, name="lane")
    graph.actor("split", quiet.split, txs, 9, graph.state())
    graph.actor("collector", quiet.merge, rxs, graph.state())


def passing(graph: Graph, capacity: int) -> None:
    """A source and a sink around a middle."""
    numbers_tx, numbers_rx = graph.channel(capacity, name="numbers", ring_bytes=4096)
    results_tx, results_rx = graph.channel(capacity, name="results", ring_bytes=4096)
    graph.actor("source", pipeline.source, numbers_tx, 0, 1, graph.state(), restart=MANY)
    graph.actor("middle", perform, Script.each_life([PassOn()]), numbers_rx, results_tx, graph.state(), restart=MANY)
    graph.actor("sink", pipeline.sink, results_rx, 1, graph.state(), restart=MANY)


class Picky:
    """Can only be made again in the process that it comes from."""

    def __init__(self) -> None:
        self.home = os.getpid()

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["home"] != os.getpid():
            message = "there is no place like home"
            raise ValueError(message)
        self.__dict__ = state


# What goes in comes out


def test_an_echo_becomes_a_message() -> None:
    with Stage(build_graph, Args(rate=10, beats=1000), playing=ENDS) as stage:
        stage.actor("generator").echo(15)
        assert stage.actor("logger").wait_for(Word.FIZZBUZZ, timeout=5) is Word.FIZZBUZZ
        report = stage.final_bow()
    assert report.clean
    assert [(channel.sent, channel.in_flight) for channel in report.channels[1:]] == [(1, 0), (1, 0)]
    assert [actor.restarts for actor in report.actors] == [0, 0, 0, 0]


def test_everything_that_came_can_be_taken_after_the_final_bow() -> None:
    with Stage(build_graph, ENDLESS, playing=ENDS) as stage:
        stage.actor("generator").echo_all(range(100))
        stage.final_bow()
        assert stage.actor("logger").take_all() == [fizzbuzz(number) for number in range(100)]
        assert stage.actor("logger").take_all() == []


def test_any_actor_can_be_played() -> None:
    with Stage(build_graph, ENDLESS, playing="worker", log_level="info") as stage:
        worker = stage.actor("worker")
        assert worker.take(lane="generator→worker") == 0
        assert [worker.take(lane=1) for _ in range(100)] == list(range(1, 101))
        assert worker.take(lane=0) == 0
        worker.echo(Word.BUZZ)
        stage.wait_line("logger    Msg Buzz")
        report = stage.final_bow()
    assert report.actors[3].state == {"fizzbuzz": 0, "fizz": 0, "buzz": 1, "value": 0}
    assert len(worker.take_all(lane=1)) == report.channels[1].sent - 101


def test_all_of_them_can_be_played() -> None:
    with Stage(build_graph, ENDLESS, playing=["heartbeat", "generator", "worker", "logger"]) as stage:
        stage.actor("heartbeat").echo("a beat")
        stage.actor("worker").expect("a beat", lane=0)
        stage.actor("worker").echo(Value(1))
        stage.actor("logger").expect(Value(1))
        assert stage.final_bow().clean


def test_lanes_of_a_bundle_are_named_by_index_or_by_name() -> None:
    with Stage(merging, 3, playing="feeder") as stage:
        feeder = stage.actor("feeder")
        assert feeder.outputs == ("lane[0]", "lane[1]", "lane[2]")
        feeder.echo_all([1, 2], lane=0)
        feeder.echo(3, lane="lane[2]")
        feeder.close(lane=1)
        report = stage.final_bow()
    assert [actor.state for actor in report.actors[1:]] == [{"seen": [1, 2]}, {"seen": []}, {"seen": [3]}]
    with Stage(splitting, 3, playing="collector") as stage:
        collector = stage.actor("collector")
        assert [collector.take(lane=lane) for lane in (0, 1, 2)] == [0, 1, 2]
        stage.final_bow()
        assert [collector.take_all(lane=f"lane[{lane}]") for lane in (0, 1, 2)] == [[3, 6], [4, 7], [5, 8]]


def test_a_closed_output_ends_the_stream() -> None:
    with Stage(passing, 8, playing=["source", "sink"]) as stage:
        stage.actor("source").echo_all([1, 2])
        stage.actor("source").close()
        assert stage.actor("sink").take() == 1
        told = complaint(lambda: stage.actor("sink").expect(2, 3))
        assert told.startswith(
            "sink: results is closed, and no message is left\n"
            "message 2 differs (2 expected, 1 sent: 1 missing, 0 extra)\n"
            "         1  2\n"
            "  -      2  3\n"
            "where everybody"
        )
        assert stage.actor("sink").take() == 2
        assert "sink has nothing to take: results is closed, and no message is left" in complaint(
            stage.actor("sink").take
        )
        with pytest.raises(PeerGone, match=r"source could not echo 3: channel 'numbers' is closed"):
            stage.actor("source").echo(3)
        assert stage.finish().clean  # nobody asked for a shutdown: the stream has ended


def test_a_shutdown_waits_for_the_played_ones() -> None:
    with Stage(build_graph, Args(rate=1, beats=3), playing=ENDS) as stage:
        stage.wait_for(ShutdownRequested)
        stage.actor("generator").echo_all(range(16))
        stage.actor("logger").wait_for(fizzbuzz(15))
        assert stage.final_bow().clean


@pytest.mark.parametrize(
    "values", [list(range(9)), [bytes([number]) * 1500 for number in range(9)]], ids=["many", "big"]
)
def test_more_can_be_expected_than_the_channels_hold(values: list[object]) -> None:
    with Stage(passing, 3, playing=["source", "sink"], log_level="error") as stage:
        source = threading.Thread(target=lambda: stage.actor("source").echo_all(values))
        source.start()
        stage.actor("sink").expect(*values)
        source.join()
        stage.final_bow()


# Deaths


@pytest.mark.parametrize("point", FAULT_POINTS)
def test_no_death_of_a_played_actor_loses_or_repeats_anything(point: str) -> None:
    planned = [(name, point, hit, life) for name in ("source", "sink") for hit, life in ((1, 1), (2, 2))]
    with Stage(passing, 8, playing=["source", "sink"], crash_at=planned, log_level="error") as stage:
        for first in range(0, 30, 3):
            stage.actor("source").echo_all(range(first, first + 3))
            stage.actor("sink").expect(*range(first, first + 3))
        report = stage.final_bow()
        assert stage.actor("sink").take_all() == []
    assert [channel.sent for channel in report.channels] == [30, 30]
    assert report.actors[0].deaths


@pytest.mark.chaos
@pytest.mark.parametrize("seed", [1, 2])
def test_deaths_at_random_lose_and_repeat_nothing(seed: int) -> None:
    dice = random.Random(seed)
    over = threading.Event()

    def kill_at_random(stage: Stage) -> None:
        while not over.wait(dice.uniform(0.0, 0.05)):
            stage.run.kill(dice.choice(["source", "middle", "sink"]))

    with Stage(passing, 8, playing=["source", "sink"], log_level="error") as stage:
        killer = threading.Thread(target=kill_at_random, args=(stage,))
        killer.start()
        first = 0
        try:
            while len(stage.events.all_of(ActorDied)) < 20:
                stage.actor("source").echo_all(range(first, first + 8), timeout=30)
                stage.actor("sink").expect(*range(first, first + 8), timeout=30)
                first += 8
        finally:
            over.set()
            killer.join()
        report = stage.final_bow()
        assert stage.actor("sink").take_all() == []
    assert report.actors[1].state["taken"] == first


def test_a_death_in_the_final_bow_loses_nothing() -> None:
    with Stage(passing, 64, playing=["source", "sink"], log_level="error") as stage:
        stage.actor("source").echo_all(range(50))
        for name in ("source", "middle", "sink"):
            stage.run.kill(name)
        stage.final_bow()
        assert stage.actor("sink").take_all() == list(range(50))


def test_a_frozen_player_does_not_answer_and_goes_on_where_it_was() -> None:
    with Stage(passing, 8, playing=["source", "sink"], log_level="error") as stage:
        source, sink = stage.actor("source"), stage.actor("sink")
        source.echo(0)
        stage.freeze("source")
        told = complaint(lambda: source.echo(1, timeout=0.1))
        assert told.startswith(
            "source could not echo 1 within 0.1 s: it does not answer, so whether it will be sent is not known\n"
        )
        told = complaint(lambda: source.echo(2, timeout=0.1))
        assert told.startswith("source could not echo 2 within 0.1 s: it does not answer\n")
        assert "  source:\n    stopped (SIGSTOP)\n" in told
        stage.thaw("source")
        source.echo(3)
        sink.wait_for(3)
        stage.freeze("sink")
        source.echo(4)
        assert complaint(lambda: sink.take(timeout=0.1)).startswith("sink has nothing to take: no further message in ")
        stage.thaw("sink")
        assert sink.take() == 4
        assert stage.final_bow().clean
        assert sink.take_all() == []


def test_one_that_is_given_up_is_not_waited_for() -> None:
    policy = RestartPolicy(threshold=0.0)

    def one(graph: Graph) -> None:
        tx, rx = graph.channel(4)
        graph.actor("source", pipeline.source, tx, 0, 1, graph.state(), restart=policy)
        graph.actor("sink", pipeline.sink, rx, 1, graph.state())

    with Stage(one, playing=["source", "sink"], crash_at=[("source", "start:ready")], log_level="error") as stage:
        told = complaint(lambda: stage.actor("source").echo(1, timeout=50))
        assert told.startswith("source can't echo 1 any more: it was given up\n")
        told = complaint(lambda: stage.actor("sink").take(timeout=50))
        assert told.startswith("sink can't take from source→sink any more: ")
        stage.wait_for(ActorGivenUp)
        assert complaint(stage.final_bow).startswith("the graph did not end cleanly: source was given up after life 1")


# Waiting in vain


def test_what_came_instead_is_shown() -> None:
    with Stage(passing, 8, playing=["source", "sink"]) as stage:
        source, sink = stage.actor("source"), stage.actor("sink")
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

    with Stage(stubborn, playing=["source", "sink"], shutdown_timeout=0.5) as stage:
        stage.wait_line("here")
        stage.actor("source").echo(1)
        stage.actor("sink").expect(1)
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
    with pytest.raises(ConfigurationError, match="it was not started"):
        stage.final_bow()


def test_kill_freeze_and_thaw_are_there_too() -> None:
    results: list[FizzBuzz] = []
    with Stage(build_graph, ENDLESS, playing=ENDS, crash_at=[("worker", "commit:published")]) as stage:
        generator, logger = stage.actor("generator"), stage.actor("logger")
        for number in range(5):
            generator.echo(number)
            results.append(logger.take())
        stage.wait_for_death("worker")
        stage.kill("generator")
        stage.kill("logger")
        stage.wait_for(ActorStarted, actor="logger", generation=2)
        generator.echo(5)
        results.append(logger.take())
        stage.final_bow()
    assert results == [fizzbuzz(number) for number in range(6)]
