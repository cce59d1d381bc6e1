"""Small graphs for one question each: short lives that say two things and close, and messages as large as rings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, Rx, SteadyState, Tx

PAIRS = 4


@dataclass
class Notes:
    said: list[int] = field(default_factory=list)


def speak(_actor: Actor, out: Tx[int], state: SteadyState[Notes]) -> None:
    """Send 0 and 1 and close, all in one turn."""
    notes = state.acquire(Notes)
    for number in range(len(notes.said), 2):
        out.send(number)
        notes.said.append(number)


def listen(actor: Actor, numbers: Rx[int], state: SteadyState[Notes]) -> None:
    """Take what comes, one by one, and never wait: look at the head of the loop whether more can come."""
    notes = state.acquire(Notes)
    while actor.is_running():
        value = numbers.try_take()
        if value is None:
            actor.await_for_all(numbers.wait_avail(1))
        else:
            notes.said.append(value)


def ask(actor: Actor, state: SteadyState[Notes]) -> None:
    """Ask for the shutdown once in all lives."""
    notes = state.acquire(Notes)
    if not notes.said:
        notes.said.append(0)
        actor.request_shutdown()
        actor.commit()


def idle(actor: Actor) -> None:
    """Wait for the shutdown."""
    while actor.is_running():
        actor.await_for_all(actor.wait_shutdown())


def fill(graph: Graph) -> None:
    """Declare the pairs, the one that asks and the one that waits for it."""
    for number in range(PAIRS):
        tx, rx = graph.channel(4)
        graph.actor(f"speaker {number}", speak, tx, graph.state())
        graph.actor(f"listener {number}", listen, rx, graph.state())
    graph.actor("asker", ask, graph.state())
    graph.actor("idler", idle)


def say_much(actor: Actor, out: Tx[bytes], total: int, state: SteadyState[Notes]) -> None:
    """Send `total` messages of different sizes, five a turn, each waited for in the middle of the turn."""
    notes = state.acquire(Notes)
    while actor.is_running() and len(notes.said) < total:
        for number in range(len(notes.said), min(total, len(notes.said) + 5)):
            out.send(bytes(100 + number * 761 % 1900))
            notes.said.append(number)


def take_one(actor: Actor, values: Rx[bytes], state: SteadyState[Notes]) -> None:
    """Take one message a turn; keep its size."""
    notes = state.acquire(Notes)
    while actor.is_running():
        if actor.await_for_all(values.wait_avail(1)):
            notes.said.append(len(values.take()))


def fill_bulk(graph: Graph, total: int) -> None:
    """Declare one who says much and one who takes it one by one, with a ring for two or three messages."""
    tx, rx = graph.channel(64, ring_bytes=4096)
    graph.actor("speaker", say_much, tx, total, graph.state())
    graph.actor("taker", take_one, rx, graph.state())


def say_in_bursts(actor: Actor, out: Tx[int], total: int, state: SteadyState[Notes]) -> None:
    """Send one message a turn and later, when that is what everybody expects, four; book them at the turn's end."""
    notes = state.acquire(Notes)
    while actor.is_running() and len(notes.said) < total:
        first = len(notes.said)
        burst = range(first, min(total, first + (4 if first > 20 and first % 3 else 1)))
        for number in burst:
            out.send(number)
        notes.said += burst


def fill_bursts(graph: Graph, total: int) -> None:
    """Declare one who speaks in bursts that just fit the channel, and one who listens."""
    tx, rx = graph.channel(4)
    graph.actor("burster", say_in_bursts, tx, total, graph.state())
    graph.actor("listener", listen, rx, graph.state())
