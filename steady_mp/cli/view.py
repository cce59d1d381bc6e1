"""How commands show what they have found: tables for people, JSON for programs, and no name that moves the cursor."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

from rich.cells import cell_len
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from steady_mp.errors import SteadyError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

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


#: Columns of a terminal between two columns of a table, and for long text where there is hardly any room.
_GAP: Final = 2
_NARROW: Final = 16
#: Columns where the output is no terminal: names stay whole in a file and in a log.
PIPE_WIDTH: Final = 120


class Terminal(Console):
    """The standard output, where text is shown as it is; that nobody reads it any more (`| head`) is no failure."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - what a console of rich takes
        """Make one that makes no picture of `:key:` and no colour of `[red]`."""
        super().__init__(emoji=False, markup=False, highlight=False, **settings)

    def on_broken_pipe(self) -> None:
        """Say nothing more there, also not at the exit; rich would end the process instead."""
        self.quiet = True
        silence(self.file)


def visible(text: str) -> str:
    """Return a text in which what would move the cursor, or turn the text around, is written as JSON writes it."""
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def silence(stream: IO[str]) -> None:
    """Lead a stream that can't be written to nowhere; the end of the program would trip over the same text again."""
    void = os.open(os.devnull, os.O_WRONLY)
    os.dup2(void, stream.fileno())
    os.close(void)


def table(*names: str, left: int, long: Collection[str] = ()) -> Table:
    """Begin a table whose first `left` columns are text and whose others are figures.

    Names and figures stay whole. Columns that are `long` hold sentences, and give way where there is little room.
    """
    made = Table(box=None, padding=(0, _GAP, 0, 0), header_style="bold")
    for index, name in enumerate(names):
        is_text = index < left or name in long
        made.add_column(name, justify="left" if is_text else "right", no_wrap=name not in long, overflow="fold")
    return made


def printable(name: str) -> str:
    """Return a name as JSON writes it where it is not plain: it can't move the cursor."""
    return name if name.isprintable() else json.dumps(name)[1:-1]


def state_of(actor: Mapping[str, Any]) -> Text:
    """Return an actor's state, coloured, with the channel that it is blocked on."""
    words = f"blocked on {actor['blocked_on']}" if actor["blocked_on"] else actor["state"]
    return Text(printable(words), STYLES.get(actor["state"], ""))


def memory_of(actor: Mapping[str, Any]) -> str:
    """Return what an actor has in memory; a dash where that can't be known, of one in another container."""
    return "-" if actor["rss"] is None else f"{actor['rss'] / 2**20:.0f} MiB"


def restarts_of(actor: Mapping[str, Any]) -> str:
    """Return how often an actor was restarted, and why."""
    causes = ", ".join(f"{printable(cause)} x{count}" for cause, count in actor["deaths"].items())
    return f"{actor['restarts']} ({causes})" if causes else str(actor["restarts"])


def show(*things: object) -> None:
    """Print tables and lines. Raises SteadyError when the output can't be written."""
    console = Terminal()
    width = console.width if console.is_terminal else PIPE_WIDTH
    with refused_writes():
        for thing in things:
            console.width = max(width, _least(thing))
            console.print(thing, soft_wrap=isinstance(thing, str | Text))


def show_json(data: object) -> None:
    """Print data for a program: one JSON document. Raises SteadyError when the output can't be written."""
    with refused_writes():
        print(json_text(data, 1, sys.stdout.encoding or "utf-8"), flush=True)


def show_text(text: str) -> None:
    """Print a text for a program as it is. Raises SteadyError when the output can't be written."""
    with refused_writes():
        print(text, end="", flush=True)


def json_text(data: object, indent: int, encoding: str) -> str:
    """Return data as JSON that can be written in an encoding, with escapes where it has no such letters."""
    text = json.dumps(data, indent=indent, ensure_ascii=False, default=str)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:  # half of a surrogate pair can't be written in any
        return json.dumps(data, indent=indent, default=str)
    return text


def _least(made: object) -> int:
    """Return the columns without which a table would lose names or figures; a terminal breaks longer lines itself."""
    if isinstance(made, Group):
        return max(map(_least, made.renderables))
    if not isinstance(made, Table):
        return 0
    widths = []
    for column in made.columns:
        widest = max(cell_len(str(cell)) for cell in (column.header, *column.cells))
        widths.append(widest if column.no_wrap else min(widest, _NARROW))
    return sum(widths) + _GAP * len(widths)


@contextmanager
def refused_writes() -> Iterator[None]:
    """Make an output that can't be written a SteadyError; one that nobody reads any more (`| head`) is no failure."""
    try:
        yield
    except OSError as error:  # a full disk behind `> file`
        silence(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            raise SteadyError(f"the output can't be written: {error.strerror}") from None
