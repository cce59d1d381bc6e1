"""The run in Prometheus's text format.

First the names of steady_state, which dashboards and parsers exist for; then the same and more under
names that follow Prometheus's conventions. Everything is read from the run at the moment of the
scrape, so a restart of an actor, or of telemetry, adds no series and lets no counter fall. Channels
between the same two actors are one series: counters and messages add up, of shares the greatest holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from steady_mp.monitors import Metric as Measured
from steady_mp.telemetry.dot import clean
from steady_mp.telemetry.meters import CORE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from steady_mp.memory.status import ActorStatus, RunStatus
    from steady_mp.monitors import AlertColor
    from steady_mp.telemetry.board import Board
    from steady_mp.telemetry.meters import ActorMeter, ChannelMeter
    from steady_mp.telemetry.sampler import ActorSample, ChannelSample, Sample

_NAN: Final = float("nan")
_BASIS_POINTS: Final = "8000"
_PERCENT: Final = 100
_STATES: Final = ("idle", "blocked", "stuck", "stopped", "finished", "given up")
_GAUGE: Final = GaugeMetricFamily
_COUNTER: Final = CounterMetricFamily
_COLORS: Final = "Colour of the worst alert: 0 none, 1 yellow, 2 orange, 3 red."


class Exposition:
    """What prometheus-client would write, in half the time: a series keeps its name and labels, written once.

    The library checks and escapes every label of every series at every scrape. There is no end of
    series here that could make the memory of them grow: all are there from the first scrape.
    """

    def __init__(self, board: Board) -> None:
        """Expose `board`, now and later."""
        self._collector = RunCollector(board)
        self._series: dict[tuple[str, ...], str] = {}

    def text(self) -> bytes:
        """Return everything about the run, as of its last sample."""
        lines = []
        series = self._series
        for family in self._collector.collect():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            lines.append(f"# HELP {name} {family.documentation}\n# TYPE {name} {family.type}\n")
            for sample in family.samples:
                key = (sample.name, *sample.labels.values())
                start = series.get(key)
                if start is None:
                    start = series[key] = _series(sample.name, sample.labels)
                value = floatToGoString(sample.value)  # type: ignore[no-untyped-call]  # it has no types
                lines.append(f"{start} {value}\n")
        return "".join(lines).encode()


def _series(name: str, labels: dict[str, str]) -> str:
    escaped = {
        label: value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"') for label, value in labels.items()
    }
    return name + "{" + ",".join(f'{label}="{value}"' for label, value in sorted(escaped.items())) + "}"


@dataclass(frozen=True, slots=True)
class _Actor:
    """One actor, with all that is known of it."""

    name: str
    meter: ActorMeter
    seen: ActorSample
    status: ActorStatus
    received: int
    sent: int
    color: AlertColor | None

    def average(self, metric: Measured) -> float:
        return self.meter.windows[metric].average() or 0.0


class _Pair:
    """The channels from one actor to another: they share a series."""

    def __init__(self, start: str, goal: str) -> None:
        self.start = start
        self.goal = goal
        self.meters: list[ChannelMeter] = []
        self.colors: list[AlertColor | None] = []
        self.alerts = 0

    def total(self, read: Callable[[ChannelSample], float]) -> float:
        return sum(read(meter.now) for meter in self.meters if meter.now is not None)

    def most(self, read: Callable[[ChannelMeter], float | None]) -> float:
        return max((value for meter in self.meters if (value := read(meter)) is not None), default=_NAN)


@dataclass(frozen=True, slots=True)
class _Figure:
    """One metric: its name without prefix and suffix, its help, and how it is read off an actor or a pair."""

    kind: type[GaugeMetricFamily | CounterMetricFamily]
    name: str
    text: str
    read: Callable[[Any], float]


def _state_figure(state: str) -> _Figure:
    name = state.replace(" ", "_")
    return _Figure(_GAUGE, name, f"1 while the actor is {state}.", lambda actor: actor.meter.state == state)


def _rank(colors: Iterable[AlertColor | None]) -> int:
    return max((color.rank for color in colors if color is not None), default=0)


_ACTOR_FIGURES: Final = (
    _Figure(_GAUGE, "up", "1 while the actor has a process.", lambda a: a.seen.lives),
    *map(_state_figure, _STATES),
    _Figure(
        _GAUGE,
        "load_ratio",
        "Share of the window in which the actor did not wait.",
        lambda a: a.average(Measured.LOAD) / _PERCENT,
    ),
    _Figure(
        _GAUGE,
        "cpu_cores",
        "Processor time of the actor over the window, in cores.",
        lambda a: a.average(Measured.MCPU) / CORE,
    ),
    _Figure(_GAUGE, "resident_memory_bytes", "Resident memory of the actor's process.", lambda a: a.seen.rss or 0),
    _Figure(_COUNTER, "lives", "Lives that the actor has begun.", lambda a: a.status.generation),
    _Figure(_COUNTER, "freezes", "Times that chaos has stopped the actor for a moment.", lambda a: a.status.freezes),
    _Figure(_COUNTER, "turns", "Turns that were committed.", lambda a: a.seen.turns),
    _Figure(_COUNTER, "commits", "Commits.", lambda a: a.seen.commits),
    _Figure(_COUNTER, "waited_seconds", "Seconds waited, added up at least every 5 s.", lambda a: a.seen.waited_before),
    _Figure(_COUNTER, "snapshot_bytes", "Bytes of state written by commits.", lambda a: a.seen.snapshot_bytes),
    _Figure(_COUNTER, "snapshot_seconds", "Seconds spent on writing state.", lambda a: a.seen.snapshot_seconds),
    _Figure(_COUNTER, "received_messages", "Messages taken from all channels.", lambda a: a.received),
    _Figure(_COUNTER, "sent_messages", "Messages sent into all channels.", lambda a: a.sent),
    _Figure(_COUNTER, "alerts", "Alerts raised.", lambda a: a.status.alerts_raised),
    _Figure(_GAUGE, "alert", _COLORS, lambda a: _rank([a.color])),
)

_CHANNEL_FIGURES: Final = (
    _Figure(
        _GAUGE,
        "capacity_messages",
        "Messages that the channel holds at most.",
        lambda p: sum(m.plan.capacity for m in p.meters),
    ),
    _Figure(
        _GAUGE, "in_flight_messages", "Messages sent and not yet taken.", lambda p: p.total(lambda now: now.in_flight)
    ),
    _Figure(_COUNTER, "sent_messages", "Messages sent.", lambda p: p.total(lambda now: now.sent)),
    _Figure(_COUNTER, "taken_messages", "Messages taken.", lambda p: p.total(lambda now: now.taken)),
    _Figure(
        _GAUGE,
        "filled_ratio",
        "Share of the capacity in use at the last sample.",
        lambda p: p.most(lambda m: m.windows[Measured.FILLED].last) / _PERCENT,
    ),
    _Figure(
        _GAUGE,
        "filled_avg_ratio",
        "Share of the capacity in use, average of the window.",
        lambda p: p.most(lambda m: m.windows[Measured.FILLED].average()) / _PERCENT,
    ),
    _Figure(
        _GAUGE,
        "filled_p80_ratio",
        "Share of the capacity in use, 80th percentile of the window.",
        lambda p: p.most(lambda m: m.windows[Measured.FILLED].percentile(80)) / _PERCENT,
    ),
    _Figure(
        _GAUGE,
        "latency_avg_seconds",
        "Time that a message waits, estimated by Little's law; NaN while nobody takes.",
        lambda p: p.most(lambda m: m.windows[Measured.LATENCY].average()),
    ),
    _Figure(
        _GAUGE,
        "latency_p80_seconds",
        "The same, 80th percentile of the window.",
        lambda p: p.most(lambda m: m.windows[Measured.LATENCY].percentile(80)),
    ),
    _Figure(
        _GAUGE,
        "oldest_message_age_seconds",
        "Age of the oldest message in flight; 0 when there is none.",
        lambda p: p.most(lambda m: m.oldest_age or 0.0),
    ),
    _Figure(_GAUGE, "in_flight_bytes", "Bytes in the ring.", lambda p: p.total(lambda now: now.bytes)),
    _Figure(_GAUGE, "capacity_bytes", "Bytes of the ring.", lambda p: sum(m.plan.ring_bytes for m in p.meters)),
    _Figure(
        _COUNTER,
        "blocked_seconds",
        "Seconds that the producer waited for room, added up at least every 5 s.",
        lambda p: p.total(lambda now: now.blocked_seconds),
    ),
    _Figure(_COUNTER, "alerts", "Alerts raised.", lambda p: p.alerts),
    _Figure(_GAUGE, "alert", _COLORS, lambda p: _rank(p.colors)),
)


class RunCollector(Collector):
    """Collects one run; see the module."""

    def __init__(self, board: Board) -> None:
        """Collect what `board` shows."""
        self._board = board
        self._graph = clean(board.plan.graph)
        self._names = [clean(actor.name) for actor in board.plan.actors]

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        sample = self._board.sample
        if sample is None:
            return
        actors, pairs = self._actors(sample), self._pairs(sample.status)
        yield from _reference_actors(actors)
        yield from _reference_channels(pairs)
        yield from self._run(sample)
        yield self._restarts(actors)
        for figure in _ACTOR_FIGURES:
            family = figure.kind(f"steady_actor_{figure.name}", figure.text, labels=["graph", "actor"])
            for actor in actors:
                family.add_metric([self._graph, actor.name], figure.read(actor))
            yield family
        for figure in _CHANNEL_FIGURES:
            family = figure.kind(f"steady_channel_{figure.name}", figure.text, labels=["graph", "from", "to"])
            for pair in pairs:
                family.add_metric([self._graph, pair.start, pair.goal], figure.read(pair))
            yield family

    def _actors(self, sample: Sample) -> list[_Actor]:
        board, channels = self._board, sample.channels
        return [
            _Actor(
                name=name,
                meter=board.actors[index],
                seen=sample.actors[index],
                status=sample.status.actors[index],
                received=sum(channels[end.channel].taken for end in board.plan.actors[index].ends if not end.sends),
                sent=sum(channels[end.channel].sent for end in board.plan.actors[index].ends if end.sends),
                color=board.actor_watchers[index].color,
            )
            for index, name in enumerate(self._names)
        ]

    def _pairs(self, status: RunStatus) -> list[_Pair]:
        pairs: dict[tuple[int, int], _Pair] = {}
        board = self._board
        for index, meter in enumerate(board.channels):
            ends = (meter.plan.producer, meter.plan.consumer)
            pair = pairs.setdefault(ends, _Pair(self._names[ends[0]], self._names[ends[1]]))
            pair.meters.append(meter)
            pair.colors.append(board.channel_watchers[index].color)
            pair.alerts += status.channel_alerts[index]
        return list(pairs.values())

    def _run(self, sample: Sample) -> Iterator[Metric]:
        status = sample.status
        figures = (
            (_GAUGE, "up", "1 while the supervisor of the graph lives.", sample.supervised),
            (_GAUGE, "ready", "1 while every actor works and the graph takes messages.", not self._board.not_ready()),
            (_GAUGE, "deadlocks", "Cycles in which every actor waits for room.", len(self._board.deadlocks)),
            (_GAUGE, "draining", "1 while the graph drains.", status.phase == "draining"),
            (_GAUGE, "start_time_seconds", "When the run started, in seconds since 1970.", status.started),
            (_GAUGE, "sample_time_seconds", "When the figures were read, in seconds since 1970.", sample.wall),
            (_GAUGE, "window_seconds", "The window of averages and percentiles.", self._board.plan.window),
            (_GAUGE, "directory_bytes", "Size of the run directory.", sample.directory_bytes),
            (_COUNTER, "telemetry_restarts", "Times that telemetry was restarted.", status.telemetry_restarts),
            (_COUNTER, "dead_letters", "Messages that were put aside undelivered.", status.dead_letters),
        )
        for kind, name, text, value in figures:
            family = kind(f"steady_{name}", text, labels=["graph"])
            family.add_metric([self._graph], value)
            yield family

    def _restarts(self, actors: list[_Actor]) -> Metric:
        text = "Ends of lives before the actor had finished, by cause."
        family = _COUNTER("steady_actor_restarts", text, labels=["graph", "actor", "cause"])
        for actor in actors:
            for cause, count in actor.status.causes.items():
                family.add_metric([self._graph, actor.name, cause], count)
        return family


def _reference_actors(actors: list[_Actor]) -> Iterator[Metric]:
    for name, text, metric in (
        ("avg_load", "Percent of the window in which the actor did not wait.", Measured.LOAD),
        ("avg_mCPU", "Processor time of the actor over the window, in 1024ths of a core.", Measured.MCPU),
    ):
        family = _GAUGE(name, text, labels=["actor_name"])
        for actor in actors:
            family.add_metric([actor.name], round(actor.average(metric)))
        yield family


def _reference_channels(pairs: list[_Pair]) -> Iterator[Metric]:
    ends = ["from", "to"]
    inflight = _GAUGE("inflight", "Messages sent and not yet taken.", labels=ends)
    sent = _COUNTER("send", "Messages sent.", labels=ends)
    taken = _COUNTER("take", "Messages taken.", labels=ends)
    text = "Percentile p (basis points) of the fill over the window, in percent."
    filled = _GAUGE("percentile_filled", text, labels=[*ends, "p"])
    for pair in pairs:
        way = [pair.start, pair.goal]
        inflight.add_metric(way, pair.total(lambda now: now.in_flight))
        sent.add_metric(way, pair.total(lambda now: now.sent))
        taken.add_metric(way, pair.total(lambda now: now.taken))
        filled.add_metric([*way, _BASIS_POINTS], round(pair.most(lambda m: m.windows[Measured.FILLED].percentile(80))))
    yield from (inflight, sent, taken, filled)
