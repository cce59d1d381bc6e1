"""Sizes: what more actors in a row, more channels of an actor, and a larger capacity cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from benchmarks import machine
from benchmarks.experiments.throughput import consume, plain, produce, sum_up_to
from benchmarks.figures import NANOSECONDS, Unit
from benchmarks.race import Race, Series
from benchmarks.standings import Question, Sample
from benchmarks.stream import SteadyStream
from benchmarks.turns import Shape, costs
from steady_mp import Actor, Graph, Rx, Tx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.experiment import Effort, Experiment

_CAPACITY: Final = 1024
_ACTORS: Final = (2, 4, 6, 8)
_CHANNELS: Final = (1, 4, 16, 64)
_CAPACITIES: Final = (16, 256, 4096, 65536)
_TAKE: Final = "the taker's"
#: So many bytes are written between two batches: all of them walk twice through the ring of the largest capacity.
_STRIDE: Final = 20 << 10
_WALKED: Final = (
    "each round walks twice through its ring of 4 MiB, and more often through those of 1 MiB of the others; "
    "few messages are in it at a time"
)
_HOPS: Final = Unit(kept="messages/s", shown="k hops/s a core", factor=1e-3, more_is_better=True, digits=0)


def relay(actor: Actor, rx: Rx[Any], tx: Tx[Any]) -> None:
    """Hand on what comes, one a turn."""
    while actor.is_running():
        tx.send(rx.take())


class _Chain(SteadyStream):
    """Some actors in a row, each a hop from the next."""

    def __init__(self, actors: int) -> None:
        # A hop is done by as many cores as there are, or as actors.
        super().__init__(plain(_CAPACITY), sum_up_to, weight=(actors - 1) / min(actors, machine.cores()))
        self.name = f"{actors} actors"
        self.note = ""
        self._actors = actors

    def graph(self, count: int) -> Graph:
        """See `SteadyStream.graph`."""
        graph = Graph("bench", log_level="warning")
        tx, rx = graph.channel(capacity=_CAPACITY)
        graph.actor("producer", produce, tx, graph.state(), count)
        for number in range(1, self._actors - 1):
            further_tx, further_rx = graph.channel(capacity=_CAPACITY)
            graph.actor(f"relay {number}", relay, rx, further_tx)
            rx = further_rx
        graph.actor("consumer", consume, rx, graph.state())
        return graph


def _turns(name: str, title: str, shapes: Mapping[str, Shape], notes: Mapping[str, str] | None = None) -> Series:
    def measure(effort: Effort) -> dict[str, Sample]:
        found = costs(list(shapes.values()), effort)
        return {row: Sample(cost.send, {_TAKE: cost.take}) for row, cost in zip(shapes, found, strict=True)}

    question = Question(
        name=name,
        title=f"a turn that sends one int and commits; {title}",
        unit=NANOSECONDS,
        baseline=next(iter(shapes)),
        extras={_TAKE: NANOSECONDS},
        ranked=False,
        paired=True,
    )
    return Series(question, {row: (notes or {}).get(row, "") for row in shapes}, measure)


def _counted(channels: int) -> str:
    return f"{channels} channel" if channels == 1 else f"{channels} channels"


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    chains = Question(
        name="size-actors",
        title=f"ints one at a time through actors in a row, capacity {_CAPACITY:,}",
        unit=_HOPS,
        baseline=f"{_ACTORS[0]} actors",
        ranked=False,
    )
    return [
        Race(chains, [_Chain(actors) for actors in _ACTORS]),
        _turns(
            "size-channels",
            "the actor has more channels, which stand idle",
            {_counted(channels): Shape(channels=channels) for channels in _CHANNELS},
        ),
        _turns(
            "size-capacity",
            "of channels that hold more",
            {f"capacity {capacity:,}": Shape(capacity=capacity, stride=_STRIDE) for capacity in _CAPACITIES},
            {f"capacity {_CAPACITIES[-1]:,}": _WALKED},
        ),
    ]
