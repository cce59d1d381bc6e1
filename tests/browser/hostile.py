"""A real graph whose names try to be more than names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.scenes import HOSTILE

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, Rx, Tx


def tick(actor: Actor, out: Tx[int]) -> None:
    """Send a number ten times a second."""
    while actor.is_running():
        if actor.await_for_all(actor.wait_periodic(0.1), out.wait_vacant(1)):
            out.send(0)


def drop(actor: Actor, numbers: Rx[int]) -> None:
    """Take whatever comes."""
    while actor.is_running():
        actor.await_for_all(numbers.wait_avail(1))
        numbers.take_slice(numbers.avail())


def build_graph(graph: Graph) -> None:
    """Declare two pairs of actors."""
    for source, sink in (HOSTILE[:2], HOSTILE[2:]):
        tx, rx = graph.channel(capacity=4, name=f"{sink} "[:64])
        graph.actor(source, tick, tx)
        graph.actor(sink, drop, rx)
