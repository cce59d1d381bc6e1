"""The topology of the performant example, and nothing else.

heartbeat ──beats──▶ worker ══results══▶ logger
generator ═numbers═▶
"""

from dataclasses import dataclass, field

from actors import heartbeat
from actors.performant import generator, logger, worker
from actors.performant.codes import CODES, NUMBERS
from actors.pipeline import ALERTS
from steady_mp import Graph


@dataclass(frozen=True, kw_only=True)
class Args:
    """What the pipeline takes; each field is an option of `steady-mp run`."""

    rate: int = field(default=100, metadata={"help": "Milliseconds from one beat to the next.", "gt": 0})
    beats: int = field(default=50, metadata={"help": "Beats until the pipeline stops itself.", "gt": 0})
    capacity: int = field(default=1 << 20, metadata={"help": "Items that each of the two lanes holds.", "gt": 0})


def build_graph(graph: Graph, args: Args) -> None:
    """Declare a channel, two lanes and four actors."""
    beats_tx, beats_rx = graph.channel(alerts=ALERTS)
    numbers_tx, numbers_rx = graph.channel(args.capacity, dtype=NUMBERS, alerts=ALERTS)
    results_tx, results_rx = graph.channel(args.capacity, dtype=CODES, alerts=ALERTS)

    graph.actor("heartbeat", heartbeat.run, beats_tx, args.rate / 1000, args.beats, graph.state())
    graph.actor("generator", generator.run, numbers_tx, graph.state())
    graph.actor("worker", worker.run, beats_rx, numbers_rx, results_tx, graph.state())
    graph.actor("logger", logger.run, results_rx, graph.state())
