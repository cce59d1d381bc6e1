"""Scripted answers of ``/api/state``: what the page is shown when no run stands behind it."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

State = dict[str, Any]

REFRESH = 0.2


def actor(name: str, **facts: Any) -> State:
    """Return an actor that runs well, changed by `facts`."""
    load = facts.get("load", 20.0)
    return {
        "name": name,
        "state": "running",
        "blocked_on": None,
        "generation": 1,
        "restarts": 0,
        "deaths": {},
        "load": load,
        "mcpu": load * 10.24,
        "rss": 21_400_000,
        "turns": 1_000,
        "commits": 1_000,
        "snapshot_bytes": 120,
        "snapshot_seconds": 0.01,
        "messages_in": 0,
        "messages_out": 0,
        "alert": None,
        "monitors": [],
        "history": {"load": [load] * 20, "mcpu": [load * 10.24] * 20},
    } | facts


def channel(source: str, sink: str, **facts: Any) -> State:
    """Return a channel in which messages flow, changed by `facts`; `fill` sets all that depends on the fill."""
    fill = facts.pop("fill", 5.0)
    return {
        "name": f"{source}→{sink}",
        "from": source,
        "to": sink,
        "capacity": 64,
        "in_flight": round(fill * 0.64),
        "sent": 1_000,
        "taken": 1_000 - round(fill * 0.64),
        "filled": {"now": fill, "avg": fill, "p80": fill, "max": fill},
        "rate": 100.0,
        "latency": {"avg": 0.0012, "p80": 0.002},
        "bytes": 320,
        "ring_bytes": 1 << 20,
        "blocked_seconds": 0.0,
        "oldest_age": 0.001,
        "alert": None,
        "monitors": [],
        "history": {"filled": [fill] * 20, "rate": [100.0] * 20},
    } | facts


def event(kind: str, text: str, *, level: str = "info", who: str | None = None, at: float | None = None) -> State:
    """Return one event."""
    return {"time": time.time() if at is None else at, "kind": kind, "level": level, "text": text, "actor": who}


def graph(actors: list[State], channels: list[State], **facts: Any) -> State:
    """Return a whole answer: live, and sampled now."""
    now = time.time()
    return {
        "graph": "pipeline",
        "as_of": now,
        "age": 0.0,
        "live": True,
        "phase": "running",
        "started": now - 125,
        "uptime": 125.0,
        "window": 10.0,
        "refresh": REFRESH,
        "run": {"id": "pipeline-4242", "pid": 4242, "version": "0.1.0", "directory_bytes": 3_400_000},
        "summary": "",
        "ready": True,
        "not_ready": [],
        "actors": actors,
        "channels": channels,
        "alerts": [],
        "events": [],
    } | facts


@dataclass
class Pipeline:
    """The example: four actors, three channels. Every answer is one step further."""

    steps: int = 0
    full: bool = False
    deaths: list[State] = field(default_factory=list)

    def die(self, cause: str = "SIGKILL") -> None:
        """Kill the worker."""
        text = f"worker died in life {len(self.deaths) + 1} ({cause}); the next one goes on from commit {self.steps}"
        self.deaths.append(event("ActorDied", text, level="warning", who="worker"))

    def __call__(self) -> State:
        self.steps += 1
        n = self.steps
        wave = [20 + 8 * ((i * 7) % 5) for i in range(n, n + 60)]
        dead = len(self.deaths)
        numbers = channel("generator", "worker", sent=50 * n + 64, taken=50 * n, rate=50.0 + n % 5)
        results = channel("worker", "logger", sent=50 * n, taken=50 * n, rate=50.0 + n % 3, fill=3.0 + n % 4)
        results["history"] = {"filled": [value / 4 for value in wave], "rate": wave}
        facts: State = {"events": [event("RunStarted", "pipeline starts with 4 actors", at=1000.0), *self.deaths]}
        if self.full:
            numbers |= channel("generator", "worker", fill=100.0, alert="red", blocked_seconds=0.97 * time.time())
            numbers["latency"] = {"avg": 1.28, "p80": 1.3}
            facts["summary"] = "generator→worker is full: worker is slower than generator"
            alert = {"subject": "generator→worker", "kind": "channel", "colour": "red"}
            facts["alerts"] = [alert | {"text": "average fill 100 % is above 90 %", "since": time.time() - 30}]
        worker = actor("worker", load=62.0, messages_in=51 * n, messages_out=50 * n, generation=1 + dead, restarts=dead)
        worker["deaths"] = {"SIGKILL": dead} if dead else {}
        worker["history"] = {"load": wave, "mcpu": wave}
        blocked = {"state": "blocked", "blocked_on": "generator→worker"} if self.full else {}
        return graph(
            [
                actor("heartbeat", state="idle", load=1.0, messages_out=n),
                actor("generator", load=9.0, messages_out=50 * n, **blocked),
                worker,
                actor("logger", load=14.0, messages_in=50 * n),
            ],
            [channel("heartbeat", "worker", rate=10.0, fill=0.0), numbers, results],
            **facts,
        )


HOSTILE = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "'quotes\" & new\nline",
    "🦄 emoji → ünïcode \u202eright to left",
]


def hostile() -> State:
    """Return a graph whose names try to be more than names."""
    chain = [channel(a, b, name=f"{b} {a}"[:64], fill=100.0, alert="red") for a, b in itertools.pairwise(HOSTILE)]
    return graph(
        [
            actor(name, state="blocked", blocked_on=name, restarts=1, deaths={name: 1}, alert="orange")
            for name in HOSTILE
        ],
        chain,
        graph=HOSTILE[0],
        summary=f"{HOSTILE[1]} is full",
        not_ready=[HOSTILE[1]],
        alerts=[{"subject": HOSTILE[0], "kind": "actor", "colour": "red", "text": HOSTILE[1], "since": 1000.0}],
        events=[event(HOSTILE[0], HOSTILE[1], level="error", who=HOSTILE[2])],
    )


def large(width: int = 6, depth: int = 6) -> State:
    """Return a graph of `width` times `depth` actors with edges that skip layers and one that goes back."""
    names = [[f"stage {row}.{column}" for column in range(width)] for row in range(depth)]
    edges = []
    for row in range(depth - 1):
        for column in range(width):
            edges.append(channel(names[row][column], names[row + 1][column]))
            edges.append(channel(names[row][column], names[row + 1][(column + 1) % width], fill=70.0, alert="orange"))
    edges.append(channel(names[0][0], names[4][5]))
    edges.append(channel(names[5][0], names[1][0]))
    return graph([actor(name) for row in names for name in row], edges, graph="large")
