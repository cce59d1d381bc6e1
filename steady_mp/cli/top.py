"""`steady-mp top`: a run's actors and channels in the terminal, read from its directory; no HTTP, no effect on it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.live import Live
from rich.text import Text

from steady_mp.cli.runs import find_run, lay_to_rest
from steady_mp.cli.view import (
    STYLES,
    Terminal,
    memory_of,
    printable,
    restarts_of,
    show,
    state_of,
    table,
    visible,
)
from steady_mp.errors import ConfigurationError, ExitCode
from steady_mp.memory.status import STATUS_FILE, UNREADABLE
from steady_mp.telemetry.board import Board
from steady_mp.telemetry.sampler import Sampler
from steady_mp.telemetry.state import describe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from steady_mp.telemetry.sampler import Sample

_BAR: Final = 8
_PERCENT: Final = 100
_ENDED: Final = "ended"
_DEAD: Final = "dead"
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
        return _show(sampler, board, console, once=once or not console.is_terminal or console.is_dumb_terminal)
    except KeyboardInterrupt:  # how one leaves it
        return ExitCode.DRAINED
    finally:
        sampler.close()


def _show(sampler: Sampler, board: Board, console: Console, *, once: bool) -> int:
    pause = threading.Event()
    pause.wait(sampler.plan.refresh)  # shares and rates take two looks
    if once:
        board.update(sample := sampler.sample())
        show(draw(_stand(board, how_over(sample, sampler.directory))))
        return ExitCode.DRAINED
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while not (how := how_over(sample := sampler.sample(), sampler.directory)):
            board.update(sample)
            live.update(draw(describe(board)), refresh=True)
            pause.wait(sampler.plan.refresh)
    show(draw(_stand(board, how)))  # the figures are those of the last look at it alive
    show("the run has ended" if how == _ENDED else "the run is dead")
    return ExitCode.DRAINED


def how_over(sample: Sample, directory: Path) -> str:
    """Return whether the run has `ended` or is `dead`; empty while it goes on."""
    if sample.status.phase == "stopped" or not (directory / STATUS_FILE).exists():
        return _ENDED
    return "" if sample.supervised else _DEAD


def _stand(board: Board, how: str) -> dict[str, Any]:
    """Describe how a run stands that may be over (`how_over`)."""
    state = describe(board)
    if how:
        state |= {"phase": how, "summary": ""}
        lay_to_rest(state["actors"])
    return state


def draw(state: Mapping[str, Any]) -> Group:
    """Draw a state (`telemetry.state.describe`) as tables; its phase may also be `ended` or `dead`."""
    phase = state["phase"]
    head = Text.assemble((printable(state["graph"]), "bold"), "  ", (phase, STYLES.get(phase, "")))
    if phase == _DEAD:
        head.append(f"  its supervisor {state['run']['pid']} is gone")
    elif phase != _ENDED:
        head.append(f", up {state['uptime']:.0f} s")
    if state["summary"]:
        head.append(f"\n{visible(state['summary'])}", "yellow")
    alerts = [Text(printable(each["text"]), _COLORS[each["colour"]]) for each in state["alerts"]]
    return Group(head, Text(), _actors(state["actors"]), Text(), _channels(state["channels"]), *alerts)


def _actors(actors: list[dict[str, Any]]) -> Table:
    made = table("actor", "state", "load", "mCPU", "memory", "turns", "restarts", left=2, long=("restarts",))
    for each in actors:
        made.add_row(
            _name(each),
            state_of(each),
            f"{each['load']:.0f} %",
            "-" if each["mcpu"] is None else f"{each['mcpu']:.0f}",
            memory_of(each),
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
