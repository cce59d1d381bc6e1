"""`steady-mp top`: a run's actors and channels in the terminal, read from its directory; no HTTP, no effect on it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.live import Live
from rich.text import Text

from steady_mp.cli.runs import UNREADABLE, find_run
from steady_mp.cli.summary import Terminal
from steady_mp.cli.view import printable, restarts_of, show, state_of, table
from steady_mp.errors import ConfigurationError, ExitCode
from steady_mp.telemetry.board import Board
from steady_mp.telemetry.sampler import Sampler
from steady_mp.telemetry.state import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console
    from rich.table import Table

_BAR: Final = 8
_PERCENT: Final = 100
_COLORS: Final = {"yellow": "yellow", "orange": "dark_orange", "red": "bold red"}


def top(which: str | None, *, once: bool) -> int:
    """Show a run until it ends or Ctrl-C is pressed; gives the exit status."""
    directory = find_run(which)
    try:
        sampler = Sampler(directory)
        board = Board(sampler.plan)
        board.update(sampler.sample())  # files that are cut off show here
    except UNREADABLE as error:
        raise ConfigurationError(f"{directory} can't be read as a run: {error}") from None
    console = Terminal()
    try:
        return _show(sampler, board, console, once=once or not console.is_terminal)
    except KeyboardInterrupt:  # how one leaves it
        return ExitCode.DRAINED
    finally:
        sampler.close()


def _show(sampler: Sampler, board: Board, console: Console, *, once: bool) -> int:
    pause = threading.Event()
    pause.wait(sampler.plan.refresh)  # shares and rates take two looks
    if once:
        board.update(sampler.sample())
        show(draw(describe(board)))
        return ExitCode.DRAINED
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while (sample := sampler.sample()).status.phase != "stopped" and sample.supervised:
            board.update(sample)
            live.update(draw(describe(board)), refresh=True)
            pause.wait(sampler.plan.refresh)
    show(draw(describe(board)))
    show("the run has ended")
    return ExitCode.DRAINED


def draw(state: Mapping[str, Any]) -> Group:
    """Draw a state (`telemetry.state.describe`) as tables."""
    head = Text.assemble((printable(state["graph"]), "bold"), f"  {state['phase']}, up {state['uptime']:.0f} s")
    if state["summary"]:
        head.append(f"\n{state['summary']}", "yellow")
    alerts = [Text(printable(each["text"]), _COLORS[each["colour"]]) for each in state["alerts"]]
    return Group(head, Text(), _actors(state["actors"]), Text(), _channels(state["channels"]), *alerts)


def _actors(actors: list[dict[str, Any]]) -> Table:
    made = table("actor", "state", "load", "mCPU", "memory", "turns", "restarts", left=2, long=("restarts",))
    for each in actors:
        made.add_row(
            _name(each),
            state_of(each),
            f"{each['load']:.0f} %",
            f"{each['mcpu']:.0f}",
            f"{each['rss'] / 2**20:.0f} MiB",
            f"{each['turns']:,}",
            Text(restarts_of(each)),
        )
    return made


def _channels(channels: list[dict[str, Any]]) -> Table:
    made = table("channel", "filled", "now", "rate", "latency", "taken", "blocked", left=2)
    for each in channels:
        latency = each["latency"]
        made.add_row(
            _name(each),
            _bar(each["filled"]["avg"], _COLORS.get(each["alert"] or "", "green")),
            f"{each['in_flight']:,}/{each['capacity']:,}",
            f"{each['rate']:,.1f}/s",
            "-" if latency is None else f"{latency['avg'] * 1000:,.1f} ms",
            f"{each['taken']:,}",
            f"{each['blocked_seconds']:,.1f} s",
        )
    return made


def _bar(percent: float, style: str) -> Text:
    full = round(_BAR * min(percent, _PERCENT) / _PERCENT)
    return Text.assemble(("█" * full, style), ("░" * (_BAR - full), "dim"), f" {percent:3.0f} %")


def _name(each: Mapping[str, Any]) -> Text:
    return Text(printable(each["name"]), _COLORS.get(each["alert"] or "", ""))
