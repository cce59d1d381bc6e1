"""`steady-mp why`: what an actor died of, why, what it had in hand and what followed; also when the run is over.

It reads the death reports in the directory of a run, or what is kept of one that did not end well.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rich.text import Text

from steady_mp.cli.ps import look
from steady_mp.cli.runs import Found, all_runs, find_run, last_state, open_status
from steady_mp.cli.view import STYLES, printable, show, show_json, table
from steady_mp.errors import ConfigurationError, ExitCode
from steady_mp.memory.deaths import DeathReport, read_reports
from steady_mp.memory.kept import all_kept, kept_root
from steady_mp.memory.status import EVENTS_FILE, UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: States of an actor that somebody should do something about, and what.
_MENDS: Final = {
    "stuck": "`steady-mp stack {name}` shows where, `steady-mp kill {name}` begins its next life",
    "stopped": "`steady-mp kill {name} --signal CONT` lets it go on",
    "debugged": "somebody holds it in a debugger",
    "given up": "its policy says that this is the end",
}
_MEBI: Final = 1 << 20
_RETURNED: Final = "its behavior has returned"


class _Case(NamedTuple):
    """A run, how its actors stand as far as that is known, and how their lives ended."""

    found: Found
    phase: str
    actors: list[dict[str, Any]]
    reports: list[DeathReport]
    #: When an actor has finished, by its name, where the events still tell.
    finished: dict[str, float]

    @property
    def is_kept(self) -> bool:
        return self.found.directory.parent == kept_root()

    def of(self, actor: str) -> list[DeathReport]:
        return [report for report in self.reports if report.actor == actor]


def why(actor: str | None, which: str | None, *, everything: bool, as_json: bool) -> int:
    """Show the last failure of a run, or of one actor, or all that is known; gives the exit status.

    Raises ConfigurationError where there is no such run or actor.
    """
    case = _open(which)
    names = [each["name"] for each in case.actors]
    if actor is not None and actor not in names:
        raise ConfigurationError(
            f"no actor {actor!r} in graph {case.found.status.graph!r}: there is {', '.join(names)}"
        )
    chosen = _choose(case, actor, everything=everything)
    if as_json:
        show_json(_plain(case, actor, chosen))
        return ExitCode.DRAINED
    _draw_head(case)
    if actor is None:
        _draw_actors(case)
    else:
        _draw_state(next(each for each in case.actors if each["name"] == actor), case)
    for report in chosen:
        show("", *_draw(report))
    if which is None and not case.is_kept:
        _point_at_others(case)
    return ExitCode.DRAINED


def _choose(case: _Case, actor: str | None, *, everything: bool) -> list[DeathReport]:
    """Return what is shown in full: all, or the last failure, or the last end where there was none."""
    reports = case.reports if actor is None else case.of(actor)
    if everything:
        return reports
    failures = [report for report in reports if not report.is_planned]
    return (failures or (reports if actor is not None else []))[-1:]


def _open(which: str | None) -> _Case:
    """Find the run that is meant: a living one, else what is left of the latest that is dead."""
    try:
        directory = find_run(which)
    except ConfigurationError:
        if any(run.is_alive and which in {None, run.status.graph, run.directory.name} for run in all_runs()):
            raise  # of several none is chosen for the asker
        directory = _latest_of_the_dead(which) or find_run(which, dead=True)
    found = open_status(directory)
    reports = read_reports(directory)
    try:
        seen = look(found)
        phase, actors = seen["phase"], seen["actors"]
    except ConfigurationError:  # only its reports are kept
        phase = "ended"
        actors = [
            {"name": each.name, "generation": each.generation, "state": each.status, "restarts": each.restarts}
            for each in found.status.actors
        ]
        for each in actors:
            each["state"] = last_state(each["state"])
    return _Case(found, phase, actors, reports, _finished(directory))


def _finished(directory: Path) -> dict[str, float]:
    """Return when actors have finished; their ends have no report of their own, as nothing has failed."""
    found: dict[str, float] = {}
    with suppress(OSError):
        for line in (directory / EVENTS_FILE).read_bytes().splitlines():
            with suppress(ValueError, KeyError):
                event = json.loads(line)
                if event["kind"] == "ActorFinished":
                    found.setdefault(event["actor"], event["time"])
    return found


def _latest_of_the_dead(which: str | None) -> Path | None:
    """Return the directory that a dead run has left, or what is kept of one, whichever began last."""
    found = []
    for directory in (*(run.directory for run in all_runs() if not run.is_alive), *all_kept()):
        with suppress(*UNREADABLE):
            run = open_status(directory)
            if which is None or which in {run.status.graph, directory.name}:
                found.append((run.status.started, str(directory), directory))
    return max(found)[2] if found else None


def _plain(case: _Case, actor: str | None, chosen: list[DeathReport]) -> dict[str, Any]:
    status = case.found.status
    return {
        "graph": status.graph,
        "run": case.found.directory.name,
        "directory": str(case.found.directory),
        "phase": case.phase,
        "refused": status.refused,
        "actors": [
            {
                "name": each["name"],
                "state": each["state"],
                "generation": each["generation"],
                "restarts": each["restarts"],
                "last": _last(case, each)[0],
            }
            for each in case.actors
            if actor in {None, each["name"]}
        ],
        "reports": [asdict(report) for report in chosen],
    }


def _draw_head(case: _Case) -> None:
    status = case.found.status
    head = Text.assemble((printable(status.graph), "bold"), "  ", (case.phase, STYLES.get(case.phase, "")))
    if case.phase == "dead":
        head.append(f"  its supervisor {status.pid} was killed")
    elif case.phase == "ended":
        head.append("  it did not end well")
    head.append(f"  began {_moment(status.started)}  {case.found.directory.name}")
    show(head, *(f"did not stop in time: {printable(line)}" for line in status.refused))


def _draw_actors(case: _Case) -> None:
    made = table("actor", "state", "life", "ends", "last end", left=2, long=("last end",))
    for actor in case.actors:
        cause, then, at = _last(case, actor)
        words = [printable((cause or "").partition("\n")[0]) if then != _RETURNED else "", then]
        made.add_row(
            Text(printable(actor["name"])),
            Text(actor["state"], STYLES.get(actor["state"], "")),
            str(actor["generation"]),
            str(len(case.of(actor["name"]))),
            Text(f"{_moment(at)}  {'; '.join(filter(None, words))}" if cause else "-"),
        )
    show(made)
    for actor in case.actors:
        if actor["state"] in _MENDS:
            _draw_state(actor, case)


def _last(case: _Case, actor: Mapping[str, Any]) -> tuple[str | None, str, float | None]:
    """Return what the latest end of an actor was, what followed, and when; None for one that has had no end."""
    reports = case.of(actor["name"])
    if actor["state"] == "finished" and not (reports and reports[-1].generation == actor["generation"]):
        return "finished", _RETURNED, case.finished.get(actor["name"])
    return (_cause(reports[-1]), reports[-1].then, reports[-1].at) if reports else (None, "", None)


def _cause(report: DeathReport) -> str:
    """Return the cause in words; of an end that an actor has planned itself, also what that is called."""
    return f"{report.kind}: {report.cause}" if report.kind in {"recycled", "replay"} else report.cause


def _draw_state(actor: Mapping[str, Any], case: _Case) -> None:
    name = printable(actor["name"])
    if actor["state"] == "finished":
        at = case.finished.get(actor["name"])
        when = "" if at is None else f", {_moment(at)}"
        show(f"{name} has finished in life {actor['generation']}{when}: {_RETURNED}")
        return
    mend = _MENDS.get(actor["state"], "").format(name=name)
    if actor["state"] == "given up":
        again = f"`steady-mp revive {name}`" if case.phase == "running" else "start the run again"
        mend += f"; mend the cause, then {again}"
    never = "" if case.of(actor["name"]) else "; it has not died"
    show(f"{name} is {actor['state']} in life {actor['generation']}{never}{'; ' if mend else ''}{mend}")


def _draw(report: DeathReport) -> list[object]:
    """Return a report as lines: what, where, what in hand, what followed, and then the long ones."""
    head = Text.assemble(
        (printable(report.actor), "bold"),
        f", life {report.generation}, process {report.pid or '?'}, {_moment(report.at)}",
    )
    rows = [("cause", _cause(report)), ("", report.detail), ("in hand", _hand(report)), ("then", report.then)]
    rows.append(("it had", _figures(report)))
    lines: list[object] = [head]
    for name, text in rows:
        for number, line in enumerate(text.splitlines()):
            lines.append(f"  {name if not number else '':<8} {printable(line)}")
    for name, block in (
        ("traceback", report.traceback.splitlines()),
        ("stacks", report.stack.splitlines()),
        (f"last {len(report.log)} lines of its log", report.log),
    ):
        if block:
            lines += [f"  {name}:", *(f"    {printable(line)}" for line in block)]
    return lines


def _hand(report: DeathReport) -> str:
    hand = report.in_hand
    if hand is None:
        return ""
    where = f"{hand['last']}" if hand["first"] == hand["last"] else f"{hand['first']} to {hand['last']}"
    value = f": {hand['value']}" if hand.get("value") is not None else ""
    return f"{hand['channel']} {where}{value}"


def _figures(report: DeathReport) -> str:
    parts = [
        "" if report.uptime is None else f"lived {report.uptime:.1f} s",
        "" if report.cpu is None else f"used {report.cpu:.1f} s of processor time",
        "" if report.peak is None else f"{report.peak / _MEBI:.0f} MiB of memory at most",
        f"committed {report.commit:,} times",
    ]
    return ", ".join(filter(None, parts))


def _point_at_others(case: _Case) -> None:
    """Name the runs that are over and of which something is kept."""
    others = [directory for directory in all_kept() if directory.name != case.found.directory.name]
    if others:
        many = f"{len(others)} runs that did not end well are" if len(others) > 1 else "1 run that did not end well is"
        show("", f"{many} kept; the latest: steady-mp why --run {others[0].name}")


def _moment(at: float | None) -> str:
    return "-" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
