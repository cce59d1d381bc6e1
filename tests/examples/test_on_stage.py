"""The four actors on stage: all of the graph in real processes, and the test in the place of some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors import Args, build_graph
from actors.fizzbuzz import Value, Word, fizzbuzz
from steady_mp.events import ShutdownRequested
from steady_mp.testing.stage import Stage

if TYPE_CHECKING:
    from steady_mp.testing.plugin import StartsStage

ENDLESS = Args(rate=1, beats=1_000_000)


def test_fizzbuzz_on_stage() -> None:
    with Stage(build_graph, ENDLESS, playing=["generator", "logger"]) as stage:
        stage.actor("generator").echo(15)
        stage.actor("logger").wait_for(Word.FIZZBUZZ, timeout=5)
        stage.final_bow()


def test_the_worker_waits_for_a_beat() -> None:
    with Stage(build_graph, ENDLESS, playing=["heartbeat", "generator", "logger"]) as stage:
        stage.actor("generator").echo_all([1, 2, 3])
        assert stage.actor("logger").take_all() == []
        stage.actor("heartbeat").echo(0)
        stage.actor("logger").expect(Value(1), Value(2), Word.FIZZ)
        stage.final_bow()


def test_the_generator_goes_no_further_than_it_is_let() -> None:
    with Stage(build_graph, ENDLESS, playing="worker") as stage:
        stage.wait_until(lambda: stage.channel("generator→worker").in_flight == 64)
        stage.actor("worker").expect(0, 1, 2, lane="generator→worker")
        stage.wait_until(lambda: stage.channel("generator→worker").sent == 67)
        stage.final_bow()


def test_the_heartbeat_stops_the_graph_behind_its_last_beat() -> None:
    with Stage(build_graph, Args(rate=10, beats=3), playing="worker") as stage:
        stage.actor("worker").expect(0, 1, 2, lane="heartbeat→worker")
        stage.wait_for(ShutdownRequested, reason="heartbeat asked for it")
        stage.final_bow()


def test_the_logger_counts_what_it_was_told() -> None:
    with Stage(build_graph, ENDLESS, playing="worker") as stage:
        stage.actor("worker").echo_all([Word.FIZZ, Value(7), Value(8)])
        stage.wait_line("Msg Value(8)")
        stage.final_bow()
    assert stage.actor_report("logger").state == {"fizzbuzz": 0, "fizz": 1, "buzz": 0, "value": 2}


def test_what_came_until_the_end_can_be_taken_behind_it() -> None:
    with Stage(build_graph, ENDLESS, playing=["generator", "logger"]) as stage:
        stage.actor("generator").echo_all(range(100))
        stage.final_bow()
        assert stage.actor("logger").take_all() == [fizzbuzz(number) for number in range(100)]


@pytest.mark.parametrize("victim", ["generator", "worker", "logger"])
def test_nobody_hears_of_a_death(victim: str) -> None:
    crash = (victim, "commit:publish")
    with Stage(build_graph, ENDLESS, playing=["generator", "logger"], crash_at=[crash]) as stage:
        stage.actor("generator").echo_all(range(100))
        stage.actor("logger").expect(*map(fizzbuzz, range(100)))
        assert stage.wait_for_death(victim).cause == "SIGKILL"
        stage.final_bow()


def test_who_does_not_take_holds_everybody_back() -> None:
    with Stage(build_graph, ENDLESS, playing=["generator", "logger"]) as stage:
        stage.actor("generator").echo_all(range(64 + 64))
        with pytest.raises(AssertionError, match="0 of 1 were sent, and generator→worker holds 64 of 64 messages"):
            stage.actor("generator").echo(128, timeout=0.5)
        stage.final_bow()


def test_on_the_stage_of_the_plugin(stage: StartsStage) -> None:
    fizzbuzz_on = stage(build_graph, ENDLESS, playing=["generator", "logger"])
    fizzbuzz_on.actor("generator").echo(5)
    fizzbuzz_on.actor("logger").expect(Word.BUZZ)
    fizzbuzz_on.final_bow()
