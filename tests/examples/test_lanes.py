"""What docs/channels.md shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from steady_mp.testing import Bench, GraphUnderTest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steady_mp import Actor, Graph, LaneRx, LaneTx, SteadyState


def sample(actor: Actor, readings: LaneTx[float], total: int) -> None:
    """Send a list a turn."""
    while actor.is_running() and readings.position() < total:
        if actor.await_for_all(readings.wait_vacant(4)):
            first = readings.position()
            readings.send_slice([number / 2 for number in range(first, first + 4)])


def scale(actor: Actor, readings: LaneRx[float], scaled: LaneTx[float]) -> None:
    """Work where the numbers stand: out of one ring, into the other."""
    while actor.is_running():
        actor.await_for_all(readings.wait_avail(1), scaled.wait_vacant(1))
        for view in readings.peek_slice(scaled.vacant()):
            first = 0
            for room in scaled.poke_slice(len(view)):
                last = first + len(room)
                double(readings.as_array(view[first:last]), scaled.as_array(room))
                first = last
            scaled.advance_send(first)
            readings.advance_take(first)


def double(numbers: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Arrays of views live in functions like this one, and are gone when the turn ends."""
    np.multiply(numbers, 2.0, out=out)


def test_numbers_are_scaled_on_their_way() -> None:
    bench = Bench()
    readings, scaled = bench.input(7, dtype="d"), bench.output(7, dtype="d")
    bench.actor(scale, readings.end, scaled.end)
    for first in range(0, 50, 5):
        readings.send_all([first + 0.5 * number for number in range(5)])
        bench.run()
        scaled.assert_all([2 * first + number for number in range(5)])


def test_a_list_a_turn() -> None:
    bench = Bench()
    readings = bench.output(8, dtype="d")
    bench.actor(sample, readings.end, 12)
    bench.run()
    assert readings.take_all() == [number / 2 for number in range(8)]
    bench.run()
    assert readings.take_all() == [number / 2 for number in range(8, 12)]


@dataclass
class Sums:
    """What the windows have come to."""

    values: list[int] = field(default_factory=list)


def tick(actor: Actor, ticks: LaneTx[int], total: int) -> None:
    """Send 0, 1, 2 and so on."""
    while actor.is_running() and ticks.position() < total:
        if actor.await_for_all(ticks.wait_vacant(1)):
            ticks.send(ticks.position())


def windows(actor: Actor, ticks: LaneRx[int], state: SteadyState[Sums]) -> None:
    """Add up three at a time."""
    sums = state.acquire(Sums)
    while actor.is_running():
        if actor.await_for_all(ticks.wait_avail(3)):
            (window,) = ticks.peek_slice(3)
            sums.values.append(sum(window))
            ticks.advance_take(3)


def build_mirrored(graph: Graph) -> None:
    """Windows of three over a lane of a capacity that three does not divide."""
    ticks_tx, ticks_rx = graph.channel(1000, dtype="q", mirror=True)
    graph.actor("ticker", tick, ticks_tx, 3000)
    graph.actor("windows", windows, ticks_rx, graph.state())


def test_a_window_is_one_view_wherever_it_begins() -> None:
    with GraphUnderTest(build_mirrored) as graph:
        report = graph.finish()
    assert report.actors[1].state["values"] == [9 * number + 3 for number in range(1000)]
