"""How a simulated life ends: what kills it, what it can't do any more then, and what is none of its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from steady_mp import EndOfStream, Recycle, RestartPolicy
from steady_mp.testing.simulation import Crash, Outcome, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Actor, Graph, Rx, SteadyState, Tx

TOTAL = 40
#: Stands for anything that comes from outside of the graph while an actor is at work: pytest's time-out is one.
OUTSIDE: dict[str, type[BaseException]] = {
    "Ctrl-C": KeyboardInterrupt,
    "time-out of pytest": pytest.fail.Exception,
}

unwound: list[str] = []


def source(actor: Actor, numbers: Tx[int], sent: SteadyState[list[int]]) -> None:
    """Send in two bursts, with a pause between them."""
    count = sent.acquire(lambda: [0])
    while actor.is_running() and count[0] < TOTAL:
        numbers.send(count[0])
        count[0] += 1
        if count[0] == TOTAL // 2:
            actor.await_for_all(actor.wait_timeout(1.0))


def sink(actor: Actor, numbers: Rx[int], taken: SteadyState[list[int]]) -> None:
    kept: list[int] = taken.acquire(list)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            kept.append(numbers.take())


def late(actor: Actor, numbers: Rx[int], taken: SteadyState[list[int]]) -> None:
    """Come when all is there: until then nobody waits for a commit."""
    if actor.generation == 1:
        actor.await_for_all(actor.wait_timeout(10.0))
    sink(actor, numbers, taken)


def pass_on(actor: Actor, numbers: Rx[int], further: Tx[int]) -> None:
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1), further.wait_vacant(1)):
            further.send(numbers.take())


def stubborn(actor: Actor, numbers: Rx[int], further: Tx[int]) -> None:
    """Pass on, and at its end send what nobody is meant to get: no process that is killed comes to that."""
    try:
        pass_on(actor, numbers, further)
    except BaseException:
        further.send(-1)
        actor.is_running()
        actor.await_for_all(actor.wait_timeout(0.5))
        raise


def committing(actor: Actor, numbers: Rx[int], further: Tx[int]) -> None:
    """Pass on, and at its end sleep a while: behind a commit, the first step of which is a fault point."""
    try:
        pass_on(actor, numbers, further)
    except BaseException:
        actor.await_for_all(actor.wait_timeout(0.5))
        raise


def hasty(actor: Actor, numbers: Rx[int], further: Tx[int]) -> None:
    """Take more than before in one of its turns, and wait in the middle of it for the second burst; as stubborn."""
    try:
        while actor.is_running():
            further.send(value := numbers.take())
            for _ in range(3 if value == TOTAL // 2 - 3 else 0):
                further.send(numbers.take())
    except EndOfStream:
        raise
    except BaseException:
        further.send(-1)
        actor.is_running()
        raise


def swallowing(actor: Actor, numbers: Rx[int], further: Tx[int]) -> None:
    """Pass on, and not let an end be one."""
    try:
        pass_on(actor, numbers, further)
    except BaseException:  # noqa: BLE001 - this is the mistake
        further.send(-1)


def converting(actor: Actor, numbers: Rx[int], further: Tx[int]) -> None:
    """Pass on, and call everything an error of its own."""
    try:
        pass_on(actor, numbers, further)
    except BaseException as error:
        message = "converted"
        raise RuntimeError(message) from error


def interrupted(actor: Actor, kind: str) -> None:
    if actor.await_for_all(actor.wait_timeout(5.0)):
        raise OUTSIDE[kind]


def bystander(actor: Actor, name: str) -> None:
    try:
        actor.await_for_all(actor.wait_timeout(1000.0))
    finally:
        unwound.append(name)


def failing_at_first(actor: Actor, state: SteadyState[list[int]]) -> None:
    state.acquire(list)
    if actor.generation < 5:
        message = f"life {actor.generation}"
        raise ValueError(message)


def chain(
    graph: Graph,
    relay: Callable[..., None] = stubborn,
    last: Callable[..., None] = sink,
    recycle: Recycle | None = None,
) -> None:
    """From the source through a relay into the sink."""
    tx, rx = graph.channel(TOTAL, name="numbers")
    further_tx, further_rx = graph.channel(TOTAL, name="further")
    graph.actor("source", source, tx, graph.state())
    graph.actor("relay", relay, rx, further_tx, recycle=recycle)
    graph.actor("sink", last, further_rx, graph.state())


def recycled(graph: Graph) -> None:
    chain(graph, stubborn, recycle=Recycle(max_messages=10))


def recycled_and_swallowing(graph: Graph) -> None:
    chain(graph, swallowing, recycle=Recycle(max_messages=10))


def recycled_and_converting(graph: Graph) -> None:
    chain(graph, converting, recycle=Recycle(max_messages=10))


def torn(graph: Graph) -> None:
    chain(graph, hasty, late)


def swallowed(graph: Graph) -> None:
    chain(graph, swallowing)


def committed(graph: Graph) -> None:
    chain(graph, committing)


def converted(graph: Graph) -> None:
    chain(graph, converting)


def failing(graph: Graph) -> None:
    graph.actor("failer", failing_at_first, graph.state())
    graph.actor("other", failing_at_first, graph.state())


def all_once(outcome: Outcome) -> None:
    assert outcome.states["sink"] == list(range(TOTAL))


# What is no failure of an actor


@pytest.mark.parametrize("kind", OUTSIDE)
def test_what_comes_from_outside_ends_the_simulation(kind: str) -> None:
    def build(graph: Graph) -> None:
        graph.actor("first", bystander, "first")
        graph.actor("interrupted", interrupted, kind)
        graph.actor("last", bystander, "last")

    unwound.clear()
    before = sys.stdout
    with pytest.raises(OUTSIDE[kind]):
        simulate(build)
    assert sorted(unwound) == ["first", "last"]
    assert sys.stdout is before


def test_one_that_converts_its_end_keeps_none_of_the_others_from_theirs() -> None:
    def build(graph: Graph) -> None:
        graph.actor("first", converting_to_interrupt)
        graph.actor("interrupted", interrupted, "Ctrl-C")
        graph.actor("last", bystander, "last")

    unwound.clear()
    with pytest.raises(KeyboardInterrupt):
        simulate(build)
    assert unwound == ["last"]


def converting_to_interrupt(actor: Actor) -> None:
    try:
        actor.await_for_all(actor.wait_timeout(1000.0))
    finally:
        raise KeyboardInterrupt


# The same seed


def test_failures_in_a_row_are_the_same_for_the_same_seed() -> None:
    for seed in range(3):
        runs = [simulate(failing, seed=seed) for _ in range(2)]
        assert runs[0].actor("failer").restarts == 4
        assert str(runs[0].trace) == str(runs[1].trace)


# What a life can't do any more


@pytest.mark.parametrize("seed", range(8))
def test_a_recycled_life_sends_nothing_in_its_end(seed: int) -> None:
    outcome = simulate(recycled, seed=seed, check=all_once)
    assert outcome.actor("relay").restarts >= 3
    assert outcome.actor("relay").deaths == []


def test_a_life_that_is_to_be_repeated_sends_nothing_in_its_end() -> None:
    outcomes = [simulate(torn, seed=seed, check=all_once) for seed in range(20)]
    assert any("relay   replays" in str(outcome.trace) for outcome in outcomes)


def test_a_killed_life_meets_no_further_fault_point() -> None:
    crashes = [Crash("relay", "commit:begin", hit) for hit in (4, 5)]
    outcome = simulate(committed, crashes=crashes, check=all_once)
    assert outcome.crashes == crashes
    assert outcome.actor("relay").deaths == ["SIGKILL"] * 2


# What it makes of its end


def test_a_kill_that_is_converted_is_a_kill() -> None:
    crashes = [Crash("relay", "start:ready", life) for life in range(1, 11)]
    crashes += [Crash("relay", "park:armed", hit) for hit in range(1, 11)]
    outcome = simulate(converted, crashes=crashes, check=all_once)
    assert outcome.actor("relay").deaths == ["SIGKILL"] * len(outcome.crashes)
    assert len(outcome.crashes) > 10


def test_the_end_of_a_recycled_life_that_is_converted_is_no_failure() -> None:
    outcome = simulate(recycled_and_converting, check=all_once)
    assert outcome.actor("relay").restarts >= 3
    assert outcome.actor("relay").deaths == []


@pytest.mark.parametrize("build", [swallowed, recycled_and_swallowing])
def test_an_end_that_is_swallowed_is_one(build: Callable[[Graph], None]) -> None:
    outcome = simulate(build, crashes=[Crash("relay", "commit:epoch", 3)], check=all_once)
    assert outcome.actor("relay").deaths == ["SIGKILL"]


def fail_at(actor: Actor, numbers: Rx[int], moment: float) -> None:
    """Take nothing, and fail in each life."""
    actor.await_for_all(numbers.wait_avail(4))
    actor.await_for_all(actor.wait_timeout(moment))
    message = "no"
    raise ValueError(message)


def isolating(graph: Graph) -> None:
    """Two who are given up, each with four messages that nobody will take; the one declared last is the first."""
    for name, moment in (("slow", 20.0), ("fast", 10.0)):
        tx, rx = graph.channel(4, name=f"to {name}")
        graph.actor(f"source of {name}", burst, tx)
        graph.actor(name, fail_at, rx, moment, restart=RestartPolicy(threshold=1.0, give_up="isolate"))


def burst(_actor: Actor, numbers: Tx[int]) -> None:
    numbers.send_slice(list(range(4)))


def test_the_report_says_who_was_given_up_of_what_in_order_and_what_is_queued() -> None:
    assert simulate(isolating).report.why == [
        "fast was given up after life 2: ValueError: no",
        "slow was given up after life 2: ValueError: no",
        "4 messages are still queued in to slow",
        "4 messages are still queued in to fast",
    ]
