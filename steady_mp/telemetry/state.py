"""The state of a run as plain data: what ``/api/state`` answers and `steady-mp top` shows (docs/telemetry.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steady_mp.monitors import UNITS, Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steady_mp.monitors import Monitor
    from steady_mp.telemetry.board import Board
    from steady_mp.telemetry.meters import ActorMeter, ChannelMeter
    from steady_mp.telemetry.sampler import Sample
    from steady_mp.telemetry.window import Window

_DIGITS = 6


def describe(board: Board) -> dict[str, Any]:
    """Return everything about the run as of the last sample."""
    sample = board.sample
    if sample is None:
        return {"graph": board.plan.graph, "as_of": 0.0, "actors": [], "channels": [], "alerts": [], "events": []}
    status = sample.status
    not_ready = board.not_ready()
    return {
        "graph": board.plan.graph,
        "as_of": round(sample.wall, 3),
        "phase": status.phase,
        "started": status.started,
        "uptime": round(sample.uptime, 3),
        "window": board.plan.window,
        "span": round(board.span, 3),
        "refresh": board.plan.refresh,
        "run": {
            "id": sample.run,
            "pid": status.pid,
            "version": status.version,
            "directory_bytes": sample.directory_bytes,
            "telemetry_restarts": status.telemetry_restarts,
        },
        "summary": board.summary(),
        "ready": not not_ready,
        "not_ready": not_ready,
        "actors": [_actor(board, sample, index) for index in range(len(board.actors))],
        "channels": [_channel(board, index) for index in range(len(board.channels))],
        "alerts": [
            {
                "subject": raised.subject,
                "kind": raised.kind,
                "colour": raised.alert.color.value,
                "text": raised.text,
                "since": round(raised.since, 3),
            }
            for raised in board.raised
        ],
        "events": sample.events,
    }


def _actor(board: Board, sample: Sample, index: int) -> dict[str, Any]:
    meter, seen, status = board.actors[index], sample.actors[index], sample.status.actors[index]
    ends = meter.plan.ends
    channels = sample.channels
    return {
        "name": meter.plan.name,
        "state": meter.state,
        "blocked_on": None if meter.blocked_on is None else board.plan.channels[meter.blocked_on].name,
        "generation": status.generation,
        "restarts": status.restarts,
        "deaths": status.deaths,
        "pid": status.pid,
        "load": _rounded(meter.windows[Metric.LOAD].average(), 1) or 0.0,
        "mcpu": None if seen.rss is None else _rounded(meter.windows[Metric.MCPU].average(), 1) or 0.0,
        "rss": seen.rss,
        "turns": seen.turns,
        "commits": seen.commits,
        "snapshot_bytes": seen.snapshot_bytes,
        "snapshot_seconds": round(seen.snapshot_seconds, _DIGITS),
        "messages_in": sum(channels[end.channel].taken for end in ends if not end.sends),
        "messages_out": sum(channels[end.channel].sent for end in ends if end.sends),
        "alert": board.actor_watchers[index].color,
        "monitors": _monitors(meter.plan.watching.monitors, meter),
        "history": {"load": meter.load_history.points(), "mcpu": meter.mcpu_history.points()},
    }


def _channel(board: Board, index: int) -> dict[str, Any]:
    meter = board.channels[index]
    plan, now = meter.plan, meter.now
    filled, latency = meter.windows[Metric.FILLED], meter.windows[Metric.LATENCY]
    estimate = {"avg": _rounded(latency.average()), "p80": _rounded(latency.percentile(80))} if len(latency) else None
    return {
        "name": plan.name,
        "from": board.plan.actors[plan.producer].name,
        "to": board.plan.actors[plan.consumer].name,
        "capacity": plan.capacity,
        "in_flight": now.in_flight if now else 0,
        "sent": now.sent if now else 0,
        "taken": now.taken if now else 0,
        "filled": {
            "now": _rounded(filled.last, 1) or 0.0,
            "avg": _rounded(filled.average(), 1) or 0.0,
            "p80": _rounded(filled.percentile(80), 1) or 0.0,
            "max": _rounded(filled.maximum(), 1) or 0.0,
        },
        "rate": round(meter.rate, 3),
        "latency": estimate,
        "bytes": now.bytes if now else 0,
        "ring_bytes": plan.ring_bytes,
        "blocked_seconds": round(now.blocked_seconds, 3) if now else 0.0,
        "oldest_age": _rounded(meter.oldest_age, 3),
        "alert": board.channel_watchers[index].color,
        "monitors": _monitors(plan.watching.monitors, meter),
        "history": {"filled": meter.filled_history.points(), "rate": meter.rate_history.points()},
    }


def _monitors(monitors: tuple[Monitor, ...], meter: ActorMeter | ChannelMeter) -> list[dict[str, Any]]:
    windows: Mapping[Metric, Window] = meter.windows
    return [
        {
            "label": str(monitor),
            "value": _rounded(windows[monitor.metric].statistic(monitor.statistic)),
            "unit": UNITS[monitor.metric],
        }
        for monitor in monitors
    ]


def _rounded(value: float | None, digits: int = _DIGITS) -> float | None:
    return None if value is None else round(value, digits)
