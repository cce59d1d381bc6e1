"""A target of one actor without any channel, and a check that knows one right answer only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steady_mp import Actor, Graph, Report, SteadyState

RIGHT = 1000


@dataclass
class Count:
    value: int = 0


@dataclass(frozen=True, kw_only=True)
class Args:
    total: int = field(default=RIGHT, metadata={"ge": 0})
    stays: bool = False


def count(actor: Actor, total: int, stays: bool, state: SteadyState[Count]) -> None:  # noqa: FBT001 - an argument as any
    """Count, a commit for each number, without ever sleeping; then leave, or never agree to."""
    so_far = state.acquire(Count)
    while actor.is_running() and so_far.value < total:
        so_far.value += 1
        actor.commit()
    while stays and actor.is_running(veto=lambda: "it stays"):
        actor.await_for_all(actor.wait_timeout(60.0))


def build_graph(graph: Graph, args: Args) -> None:
    graph.actor("alone", count, args.total, args.stays, graph.state())


def check_report(report: Report) -> list[str]:
    found = (report.actors[0].state or {"value": 0})["value"]
    return [] if found == RIGHT else [f"alone has counted to {found} and not to {RIGHT}"]
