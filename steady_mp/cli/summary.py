"""What the terminal shows when a run has ended: the report's figures in two small tables, and one line that judges."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from steady_mp.cli.view import PIPE_WIDTH, Terminal, silence, visible
from steady_mp.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

VERDICTS = {
    ExitCode.DRAINED: "drained",
    ExitCode.UNCLEAN: "unclean",
    ExitCode.GAVE_UP: "gave up",
    ExitCode.WRONG_RESULT: "wrong result",
    ExitCode.SHOWSTOPPER: "showstopper",
    ExitCode.INTERRUPTED: "interrupted",
}


def show(facts: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the short form of `Report.to_dict()`."""
    console = console or Terminal()
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    try:
        console.print("", _actors(facts["actors"]), "", _channels(facts["channels"]), "", sep="\n")
        if chaos := facts.get("chaos"):
            console.print(_strikes(chaos["actors"]), "", toll(chaos), sep="\n", soft_wrap=True)
        if facts.get("dead_letters"):
            console.print(letters(facts), soft_wrap=True)
        console.print(verdict(facts), soft_wrap=True)  # one line, however wide the terminal is
        if chaos and chaos["exact"] is not False:  # what is wrong has been said
            console.print(proof(facts), soft_wrap=True)
    except OSError as error:  # a full disk behind `> file`
        silence(console.file)
        print("steady-mp: can't show how the run ended:", error.strerror, file=sys.stderr)


def verdict(facts: Mapping[str, Any]) -> Text:
    """`drained in 12.3 s`, or what else happened and who was why."""
    code = facts["exit_code"]
    word = VERDICTS.get(code, f"exit status {code}")
    why = "; ".join(" ".join(str(reason).split()) for reason in facts["why"])
    text = f"{word}: {why}" if why else word
    return Text(f"{visible(text)} (after {facts['wall_time']:.1f} s)", style="green" if facts["clean"] else "bold red")


def letters(facts: Mapping[str, Any]) -> Text:
    """`2 dead letters in /tmp/…: steady-mp dead-letters list --run …`."""
    where = f"steady-mp dead-letters list --run {visible(str(facts['letters']))}"
    return Text(f"{counted(facts['dead_letters'], 'dead letter')} left, see {where}", style="bold yellow")


def toll(chaos: Mapping[str, Any]) -> Text:
    """`chaos: 61 kills, 4 freezes (seed 7)`."""
    freezes = f", {counted(chaos['freezes'], 'freeze')}" if chaos["freeze"] else ""
    return Text(f"chaos: {counted(chaos['kills'], 'kill')}{freezes} (seed {chaos['seed']})")


def proof(facts: Mapping[str, Any]) -> Text:
    """Whether the graph's own check found the result right, in one line."""
    if facts["chaos"]["exact"]:
        return Text("exact: the graph's own check finds nothing wrong with the result", style="bold green")
    why = "the target's module has no check_report(report)" if facts["clean"] else "the run did not drain"
    return Text(f"not checked: {why}", style="yellow")


def counted(count: int, noun: str) -> str:
    """`1 kill`, `1,024 kills`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _strikes(actors: Mapping[str, Mapping[str, int]]) -> Table:
    table = _table("chaos", "kills", "freezes")
    for name, each in actors.items():
        table.add_row(Text(visible(name)), f"{each['kills']:,}", f"{each['freezes']:,}")
    return table


def _actors(actors: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("actor", "generation", "restarts", "causes")
    for each in actors:
        finished = "" if each["finished"] else " (not finished)"
        table.add_row(
            Text(visible(each["name"]) + finished),
            str(each["generation"]),
            str(each["restarts"]),
            Text(_causes(each["deaths"])),
        )
    return table


def _causes(deaths: Sequence[str]) -> str:
    """Each cause once, in the order of its first death: `SIGKILL x3, exit code 3`."""
    counted = Counter(" ".join(str(cause).split()) for cause in deaths)
    return visible(", ".join(cause if count == 1 else f"{cause} x{count}" for cause, count in counted.items()))


def _channels(channels: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("channel", "sent", "taken", "in flight", "capacity")
    for each in channels:
        way = f"{each['from']}→{each['to']}"  # what a channel is called that was given no name
        name = each["name"] if each["name"].startswith(way) else f"{each['name']} ({way})"
        table.add_row(
            Text(visible(name)), *(f"{each[figure]:,}" for figure in ("sent", "taken", "in_flight", "capacity"))
        )
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, overflow="fold")
    for name in others:
        words = name == "causes"
        table.add_column(name, justify="left" if words else "right", overflow="fold", no_wrap=not words)
    return table
