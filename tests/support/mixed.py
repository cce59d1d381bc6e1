"""A pipeline of three for the random kills: messages of all kinds and sizes, and a running checksum in each state.

The n-th message follows from n alone, so what a calm run comes to can be computed without running it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Actor, Graph, RestartPolicy, Rx, SteadyState, Tx

CAPACITY = 64
NAMES = ("source", "middle", "sink")
_LARGEST = 64 * 1024
_LARGE_EVERY = 251


@dataclass(frozen=True)
class Order:
    """A message with a class of its own."""

    number: int
    item: str
    paid: bool


@dataclass
class Tally:
    """What an actor has seen: how many messages, and the checksum over all of them in their order."""

    count: int = 0
    checksum: int = 0

    def add(self, message: object) -> None:
        data = message if isinstance(message, bytes) else repr(message).encode()
        self.checksum = zlib.crc32(data, self.checksum)
        self.count += 1


_KINDS: tuple[Callable[[int], Any], ...] = (
    lambda n: n,
    lambda n: -(1 << (n % 90)) - n,
    lambda n: n / 7,
    lambda n: None if n % 2 else n % 3 == 0,
    lambda n: f"message {n}: " + "ä" * (n % 40),
    lambda n: b"%d" % (n % 10),
    lambda n: Order(n, f"item {n % 100}", paid=n % 3 == 0),
    lambda n: {"n": n, "nested": {"list": [n, str(n), (n % 5, None)], "deep": [{"er": n % 7}]}},
    lambda n: "x" * (n % 2000),
    lambda n: (n, float(n), f"{n}"),
    lambda n: [n % 256] * (n % 30),
)


def message(n: int) -> Any:
    """Return the n-th message: 1 byte to 64 KiB."""
    if n % _LARGE_EVERY == 0:
        return bytes([n % 251]) * (1 + n * 7919 % _LARGEST)
    return _KINDS[n % len(_KINDS)](n)


def expected(count: int) -> Tally:
    """Return what `count` messages add up to."""
    tally = Tally()
    for n in range(count):
        tally.add(message(n))
    return tally


def source(actor: Actor, out: Tx[Any], state: SteadyState[Tally]) -> None:
    """Send one message a turn for as long as the graph runs."""
    sent = state.acquire(Tally)
    while actor.is_running():
        out.send(message(sent.count))
        sent.add(message(sent.count))


def middle(actor: Actor, messages: Rx[Any], out: Tx[Any], state: SteadyState[Tally]) -> None:
    """Pass on what is there and fits."""
    passed = state.acquire(Tally)
    while actor.is_running():
        actor.await_for_all(messages.wait_avail(1), out.wait_vacant(1))
        for _ in range(min(messages.avail(), out.vacant())):
            assert messages.position() == passed.count
            value = messages.take()
            out.send(value)
            passed.add(value)


def sink(actor: Actor, messages: Rx[Any], state: SteadyState[Tally]) -> None:
    """Take all there is."""
    arrived = state.acquire(Tally)
    while actor.is_running():
        actor.await_for_all(messages.wait_avail(1))
        for value in messages.take_slice(messages.avail()):
            arrived.add(value)


def declare(graph: Graph, restart: RestartPolicy) -> None:
    """Declare the pipeline."""
    first_tx, first_rx = graph.channel(capacity=CAPACITY)
    second_tx, second_rx = graph.channel(capacity=CAPACITY)
    graph.actor("source", source, first_tx, graph.state(), restart=restart)
    graph.actor("middle", middle, first_rx, second_tx, graph.state(), restart=restart)
    graph.actor("sink", sink, second_rx, graph.state(), restart=restart)
