"""`steady-mp top`: a run's actors and channels in the terminal, read from its directory; no HTTP, no effect on it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from steady_mp.errors import ConfigurationError, ExitCode
from steady_mp.memory.owner import Owner
from steady_mp.memory.rundir import default_root
from steady_mp.memory.status import STATUS_FILE, read_status
from steady_mp.telemetry.board import Board
from steady_mp.telemetry.sampler import Sampler
from steady_mp.telemetry.state import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

_BAR: Final = 8
_PERCENT: Final = 100
_STYLES: Final = {
    "running": "green",
    "idle": "dim",
    "blocked": "yellow",
    "stuck": "bold red",
    "stopped": "bold red",
    "given up": "bold red",
    "restarting": "magenta",
    "starting": "magenta",
}
_COLORS: Final = {"yellow": "yellow", "orange": "dark_orange", "red": "bold red"}


def top(which: str | None, *, once: bool) -> int:
    """Show a run until it ends or Ctrl-C is pressed; gives the exit status."""
    directory = find_run(which)
    try:
        sampler = Sampler(directory)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"{directory} can't be read as a run: {error}") from None
    console = Console(highlight=False)
    board = Board(sampler.plan)
    try:
        return _show(sampler, board, console, once=once or not console.is_terminal)
    except KeyboardInterrupt:  # how one leaves it
        return ExitCode.DRAINED
    finally:
        sampler.close()


def _show(sampler: Sampler, board: Board, console: Console, *, once: bool) -> int:
    pause = threading.Event()
    board.update(sampler.sample())
    pause.wait(sampler.plan.refresh)  # shares and rates take two looks
    if once:
        board.update(sampler.sample())
        console.print(draw(describe(board)))
        return ExitCode.DRAINED
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while (sample := sampler.sample()).status.phase != "stopped" and sample.supervised:
            board.update(sample)
            live.update(draw(describe(board)), refresh=True)
            pause.wait(sampler.plan.refresh)
    console.print(draw(describe(board)))
    console.print("the run has ended")
    return ExitCode.DRAINED


def find_run(which: str | None) -> Path:
    """Return the directory of the run that is meant. Raises ConfigurationError, naming those that there are."""
    if which is not None and (Path(which) / STATUS_FILE).exists():
        return Path(which)
    root = default_root()
    found = {entry: _graph_of(entry) for entry in (sorted(root.iterdir()) if root.is_dir() else [])}
    living = {entry: name for entry, name in found.items() if name is not None}
    meant = [entry for entry, name in living.items() if which is None or which in (name, entry.name)]
    if len(meant) == 1:
        return meant[0]
    if not living:
        raise ConfigurationError(f"nothing runs on this machine that could be shown (looked in {root})")
    if not meant:
        raise ConfigurationError(f"no run {which!r}: there is {', '.join(sorted(set(living.values())))}")
    names = ", ".join(entry.name for entry in meant)
    raise ConfigurationError(f"several runs could be meant, name one of them: steady-mp top RUN, with RUN from {names}")


def _graph_of(directory: Path) -> str | None:
    """Return the graph's name, if this is the directory of a run that goes on."""
    try:
        status = read_status(directory)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    parts = directory.name.rsplit(".", 4)[1:]
    if all(part.isdigit() for part in parts) and Owner(*map(int, parts[:3])).is_dead():
        return None
    return status.graph


def draw(state: Mapping[str, Any]) -> Group:
    """Draw a state (`telemetry.state.describe`) as tables."""
    head = Text.assemble((state["graph"], "bold"), f"  {state['phase']}, up {state['uptime']:.0f} s")
    if state["summary"]:
        head.append(f"\n{state['summary']}", "yellow")
    alerts = [Text(each["text"], _COLORS[each["colour"]]) for each in state["alerts"]]
    return Group(head, Text(), _actors(state["actors"]), Text(), _channels(state["channels"]), *alerts)


def _actors(actors: list[dict[str, Any]]) -> Table:
    table = _table("actor", "state", "load", "mCPU", "memory", "turns", "restarts", left=2)
    for each in actors:
        state = f"blocked on {each['blocked_on']}" if each["blocked_on"] else each["state"]
        table.add_row(
            _name(each),
            Text(state, _STYLES.get(each["state"], "")),
            f"{each['load']:.0f} %",
            f"{each['mcpu']:.0f}",
            f"{each['rss'] / 2**20:.0f} MiB",
            f"{each['turns']:,}",
            _restarts(each),
        )
    return table


def _restarts(actor: Mapping[str, Any]) -> str:
    causes = ", ".join(f"{cause} x{count}" for cause, count in actor["deaths"].items())
    return f"{actor['restarts']} ({causes})" if causes else str(actor["restarts"])


def _channels(channels: list[dict[str, Any]]) -> Table:
    table = _table("channel", "filled", "now", "rate", "latency", "taken", "blocked", left=2)
    for each in channels:
        latency = each["latency"]
        table.add_row(
            _name(each),
            _bar(each["filled"]["avg"], _COLORS.get(each["alert"] or "", "green")),
            f"{each['in_flight']:,}/{each['capacity']:,}",
            f"{each['rate']:,.1f}/s",
            "-" if latency is None else f"{latency['avg'] * 1000:,.1f} ms",
            f"{each['taken']:,}",
            f"{each['blocked_seconds']:,.1f} s",
        )
    return table


def _bar(percent: float, style: str) -> Text:
    full = round(_BAR * min(percent, _PERCENT) / _PERCENT)
    return Text.assemble(("█" * full, style), ("░" * (_BAR - full), "dim"), f" {percent:3.0f} %")


def _name(each: Mapping[str, Any]) -> Text:
    # Written as JSON writes it where it is not plain: a name can't move the cursor.
    name = each["name"]
    return Text(name if name.isprintable() else json.dumps(name)[1:-1], _COLORS.get(each["alert"] or "", ""))


def _table(*names: str, left: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for index, name in enumerate(names):
        table.add_column(name, justify="left" if index < left else "right", no_wrap=index > 0, overflow="fold")
    return table
