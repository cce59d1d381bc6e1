"""The recorder: a consumer of the run's events that keeps ``status.json`` and ``events.jsonl`` for every reader."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from steady_mp.events import (
    ActorDied,
    ActorFinished,
    ActorGivenUp,
    ActorRecycled,
    ActorReplayed,
    ActorStarted,
    AlertRaised,
    ChaosFroze,
    Event,
    ForkServerDied,
    MessagePutAside,
    RunStopped,
    ShutdownRefused,
    ShutdownRequested,
    TelemetryDied,
    TelemetryStarted,
)
from steady_mp.memory.files import replace
from steady_mp.memory.owner import Owner
from steady_mp.memory.status import EVENTS_FILE, ActorStatus, RunStatus, read_status, write_status
from steady_mp.supervisor.cause import shown
from steady_mp.supervisor.deaths import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steady_mp.plan import Plan

#: Events that are kept; twice as many lie in the file before the older half is dropped.
MOST_EVENTS: Final = 250
#: Different words for a death that are kept for one actor.
_MOST_DEATHS: Final = 16
_LONGEST: Final = 500
_OTHER: Final = "other"
_ALIVE: Final = {"starting", "running"}
_LOST: Final = "lost"


def first_status(plan: Plan, started: float) -> RunStatus:
    """Return the status of a run before its first event; it is allocated with all other files."""
    me = Owner.me()
    return RunStatus(
        graph=plan.graph,
        pid=me.pid,
        namespace=me.namespace,
        born=me.started,
        version=_version(),
        started=started,
        actors=[ActorStatus(name=actor.name) for actor in plan.actors],
        channel_alerts=[0] * len(plan.channels),
    )


class Recorder:
    """Writes down what the events say. Call it with each event, on one thread."""

    def __init__(
        self,
        directory: Path,
        plan: Plan,
        complain: Callable[[str], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Go on from the status that lies in `directory` since it was made (`first_status`).

        `complain` is called with a sentence when the disk begins to refuse.
        """
        self._directory = directory
        self._complain = complain
        self._wall = wall
        before = _lines_in(directory / EVENTS_FILE)
        whole = [line for line in before if line.endswith("\n")]
        self._lines: deque[str] = deque(whole, maxlen=MOST_EVENTS)
        #: Lines in the file; more than any file has, so that it is written anew, where the last one is not whole, or
        #: where there is none: so it is made for its owner only.
        self._written = len(whole) if whole and len(whole) == len(before) else 2 * MOST_EVENTS
        #: The disk has refused the last event: not all of the file may be whole lines.
        self._behind = False
        self._status = read_status(directory)
        self._actors = {actor.name: actor for actor in self._status.actors}
        self._channels = {channel.name: index for index, channel in enumerate(plan.channels)}

    def __call__(self, event: Event) -> None:
        """Write one event down. What the disk refuses is written, whole, with the next event."""
        try:
            self._note(event)
            line = json.dumps(_plain(event, self._wall()))
        except Exception as error:  # noqa: BLE001 - a program may announce anything, and the others are to be known
            self._complain(f"{type(event).__name__} is missing in the record of events: {shown(error)}")
            return
        self._lines.append(line + "\n")
        try:
            self._append()  # first: whoever reads of a death in the status finds its event
            write_status(self._directory, self._status)
        except OSError as error:
            if not self._behind:
                why = error.strerror or error
                self._complain(f"{self._directory} takes no record of events: {why}; what is shown of the run is old")
            self._behind = True
        else:
            self._behind = False

    def _note(self, event: Event) -> None:
        match event:
            case ActorStarted():
                self._begin(self._actors[event.actor], event)
            case ActorDied() | ActorGivenUp():
                self._end(self._actors[event.actor], event)
            case ActorReplayed() | ActorRecycled():
                actor = self._actors[event.actor]
                actor.pid, actor.status = None, "restarting"
                actor.causes["replay" if isinstance(event, ActorReplayed) else "recycled"] += 1
            case ActorFinished():
                actor = self._actors[event.actor]
                actor.pid, actor.status, actor.generation = None, "finished", event.generation
            case ForkServerDied():
                for actor in self._status.actors:
                    if actor.status in _ALIVE:
                        actor.pid, actor.status = None, _LOST
            case ChaosFroze():
                self._actors[event.actor].freezes += 1
            case AlertRaised():
                self._count_alert(event)
            case _:
                self._note_run(event)

    def _note_run(self, event: Event) -> None:
        status = self._status
        match event:
            case ShutdownRequested():
                status.phase = "draining"
            case ShutdownRefused():
                status.refused.append(f"{event.actor}: {event.reason}")
            case RunStopped():
                status.phase = "stopped"
            case TelemetryStarted():
                status.url = event.url
            case MessagePutAside():
                status.dead_letters += event.policy != "replay"
            case TelemetryDied():
                status.telemetry_restarts += 1
            case _:
                pass

    @staticmethod
    def _begin(actor: ActorStatus, event: ActorStarted) -> None:
        if actor.status == _LOST:
            actor.causes["fork server"] += 1
            actor.deaths["fork server"] = actor.deaths.get("fork server", 0) + 1
        actor.status, actor.pid, actor.generation = "running", event.pid, event.generation

    @staticmethod
    def _end(actor: ActorStatus, event: ActorDied | ActorGivenUp) -> None:
        actor.pid = None
        actor.status = "restarting" if isinstance(event, ActorDied) else "given up"
        actor.causes[kind_of(event.cause)] += 1
        words = event.cause.partition("\n")[0][:_LONGEST]
        if words not in actor.deaths and len(actor.deaths) >= _MOST_DEATHS:
            words = _OTHER
        actor.deaths[words] = actor.deaths.get(words, 0) + 1

    def _count_alert(self, event: AlertRaised) -> None:
        if event.kind == "actor":
            self._actors[event.subject].alerts_raised += 1
        else:
            self._status.channel_alerts[self._channels[event.subject]] += 1

    def _append(self) -> None:
        path = self._directory / EVENTS_FILE
        if self._behind or self._written >= 2 * MOST_EVENTS:
            replace(path, "".join(self._lines).encode())
            self._written = len(self._lines)
        else:
            with path.open("a") as file:
                file.write(self._lines[-1])
            self._written += 1


def _lines_in(path: Path) -> list[str]:
    """Return the lines that a supervisor before has left, with their ends; the last may lack it."""
    try:
        return path.read_text(errors="replace").splitlines(keepends=True)
    except OSError:
        return []


def _plain(event: Event, wall: float) -> dict[str, Any]:
    """Return an event as plain data; its texts are cut where they are endless."""
    fields = {
        field.name: _told(getattr(event, field.name))
        for field in dataclasses.fields(event)
        if field.name not in {"kind", "level", "text", "time"}
    }
    level = logging.getLevelName(event.level).lower()
    return {
        "actor": None,
        **fields,
        "time": round(wall, 3),
        "kind": type(event).__name__,
        "level": "info" if level == "debug" else level,
        "text": event.text[: 2 * _LONGEST],
    }


def _told(value: object) -> object:
    """Return what every reader of JSON knows, as it is; of all else, words."""
    if isinstance(value, str):
        return value[:_LONGEST]
    try:
        json.dumps(value, allow_nan=False)
    except Exception:  # noqa: BLE001 - a path, a set, a circle, too many digits: anything of the program's
        try:
            return repr(value)[:_LONGEST]
        except Exception:  # noqa: BLE001 - not even that
            return f"<{type(value).__name__}>"
    return value


def _version() -> str:
    # Some 1.5 MB, which no actor has to carry: it imports this as well.
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("steady-mp")
    except PackageNotFoundError:  # run from a source tree that nobody has installed
        return "unknown"
