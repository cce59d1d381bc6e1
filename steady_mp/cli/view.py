"""How commands show what they have found: tables for people, JSON for programs, and no name that moves the cursor."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from steady_mp.cli.summary import PIPE_WIDTH, Terminal
from steady_mp.errors import SteadyError

if TYPE_CHECKING:
    from collections.abc import Mapping

STYLES: Final = {
    "running": "green",
    "idle": "dim",
    "blocked": "yellow",
    "stuck": "bold red",
    "stopped": "bold red",
    "debugged": "magenta",
    "given up": "bold red",
    "dead": "bold red",
    "restarting": "magenta",
    "starting": "magenta",
    "lost": "magenta",
    "draining": "magenta",
}


def table(*names: str, left: int) -> Table:
    """Begin a table whose first `left` columns are text and whose others are figures."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for index, name in enumerate(names):
        made.add_column(name, justify="left" if index < left else "right", no_wrap=index > 0, overflow="fold")
    return made


def printable(name: str) -> str:
    """Return a name as JSON writes it where it is not plain: it can't move the cursor."""
    return name if name.isprintable() else json.dumps(name)[1:-1]


def state_of(actor: Mapping[str, Any]) -> Text:
    """Return an actor's state, coloured, with the channel that it is blocked on."""
    words = f"blocked on {actor['blocked_on']}" if actor["blocked_on"] else actor["state"]
    return Text(printable(words), STYLES.get(actor["state"], ""))


def restarts_of(actor: Mapping[str, Any]) -> str:
    """Return how often an actor was restarted, and why."""
    causes = ", ".join(f"{printable(cause)} x{count}" for cause, count in actor["deaths"].items())
    return f"{actor['restarts']} ({causes})" if causes else str(actor["restarts"])


def show(*things: object) -> None:
    """Print tables and lines. Raises SteadyError when the output can't be written."""
    console = Terminal(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    try:
        for thing in things:
            console.print(thing, soft_wrap=isinstance(thing, str | Text), markup=False)
    except OSError as error:  # a full disk behind `> file`; the exit would trip over the same text again
        void = os.open(os.devnull, os.O_WRONLY)
        os.dup2(void, sys.stdout.fileno())
        os.close(void)
        raise SteadyError(f"the output can't be written: {error.strerror}") from None


def show_json(data: object) -> None:
    """Print data for a program: one JSON document."""
    show(json.dumps(data, indent=1, ensure_ascii=False, default=str))
