"""Recycled again and again, and killed in between, nobody can tell from the result."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import pytest

from steady_mp import Graph, Recycle, RestartPolicy
from steady_mp.events import ActorRecycled, ActorStarted, Event
from steady_mp.memory.status import read_status
from tests.support import recycled
from tests.support.gates import Lines
from tests.support.waiting import let_pass

if TYPE_CHECKING:
    from steady_mp.memory.status import RunStatus

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(60)]

OFTEN = Recycle(max_messages=recycled.MESSAGES // 25)


@pytest.mark.parametrize("spaced", [False, True], ids=["as they come", "spaced"])
def test_twenty_times_with_kills_in_between(spaced: bool) -> None:  # noqa: FBT001 - a parameter
    graph = Graph("recycled", log_level="warning")
    recycled.fill(graph, OFTEN, spaced=spaced)
    dice = random.Random(7)
    events: list[Event] = []
    status: list[RunStatus] = []

    def watch(event: Event) -> None:
        if isinstance(event, ActorRecycled):
            status[:] = [read_status(run.directory)]
            if dice.random() < 0.5:
                run.kill(dice.choice(("carrier", "drinker", "pourer")))

    # None is missed: who watches begins when the run has begun already.
    with graph.start(output=Lines(), on_event=events.append) as run:
        run.watch(watch)
        report = run.block_until_stopped(40.0)
    assert report.clean, report.why
    states = {actor.name: actor.state for actor in report.actors}
    assert states["drinker"]["values"] == list(range(recycled.MESSAGES))
    told = [event for event in events if isinstance(event, ActorRecycled) and event.actor == "carrier"]
    assert len(told) >= 15  # a kill begins the count anew
    assert {event.reason for event in told} == {f"max_messages {OFTEN.max_messages} reached"}
    carrier = next(actor for actor in report.actors if actor.name == "carrier")
    assert carrier.restarts == len(told) + len(carrier.deaths)
    assert set(carrier.deaths) <= {"SIGKILL"}
    counted = next(actor for actor in status[0].actors if actor.name == "carrier")
    assert counted.causes["recycled"] == sum(1 for event in told)


def test_what_leaks_is_recycled_by_its_size_and_no_failure() -> None:
    graph = Graph("leaking", log_level="info")
    lines = io.StringIO()
    # A fresh process has some 20 MiB; what it hoards would make a gigabyte of it in a run without recycling.
    recycled.fill(graph, Recycle(max_rss=120_000_000), total=5000, hoard=200_000)

    def watch(event: Event) -> None:
        if isinstance(event, ActorRecycled) and event.actor == "carrier":
            run.request_shutdown()

    with graph.start(output=lines) as run:
        run.watch(watch)
        report = run.block_until_stopped(40.0)
    assert report.clean, report.why
    _, carrier, drinker = report.actors
    assert carrier.restarts >= 1
    assert carrier.deaths == []
    assert 0 < len(drinker.state["values"]) < 5000
    assert drinker.state["values"] == list(range(len(drinker.state["values"])))
    assert "carrier is recycled after life 1: max_rss 120,000,000 passed with " in lines.getvalue()


def test_one_that_sleeps_is_recycled_by_its_age() -> None:
    graph = Graph("dozing", log_level="warning")
    strict = RestartPolicy(threshold=0.0)  # one failure would be too many
    graph.actor("dozer", recycled.doze, graph.state(), recycle=Recycle(max_age=0.1), restart=strict)
    with graph.start(output=Lines()) as run:
        report = run.block_until_stopped(40.0)
    assert report.clean, report.why
    assert report.actors[0].state["lives"] == [1, 2, 3, 4]


@pytest.mark.parametrize(("point", "cause"), [("retire:begin", "SIGKILL"), ("retire:noted", None)])
def test_killed_between_its_decision_and_its_exit(point: str, cause: str | None) -> None:
    """With the note of a planned end written, it is a planned end, whoever comes first; without one it is a death."""
    graph = Graph("noted", log_level="warning")
    strict = RestartPolicy(backoff=0.0, max_backoff=0.0, threshold=1.0)  # the second failure is one too many
    limits = Recycle(max_age=0.05)
    graph.actor("dozer", recycled.doze, graph.state(), recycle=limits, restart=strict)
    killed = [1] if cause else [1, 2, 3]
    graph.faults["dozer"] = [{"point": point, "hit": 1, "generations": killed}]
    events: list[Event] = []

    def see(event: Event) -> None:
        events.append(event)
        if isinstance(event, ActorStarted) and event.generation == 4:
            let_pass(0.2)  # a supervisor that gets no core hears late of the wish for a shutdown

    with graph.start(output=Lines(), on_event=see) as run:
        report = run.block_until_stopped(40.0)
    assert report.clean, report.why
    (dozer,) = report.actors
    assert dozer.state["lives"] == [1, 2, 3, 4]
    assert dozer.deaths == ([cause] if cause else [])
    lives = [event.generation for event in events if isinstance(event, ActorRecycled)]
    assert lives == ([2, 3] if cause else [1, 2, 3])


@pytest.mark.parametrize("status", [121, 124])
def test_an_exit_status_of_the_users_own_is_no_planned_end(status: int) -> None:
    graph = Graph("own", log_level="error")
    graph.actor("leaver", recycled.leave, status, restart=RestartPolicy(threshold=0.0))
    with graph.start(output=Lines()) as run:
        report = run.block_until_stopped(40.0)
    assert report.actors[0].deaths == [f"exit code {status}"]
