"""`steady-mp ps`: the runs of this machine and their actors, in one look."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from steady_mp.cli.runs import Found, all_runs, find_run, lay_to_rest, open_status
from steady_mp.cli.view import STYLES, memory_of, printable, restarts_of, show, show_json, state_of, table
from steady_mp.errors import ConfigurationError, ExitCode
from steady_mp.memory.kept import all_kept
from steady_mp.memory.rundir import RunDir, default_root
from steady_mp.memory.status import UNREADABLE, read_events
from steady_mp.telemetry.board import Board
from steady_mp.telemetry.sampler import Sampler
from steady_mp.telemetry.state import describe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Seconds between two looks at what may be a deadlock.
_PAUSE: Final = 0.1
#: Events among which the end of a run is looked for: nothing happens behind it.
_LATEST: Final = 10
#: What of an actor's figures one look can know.
_SHOWN: Final = ("name", "state", "blocked_on", "pid", "generation", "restarts", "deaths", "commits", "rss")


def ps(which: str | None, *, as_json: bool) -> int:
    """Show all runs, or the one that is named; gives the exit status."""
    seen: list[tuple[Found, dict[str, Any]]] = []
    for found in all_runs() if which is None else [open_status(find_run(which, dead=True))]:
        with suppress(*([ConfigurationError] if which is None else [])):  # it has ended meanwhile, or is none
            seen.append((found, look(found)))
    if as_json:
        show_json([run for _, run in seen])
    elif not seen:
        past = "; `steady-mp why` shows how the last one ended" if all_kept() else ""
        show(f"nothing runs on this machine (looked in {default_root()}){past}")
    for number, (found, run) in enumerate([] if as_json else seen):
        show(*([""] if number else []), *_draw(run, found.status.pid))
    return ExitCode.DRAINED


def look(found: Found) -> dict[str, Any]:
    """Return how a run stands as plain data. Raises ConfigurationError when its files can't be read."""
    status = found.status
    try:
        state = _describe(found.directory)
    except UNREADABLE as error:
        raise ConfigurationError(f"{found.directory} can't be read as a run: {error}") from None
    actors = [{name: actor[name] for name in _SHOWN} for actor in state["actors"]]
    run: dict[str, Any] = {
        "graph": status.graph,
        "run": found.directory.name,
        "directory": str(found.directory),
        "pid": status.pid,
        "halted": found.is_halted,
        "phase": status.phase if found.is_alive or status.phase == "stopped" else "dead",
        "durable": RunDir(found.directory).has_begun,
        "uptime": round(state["uptime"], 1),
        "url": status.url,
        "deadlocks": deadlocks_of(found.directory) if found.is_alive else [],
        "actors": actors,
    }
    if run["phase"] in {"dead", "stopped"}:
        run.update(pid=None, url=None, uptime=_seconds(found) if run["phase"] == "stopped" else None)
        lay_to_rest(actors)
    return run


def _seconds(found: Found) -> float | None:
    """Return how long a run went on that has come to its end, by its own word; None where that is lost."""
    with suppress(*UNREADABLE):
        ends = [event for event in read_events(found.directory, _LATEST) if event["kind"] == "RunStopped"]
        return round(float(ends[-1]["seconds"]), 1)
    return None


def _describe(directory: Path) -> dict[str, Any]:
    sampler = Sampler(directory)
    try:
        board = Board(sampler.plan)
        board.update(sampler.sample())
        return describe(board)
    finally:
        sampler.close()


def deadlocks_of(directory: Path) -> list[str]:
    """Return the cycles in which every actor waits for room; blocks for a moment where there may be one.

    Raises one of `UNREADABLE` where the files are not those of a run.
    """
    sampler = Sampler(directory)
    try:
        board = Board(sampler.plan)
        sample = sampler.sample()
        board.update(sample)
        if sample.cycles:  # a deadlock when nothing has moved at a second look
            threading.Event().wait(_PAUSE)
            board.update(sampler.sample())
        return [cycle.way for cycle in board.deadlocks]
    finally:
        sampler.close()


def _draw(run: Mapping[str, Any], supervisor: int) -> tuple[object, ...]:
    """Draw what `look` has found; `supervisor` is the pid that is, or was, its supervisor's."""
    head = Text.assemble((printable(run["graph"]), "bold"), "  ", (run["phase"], STYLES.get(run["phase"], "")))
    if run["phase"] == "dead":
        way_out = f"--resume {run['directory']}" if run["durable"] else "`steady-mp clean` removes what it left"
        head.append(f"  its supervisor {supervisor} is gone; {way_out}  {run['run']}")
        return (head,)
    if run["phase"] == "stopped":
        after = "" if run["uptime"] is None else f"  after {run['uptime']:.0f} s"
        head.append(f"{after}  {run['run']}")
    else:
        head.append(f"  up {run['uptime']:.0f} s  supervisor {supervisor}")
        if run["halted"]:
            head.append(" is stopped", STYLES["stopped"])
        head.append(f"  {run['run']}")
    if run["url"]:
        head.append(f"  {run['url']}")
    made = table("actor", "state", "pid", "life", "restarts", "commits", "memory", left=2, long=("restarts",))
    for actor in run["actors"]:
        made.add_row(
            Text(printable(actor["name"])),
            state_of(actor),
            str(actor["pid"] or "-"),
            str(actor["generation"]),
            Text(restarts_of(actor)),
            f"{actor['commits']:,}",
            memory_of(actor),
        )
    return head, made, *(f"deadlock: {printable(way)}, every channel of the circle is full" for way in run["deadlocks"])
