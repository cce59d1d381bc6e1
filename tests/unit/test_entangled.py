"""Turns that wait in their middle, in graphs where neighbours hear of each other by another way than by this actor.

What such a turn has staged must not be kept back from somebody whom the one that is waited for waits for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ExitCode
from steady_mp.testing.simulation.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Actor, Graph, Rx, SteadyState, Tx

TOTAL, GROUP = 24, 4


def split(actor: Actor, heads: Tx[int], items: Tx[int], state: SteadyState[list[int]]) -> None:
    """Send each number, and behind a full group of them a head first, all in one turn."""
    sent = state.acquire(lambda: [0])
    while actor.is_running() and sent[0] < TOTAL:
        if sent[0] and sent[0] % GROUP == 0:
            heads.send(sent[0])
        items.send(sent[0])
        sent[0] += 1


def forward(actor: Actor, numbers: Rx[int], further: Tx[int]) -> None:
    """Hand on one a turn."""
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1), further.wait_vacant(1)):
            further.send(numbers.take())


def join(actor: Actor, heads: Rx[int], items: Rx[int], state: SteadyState[list[int]]) -> None:
    """Take a head before its group."""
    seen: list[int] = state.acquire(list)
    while actor.is_running():
        if actor.await_for_all(heads.wait_avail(1)):
            heads.take()
        seen += items.take_slice(GROUP)


def early(actor: Actor, numbers: Tx[int], marks: Tx[int], state: SteadyState[list[int]]) -> None:
    """Send numbers one way, and behind each group a mark another way."""
    sent = state.acquire(lambda: [0])
    while actor.is_running() and sent[0] < TOTAL:
        numbers.send(sent[0])
        sent[0] += 1
        if sent[0] % GROUP == 1 and sent[0] > 1:
            marks.send(sent[0])


def pair_up(actor: Actor, numbers: Rx[int], marks: Rx[int], state: SteadyState[list[int]]) -> None:
    """Take a group, and in the same turn its mark."""
    seen: list[int] = state.acquire(list)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(GROUP)):
            seen += numbers.take_slice(GROUP)
            if not marks.is_closed_and_empty():
                marks.take()
        else:
            seen += numbers.take_slice(GROUP)
            marks.try_take()


def by_a_relay(graph: Graph, _: None = None) -> None:
    """The head goes by way of another actor, the items do not, and are waited for behind it."""
    heads, relayed = graph.channel(4, name="heads")
    going, coming = graph.channel(4, name="relayed")
    items, taken = graph.channel(GROUP, name="items")
    graph.actor("split", split, heads, items, graph.state())
    graph.actor("relay", forward, relayed, going)
    graph.actor("join", join, coming, taken, graph.state())


def by_back_pressure(graph: Graph, _: None = None) -> None:
    """The items go by way of another actor, which the one that waits for the head holds up."""
    heads, coming = graph.channel(4, name="heads")
    items, relayed = graph.channel(4, name="items")
    going, taken = graph.channel(4, name="relayed")
    graph.actor("split", split, heads, items, graph.state())
    graph.actor("relay", forward, relayed, going)
    graph.actor("join", join, coming, taken, graph.state())


def by_room(graph: Graph, _: None = None) -> None:
    """The mark comes once there is room for a number, which is held back by who waits for the mark."""
    numbers, taken = graph.channel(GROUP, name="numbers")
    marks, relayed = graph.channel(4, name="marks")
    going, coming = graph.channel(4, name="relayed")
    graph.actor("early", early, numbers, marks, graph.state())
    graph.actor("relay", forward, relayed, going)
    graph.actor("join", pair_up, taken, coming, graph.state())


@pytest.mark.parametrize("build", [by_a_relay, by_back_pressure, by_room])
@pytest.mark.parametrize("seed", range(6))
def test_nobody_waits_for_ever_for_what_a_turn_keeps_back(build: Callable[..., Any], seed: int) -> None:
    outcome = simulate(build, None, seed=seed, crashes=seed % 3, shrink=False)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.states["join"] == list(range(TOTAL))
