"""Actors that send to one another in a circle, until it is full, or nearly so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.support.gates import open_gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Actor, Graph, Rx, Tx


def circle(graph: Graph, behavior: Callable[..., None], names: str) -> None:
    """Declare a circle of as many actors as there are letters; the first one begins."""
    ends = [graph.channel(4, name=f"{name}{after}") for name, after in zip(names, names[1:] + names[0], strict=True)]
    for index, name in enumerate(names):
        graph.actor(name, behavior, ends[index - 1][1], ends[index][0], index == 0)


def breed(actor: Actor, coming: Rx[int], going: Tx[int], first: bool) -> None:  # noqa: FBT001
    """Send two messages for each one that comes: that ends when everything is full."""
    if first and actor.generation == 1:
        going.send(0)
    while actor.is_running():
        if actor.await_for_all(coming.wait_avail(1)):
            coming.take()
            for _ in range(2):
                going.send(1)
                actor.commit()


def breed_by_twos(actor: Actor, coming: Rx[int], going: Tx[int], first: bool) -> None:  # noqa: FBT001
    """The same, but ask for the room before, so that the channels need not become quite full."""
    if first and actor.generation == 1:
        going.send(0)
    while actor.is_running():
        if actor.await_for_all(coming.wait_avail(1), going.wait_vacant(2)):
            coming.take()
            going.send_slice([1, 1])


def breed_with_a_way_out(actor: Actor, coming: Rx[int], going: Tx[int], first: bool) -> None:  # noqa: FBT001
    """The same, but something else would end the wait as well."""
    if first and actor.generation == 1:
        going.send(0)
    while actor.is_running():
        if coming.is_empty():
            actor.await_for_all(coming.wait_avail(1))
        elif actor.await_for_any(going.wait_vacant(2), actor.wait_timeout(600.0)):
            coming.take()
            going.send_slice([1, 1])


def fill(actor: Actor, coming: Rx[int], going: Tx[int]) -> None:
    """Send as much as fits, for ever."""
    while actor.is_running():
        if actor.await_for_all(going.wait_vacant(1)):
            going.send(1)
        coming.take_slice(coming.avail())


def take_by_gate(actor: Actor, coming: Rx[int], going: Tx[int], gate: str) -> None:
    """Pass on one message for each byte that comes through the gate."""
    fd = open_gate(gate)
    while actor.is_running():
        if actor.await_for_all(actor.wait_readable(fd), coming.wait_avail(1)):
            os.read(fd, 1)
            going.send(coming.take())
