"""Deaths on stage: none of a played actor loses an echo, repeats one, or shows a message twice."""

from __future__ import annotations

import os
import random
import signal
import threading

import pytest

from actors import build_graph
from actors.fizzbuzz import FizzBuzz, fizzbuzz
from steady_mp import Graph, RestartPolicy
from steady_mp.events import ActorDied, ActorGivenUp, ActorStarted, ForkServerDied
from steady_mp.testing.points import FAULT_POINTS
from steady_mp.testing.stage import Stage
from tests.support import pipeline
from tests.support.staged import ENDLESS, ENDS, complaint, passing

pytestmark = pytest.mark.timeout(60)


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


def test_the_death_of_the_fork_server_is_one_like_any_other() -> None:
    with Stage(passing, 64, playing=["source", "sink"], log_level="error") as stage:
        stage.actor("source").echo_all(range(10))
        server = stage.run._supervisor._servers.pid
        assert server is not None
        os.kill(server, signal.SIGKILL)
        stage.wait_for(ForkServerDied)
        stage.actor("source").echo_all(range(10, 20))
        stage.actor("sink").expect(*range(20))
        assert stage.final_bow().clean


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
