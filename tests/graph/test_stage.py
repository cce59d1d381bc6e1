"""A stage: the test plays some actors, and production plays the others."""

from __future__ import annotations

import math
import threading

import pytest

from actors import Args, build_graph
from actors.fizzbuzz import Value, Word, fizzbuzz
from steady_mp import PeerGone
from steady_mp.events import ShutdownRequested
from steady_mp.testing.stage import Stage
from tests.support.staged import ENDLESS, ENDS, complaint, merging, passing, splitting

pytestmark = pytest.mark.timeout(60)


# What goes in comes out


def test_an_echo_becomes_a_message() -> None:
    with Stage(build_graph, Args(rate=10, beats=1000), playing=ENDS) as stage:
        stage.actor("generator").echo(15)
        assert stage.actor("logger").wait_for(Word.FIZZBUZZ) is Word.FIZZBUZZ
        report = stage.final_bow()
    assert report.clean
    assert [(channel.sent, channel.in_flight) for channel in report.channels[1:]] == [(1, 0), (1, 0)]
    assert [actor.restarts for actor in report.actors] == [0, 0, 0, 0]


def test_a_wait_may_last_for_ever() -> None:
    with Stage(build_graph, ENDLESS, playing=ENDS) as stage:
        stage.actor("generator").echo_all([15, 16], timeout=math.inf)
        assert stage.actor("logger").take(timeout=math.inf) is Word.FIZZBUZZ
        stage.actor("logger").expect(Value(16), timeout=math.inf)
        assert stage.final_bow(math.inf).clean


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


def test_large_messages_and_many_of_them() -> None:
    values = [bytes([number]) * 100_000 for number in range(40)]
    with Stage(build_graph, ENDLESS, playing=["heartbeat", "generator", "worker", "logger"]) as stage:
        source = threading.Thread(target=lambda: stage.actor("generator").echo_all(values))
        source.start()
        stage.actor("worker").expect(*values, lane=1)
        source.join()
        stage.final_bow()


# Expecting


def test_an_expect_in_vain_leaves_the_channel_as_full_as_it_was() -> None:
    with Stage(passing, 4, playing=["source", "sink"]) as stage:
        source, sink = stage.actor("source"), stage.actor("sink")
        source.echo_all([1, 2])
        stage.wait_until(lambda: stage.channel("results").sent == 2)
        told = complaint(lambda: sink.expect(1, 2, 4, timeout=0.2))
        assert told.startswith("sink: no further message in results within 0.2 s\n")
        assert stage.channel("results").taken == 0
        source.echo_all(range(3, 9))
        stage.wait_until(lambda: stage.channel("numbers").in_flight == 4)  # and results is full
        assert complaint(lambda: sink.expect(1, 2, 4)).startswith("sink: another message in results\n")
        assert stage.channel("results").taken == 0
        sink.expect(*range(1, 9))
        assert stage.final_bow().clean


def test_an_expect_in_vain_has_given_room_to_who_waited_for_it() -> None:
    with Stage(passing, 4, playing=["source", "sink"]) as stage:
        source, sink = stage.actor("source"), stage.actor("sink")
        assert sink.take_all() == []  # it is there: its half second is not for its start
        source.echo_all(range(8))
        stage.wait_until(lambda: stage.channel("numbers").in_flight == 4)  # and results is full
        assert complaint(lambda: sink.expect(*range(9), timeout=0.5)).startswith("sink: no further message in results")
        assert stage.channel("results").taken >= 4
        sink.expect(*range(8))  # they stay for the test
        assert stage.final_bow().clean
