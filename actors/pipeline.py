"""The topology of the example, and nothing else.

heartbeat ──beats──▶ worker ──results──▶ logger
generator ─numbers─▶
"""

from dataclasses import dataclass, field

from actors import generator, heartbeat, logger, worker
from steady_mp import Alert, AlertColor, Filled, Graph, Trigger

CAPACITY = 64
ALERTS = [
    Alert(Trigger.avg_above(Filled.percent(60)), AlertColor.ORANGE),
    Alert(Trigger.avg_above(Filled.percent(90)), AlertColor.RED),
]


@dataclass(frozen=True, kw_only=True)
class Args:
    """What the pipeline takes; each field is an option of `steady-mp run`."""

    rate: int = field(default=1000, metadata={"help": "Milliseconds from one beat to the next.", "gt": 0})
    beats: int = field(default=120, metadata={"help": "Beats until the pipeline stops itself.", "gt": 0})


def build_graph(graph: Graph, args: Args) -> None:
    """Declare three channels and four actors."""
    beats_tx, beats_rx = graph.channel(capacity=CAPACITY, alerts=ALERTS)
    numbers_tx, numbers_rx = graph.channel(capacity=CAPACITY, alerts=ALERTS)
    results_tx, results_rx = graph.channel(capacity=CAPACITY, alerts=ALERTS)

    graph.actor("heartbeat", heartbeat.run, beats_tx, args.rate / 1000, args.beats, graph.state())
    graph.actor("generator", generator.run, numbers_tx, graph.state())
    graph.actor("worker", worker.run, beats_rx, numbers_rx, results_tx, graph.state())
    graph.actor("logger", logger.run, results_rx, graph.state())
