"""The pipeline of `tests.support.pipeline` over views: each of its actors reads and writes where the messages stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.pipeline import MiddleState, SinkState, SourceState

if TYPE_CHECKING:
    from steady_mp import Actor, LaneRx, LaneTx, SteadyState


def source(actor: Actor, out: LaneTx[int], total: int, burst: int, state: SteadyState[SourceState]) -> None:
    """Write up to `burst` numbers a turn."""
    at = state.acquire(SourceState)
    while actor.is_running() and at.following < total:
        if actor.await_for_all(out.wait_vacant(1)):
            for view in out.poke_slice(min(burst, total - at.following)):
                for place in range(len(view)):
                    view[place] = at.following
                    at.following += 1
                out.advance_send(len(view))


def middle(actor: Actor, numbers: LaneRx[int], out: LaneTx[int], batch: int, state: SteadyState[MiddleState]) -> None:
    """Copy up to `batch` numbers a turn, from one ring into the other."""
    done = state.acquire(MiddleState)
    while actor.is_running():
        actor.await_for_all(numbers.wait_avail(1), out.wait_vacant(1))
        for view in numbers.peek_slice(min(batch, out.vacant())):
            for value in view:
                done.add(value)
            first = 0
            for room in out.poke_slice(len(view)):
                room[:] = view[first : first + len(room)]
                first += len(room)
            out.advance_send(first)
            numbers.advance_take(first)


def sink(actor: Actor, numbers: LaneRx[int], batch: int, state: SteadyState[SinkState]) -> None:
    """Take up to `batch` messages a turn."""
    arrived = state.acquire(SinkState)
    while actor.is_running():
        actor.await_for_all(numbers.wait_avail(1))
        for view in numbers.peek_slice(batch):
            arrived.seen += view.tolist()
            numbers.advance_take(len(view))
