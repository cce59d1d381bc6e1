"""Which rescues a frozen actor excuses: its own and its neighbours', for as long as it is frozen, and one wait more."""

from __future__ import annotations

import pytest

from actors import Args, build_graph
from steady_mp import Graph
from steady_mp.events import ActorDied, ActorFinished, ForkServerDied, RunStopped
from steady_mp.testing.excuses import Excuses


class Bystander:
    """Counts rescues as actors do, and asks for those that nothing excuses."""

    def __init__(self) -> None:
        graph = Graph("excuses")
        build_graph(graph, Args(rate=1, beats=1))
        self.rescues: dict[str, int] = {}
        self.excuses = Excuses(graph.plan(), lambda: self.rescues)

    def count(self, *actors: str) -> None:
        for actor in actors:
            self.rescues[actor] = self.rescues.get(actor, 0) + 1


def died(actor: str, life: int) -> ActorDied:
    return ActorDied(actor=actor, generation=life, cause="SIGKILL", pause=0.0, commit=0)


@pytest.fixture
def some() -> Bystander:
    return Bystander()


def test_where_nobody_is_frozen_nothing_is_excused(some: Bystander) -> None:
    assert some.excuses.lost() == {}
    some.count("logger", "heartbeat", "logger")
    some.excuses.end("worker")  # there is nothing to end
    assert list(some.excuses.lost().items()) == [("heartbeat", 1), ("logger", 2)]
    some.count("logger")
    assert some.excuses.lost() == {"heartbeat": 1, "logger": 3}
    assert some.excuses.lost() == {"heartbeat": 1, "logger": 3}


def test_the_frozen_one_and_its_neighbours_are_excused_and_nobody_else(some: Bystander) -> None:
    some.excuses.begin("logger", 1)
    some.count("logger", "logger", "worker", "worker", "generator")
    assert some.excuses.lost() == {"generator": 1}


def test_what_came_before_is_not(some: Bystander) -> None:
    some.count("logger")
    some.excuses.begin("worker", 1)
    some.excuses.end("worker")
    assert some.excuses.lost() == {"logger": 1}


def test_behind_it_each_may_end_one_wait_that_began_before(some: Bystander) -> None:
    some.excuses.begin("logger", 1)
    some.count("worker")
    some.excuses.end("logger")
    some.count("worker", "worker", "worker", "logger", "generator")
    assert some.excuses.lost() == {"generator": 1, "worker": 2}
    some.count("logger")
    assert some.excuses.lost() == {"generator": 1, "worker": 2, "logger": 1}


def test_a_second_freeze_excuses_no_second_wait(some: Bystander) -> None:
    for _ in range(2):
        some.excuses.begin("logger", 1)
        some.excuses.end("logger")
    some.count("worker", "worker")
    assert some.excuses.lost() == {"worker": 1}


def test_who_has_two_frozen_neighbours_is_excused_until_both_go_on(some: Bystander) -> None:
    some.excuses.begin("logger", 1)
    some.excuses.begin("generator", 1)
    some.excuses.end("logger")
    some.count("worker", "worker", "worker")
    assert some.excuses.lost() == {}
    some.excuses.end("generator")
    some.count("worker", "worker")
    assert some.excuses.lost() == {"worker": 1}


def test_the_end_of_the_life_that_is_frozen_is_the_end_of_it(some: Bystander) -> None:
    some.excuses.begin("worker", 2)
    for event in (died("worker", 1), died("logger", 2), ActorFinished(actor="generator", generation=5)):
        some.excuses.see(event)
        some.count("logger", "logger")
    assert some.excuses.lost() == {}
    some.excuses.see(died("worker", 2))
    some.count("logger", "logger")
    assert some.excuses.lost() == {"logger": 1}


def test_the_fork_server_takes_all_lives_with_it(some: Bystander) -> None:
    some.excuses.begin("worker", 2)
    some.excuses.see(ForkServerDied(cause="SIGKILL"))
    some.count("logger", "logger")
    assert some.excuses.lost() == {"logger": 1}


def test_the_end_of_the_run_needs_no_excuse(some: Bystander) -> None:
    """Its last counters may be read when it is over already."""
    some.excuses.begin("worker", 1)
    some.excuses.see(RunStopped(clean=False, exit_code=1, seconds=1.0))
    some.count("logger", "logger")
    assert some.excuses.lost() == {}
