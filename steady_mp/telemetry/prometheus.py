"""The run in Prometheus's text format.

First the names of steady_state, which dashboards and parsers exist for; then the same and more under
names that follow Prometheus's conventions. Everything is read from the run at the moment of the
scrape, so a restart of an actor, or of telemetry, adds no series and lets no counter fall. Channels
between the same two actors are one series: counters and messages add up, of shares the greatest holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from steady_mp.monitors import Metric as Measured
from steady_mp.telemetry.dot import clean
from steady_mp.telemetry.meters import CORE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from steady_mp.memory.status import ActorStatus, RunStatus
    from steady_mp.monitors import AlertColor
    from steady_mp.telemetry.board import Board
    from steady_mp.telemetry.meters import ActorMeter, ChannelMeter
    from steady_mp.telemetry.sampler import ActorSample, ChannelSample

_NAN: Final = float("nan")
_BASIS_POINTS: Final = "8000"
_STATES: Final = ("idle", "blocked", "stuck", "stopped", "finished", "given up")
_ACTOR: Final = ["graph", "actor"]
_CHANNEL: Final = ["graph", "from", "to"]


def expose(board: Board) -> bytes:
    """Return everything about the run, as of its last sample."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(RunCollector(board))
    return generate_latest(registry)


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


class RunCollector(Collector):
    """Collects one run; see the module."""

    def __init__(self, board: Board) -> None:
        """Collect what `board` shows."""
        self._board = board
        self._graph = clean(board.plan.graph)
        self._names = [clean(actor.name) for actor in board.plan.actors]

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        board, sample = self._board, self._board.sample
        if sample is None:
            return
        pairs = self._pairs(sample.status)
        actors = list(zip(self._names, board.actors, sample.actors, sample.status.actors, strict=True))
        yield from self._reference(actors, pairs)
        yield from self._run(sample.status)
        yield from self._actors(actors)
        yield from self._channels(pairs)

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

    @staticmethod
    def _reference(
        actors: list[tuple[str, ActorMeter, ActorSample, ActorStatus]], pairs: list[_Pair]
    ) -> Iterator[Metric]:
        load = GaugeMetricFamily(
            "avg_load", "Percent of the window in which the actor did not wait.", labels=["actor_name"]
        )
        mcpu = GaugeMetricFamily(
            "avg_mCPU", "Processor time of the actor over the window, in 1024ths of a core.", labels=["actor_name"]
        )
        for name, meter, _, _ in actors:
            load.add_metric([name], round(meter.windows[Measured.LOAD].average() or 0.0))
            mcpu.add_metric([name], round(meter.windows[Measured.MCPU].average() or 0.0))
        yield load
        yield mcpu
        ends = ["from", "to"]
        inflight = GaugeMetricFamily("inflight", "Messages sent and not yet taken.", labels=ends)
        sent = CounterMetricFamily("send_total", "Messages sent.", labels=ends)
        taken = CounterMetricFamily("take_total", "Messages taken.", labels=ends)
        filled = GaugeMetricFamily(
            "percentile_filled",
            "Percentile p (basis points) of the fill over the window, in percent.",
            labels=[*ends, "p"],
        )
        for pair in pairs:
            way = [pair.start, pair.goal]
            inflight.add_metric(way, pair.total(lambda now: now.in_flight))
            sent.add_metric(way, pair.total(lambda now: now.sent))
            taken.add_metric(way, pair.total(lambda now: now.taken))
            filled.add_metric(
                [*way, _BASIS_POINTS], round(pair.most(lambda m: m.windows[Measured.FILLED].percentile(80)))
            )
        yield from (inflight, sent, taken, filled)

    def _run(self, status: RunStatus) -> Iterator[Metric]:
        board = self._board
        sample = board.sample
        if sample is None:
            return
        graph = [self._graph]

        def gauge(name: str, text: str, value: float) -> Metric:
            family = GaugeMetricFamily(f"steady_{name}", text, labels=["graph"])
            family.add_metric(graph, value)
            return family

        yield gauge("up", "1 while the supervisor of the graph lives.", sample.supervised)
        yield gauge("ready", "1 while every actor works and the graph takes messages.", not board.not_ready())
        yield gauge("draining", "1 while the graph drains.", status.phase == "draining")
        yield gauge("start_time_seconds", "When the run started, in seconds since 1970.", status.started)
        yield gauge("sample_time_seconds", "When the figures were read, in seconds since 1970.", sample.wall)
        yield gauge("window_seconds", "The window of averages and percentiles.", board.plan.window)
        yield gauge("directory_bytes", "Size of the run directory.", sample.directory_bytes)
        restarts = CounterMetricFamily(
            "steady_telemetry_restarts", "Times that telemetry itself was restarted.", labels=["graph"]
        )
        restarts.add_metric(graph, status.telemetry_restarts)
        letters = CounterMetricFamily(
            "steady_dead_letters", "Messages that were put aside undelivered.", labels=["graph"]
        )
        letters.add_metric(graph, 0)  # nothing is ever put aside yet; the name is kept for when it is
        yield from (restarts, letters)

    def _actors(self, actors: list[tuple[str, ActorMeter, ActorSample, ActorStatus]]) -> Iterator[Metric]:
        graph = self._graph

        def family(
            kind: type[GaugeMetricFamily | CounterMetricFamily],
            name: str,
            text: str,
            read: Callable[[ActorMeter, ActorSample, ActorStatus], float],
        ) -> Metric:
            made = kind(f"steady_actor_{name}", text, labels=_ACTOR)
            for actor, meter, seen, status in actors:
                made.add_metric([graph, actor], read(meter, seen, status))
            return made

        gauge, counter = GaugeMetricFamily, CounterMetricFamily
        yield family(gauge, "up", "1 while the actor has a process.", lambda _m, seen, _s: seen.cpu is not None)
        for state in _STATES:
            name = state.replace(" ", "_")
            yield family(gauge, name, f"1 while the actor is {state}.", lambda m, _a, _s, state=state: m.state == state)  # type: ignore[misc]
        yield family(
            gauge,
            "load_ratio",
            "Share of the window in which the actor did not wait.",
            lambda m, _a, _s: (m.windows[Measured.LOAD].average() or 0.0) / 100,
        )
        yield family(
            gauge,
            "cpu_cores",
            "Processor time of the actor over the window, in cores.",
            lambda m, _a, _s: (m.windows[Measured.MCPU].average() or 0.0) / CORE,
        )
        yield family(
            gauge, "resident_memory_bytes", "Resident memory of the actor's process.", lambda _m, seen, _s: seen.rss
        )
        yield family(counter, "lives", "Lives that the actor has begun.", lambda _m, _a, status: status.generation)
        restarts = counter(
            "steady_actor_restarts",
            "Ends of a life that was not the last wanted one, by cause.",
            labels=[*_ACTOR, "cause"],
        )
        for actor, _, _, status in actors:
            for cause, count in status.causes.items():
                restarts.add_metric([graph, actor, cause], count)
        yield restarts
        yield family(counter, "turns", "Turns that were committed.", lambda _m, seen, _s: seen.turns)
        yield family(counter, "commits", "Commits.", lambda _m, seen, _s: seen.commits)
        yield family(
            counter, "waited_seconds", "Seconds in waits that are over.", lambda _m, seen, _s: seen.waited_before
        )
        yield family(
            counter, "snapshot_bytes", "Bytes of state written by commits.", lambda _m, seen, _s: seen.snapshot_bytes
        )
        yield family(
            counter, "snapshot_seconds", "Seconds spent on writing state.", lambda _m, seen, _s: seen.snapshot_seconds
        )
        yield family(
            counter,
            "received_messages",
            "Messages taken from all channels.",
            lambda m, _a, _s: self._moved(m, sends=False),
        )
        yield family(
            counter, "sent_messages", "Messages sent into all channels.", lambda m, _a, _s: self._moved(m, sends=True)
        )
        yield family(counter, "alerts", "Alerts raised.", lambda _m, _a, status: status.alerts_raised)
        color = gauge(
            "steady_actor_alert", "Colour of the worst alert: 0 none, 1 yellow, 2 orange, 3 red.", labels=_ACTOR
        )
        for actor, watcher in zip(self._names, self._board.actor_watchers, strict=True):
            color.add_metric([graph, actor], _rank([watcher.color]))
        yield color

    def _moved(self, meter: ActorMeter, *, sends: bool) -> int:
        seen = [self._board.channels[end.channel].now for end in meter.plan.ends if end.sends == sends]
        return sum((now.sent if sends else now.taken) for now in seen if now is not None)

    def _channels(self, pairs: list[_Pair]) -> Iterator[Metric]:
        graph = self._graph

        def family(
            kind: type[GaugeMetricFamily | CounterMetricFamily], name: str, text: str, read: Callable[[_Pair], float]
        ) -> Metric:
            made = kind(f"steady_channel_{name}", text, labels=_CHANNEL)
            for pair in pairs:
                made.add_metric([graph, pair.start, pair.goal], read(pair))
            return made

        gauge, counter = GaugeMetricFamily, CounterMetricFamily
        yield family(
            gauge,
            "capacity_messages",
            "Messages that the channel holds at most.",
            lambda p: sum(m.plan.capacity for m in p.meters),
        )
        yield family(
            gauge,
            "in_flight_messages",
            "Messages sent and not yet taken.",
            lambda p: p.total(lambda now: now.in_flight),
        )
        yield family(counter, "sent_messages", "Messages sent.", lambda p: p.total(lambda now: now.sent))
        yield family(counter, "taken_messages", "Messages taken.", lambda p: p.total(lambda now: now.taken))
        yield family(
            gauge,
            "filled_ratio",
            "Share of the capacity in use at the last sample.",
            lambda p: p.most(lambda m: m.windows[Measured.FILLED].last) / 100,
        )
        yield family(
            gauge,
            "filled_avg_ratio",
            "Share of the capacity in use, average of the window.",
            lambda p: p.most(lambda m: m.windows[Measured.FILLED].average()) / 100,
        )
        yield family(
            gauge,
            "filled_p80_ratio",
            "Share of the capacity in use, 80th percentile of the window.",
            lambda p: p.most(lambda m: m.windows[Measured.FILLED].percentile(80)) / 100,
        )
        yield family(
            gauge,
            "latency_avg_seconds",
            "Time that a message waits, estimated by Little's law; NaN while nobody takes.",
            lambda p: p.most(lambda m: m.windows[Measured.LATENCY].average()),
        )
        yield family(
            gauge,
            "latency_p80_seconds",
            "The same, 80th percentile of the window.",
            lambda p: p.most(lambda m: m.windows[Measured.LATENCY].percentile(80)),
        )
        yield family(
            gauge,
            "oldest_message_age_seconds",
            "Age of the oldest message in flight; 0 when there is none.",
            lambda p: p.most(lambda m: m.oldest_age or 0.0),
        )
        yield family(gauge, "in_flight_bytes", "Bytes in the ring.", lambda p: p.total(lambda now: now.bytes))
        yield family(gauge, "capacity_bytes", "Bytes of the ring.", lambda p: sum(m.plan.ring_bytes for m in p.meters))
        yield family(
            counter,
            "blocked_seconds",
            "Seconds that the producer waited for room, in waits that are over.",
            lambda p: p.total(lambda now: now.blocked_seconds),
        )
        yield family(counter, "alerts", "Alerts raised.", lambda p: p.alerts)
        yield family(
            gauge, "alert", "Colour of the worst alert: 0 none, 1 yellow, 2 orange, 3 red.", lambda p: _rank(p.colors)
        )


def _rank(colors: Iterable[AlertColor | None]) -> int:
    return max((color.rank for color in colors if color is not None), default=0)
