"""Small behaviors for simulations, each with one thing to show."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, Rx, SteadyState, Tx


@dataclass
class Book:
    entries: list[float] = field(default_factory=list)


def count(actor: Actor, out: Tx[int], total: int, state: SteadyState[Book]) -> None:
    """Send 0, 1, 2, … and keep what was sent."""
    book = state.acquire(Book)
    while actor.is_running() and len(book.entries) < total:
        if actor.await_for_all(out.wait_vacant(1)):
            out.send(len(book.entries))
            book.entries.append(len(book.entries))


def keep(actor: Actor, numbers: Rx[int], state: SteadyState[Book]) -> None:
    """Keep what comes."""
    book = state.acquire(Book)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            book.entries.append(numbers.take())


def forget(actor: Actor, numbers: Rx[int], state: SteadyState[Book]) -> None:
    """Keep what comes outside of the state: gone with the life."""
    book = state.acquire(Book)
    kept: list[float] = []
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            kept.append(numbers.take())
            book.entries[:] = kept


def pass_round(actor: Actor, coming: Rx[int], going: Tx[int]) -> None:
    """Pass on what comes; nobody ever begins."""
    while actor.is_running():
        if actor.await_for_all(coming.wait_avail(1), going.wait_vacant(1)):
            going.send(coming.take())


def tick(actor: Actor, period: float, state: SteadyState[Book]) -> None:
    """Beat for as long as the graph runs."""
    book = state.acquire(Book)
    while actor.is_running():
        if actor.await_for_all(actor.wait_periodic(period)):
            book.entries.append(random.random())
            print("beat", len(book.entries))  # noqa: T201 - that it is caught is what the test looks at
            actor.log.info("logged %d", len(book.entries))


def spin(actor: Actor) -> None:
    """Never wait."""
    while actor.is_running(veto=lambda: "it likes to spin"):
        pass


def refuse(actor: Actor) -> None:
    """Wait, and refuse to stop."""
    while actor.is_running(veto=lambda: "not today"):
        actor.await_for_all(actor.wait_timeout(1.0))


def hold(actor: Actor, numbers: Rx[int]) -> None:
    """Take what comes, and refuse to stop."""
    while actor.is_running(veto=lambda: "3 invoices unpaid"):
        actor.await_for_any(numbers.wait_avail(1))
        numbers.take_slice(numbers.avail())


def fail(actor: Actor) -> None:
    """Raise at once."""
    message = f"life {actor.generation} fails"
    raise ValueError(message)


def acquire(_actor: Actor, states: list[SteadyState[Book]], which: list[int]) -> None:
    """Acquire some of its states; each keeps which one it is."""
    for index in which:
        states[index].acquire(Book).entries.append(index)


def line(graph: Graph, total: int = 30) -> None:
    """One who counts and one who keeps."""
    tx, rx = graph.channel(4, name="numbers")
    graph.actor("counter", count, tx, total, graph.state())
    graph.actor("keeper", keep, rx, graph.state())


def leaky(graph: Graph) -> None:
    """One who counts and one who forgets."""
    tx, rx = graph.channel(4, name="numbers")
    graph.actor("counter", count, tx, 30, graph.state())
    graph.actor("keeper", forget, rx, graph.state())


def circle(graph: Graph) -> None:
    """Three who wait for each other."""
    ends = [graph.channel(2) for _ in range(3)]
    for number in range(3):
        graph.actor(f"passer {number}", pass_round, ends[number][1], ends[(number + 1) % 3][0])


def ticking(graph: Graph) -> None:
    graph.actor("ticker", tick, 10.0, graph.state())


def spinning(graph: Graph) -> None:
    graph.actor("spinner", spin)


def refusing(graph: Graph) -> None:
    graph.actor("refuser", refuse)


def holding(graph: Graph) -> None:
    """One who counts, and one who won't stop; neither waits for a time."""
    tx, rx = graph.channel(8)
    graph.actor("counter", count, tx, 5, graph.state())
    graph.actor("holder", hold, rx)


def failing(graph: Graph) -> None:
    graph.actor("failer", fail)
