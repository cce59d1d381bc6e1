"""What a log line says, and how it is written: for people, or as JSON for programs."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What the run itself signs with.
SELF: Final = "steady-mp"

_DIM: Final = "\x1b[2m"
_BOLD: Final = "\x1b[1m"
_YELLOW: Final = "\x1b[33m"
_RED: Final = "\x1b[31m"
_PLAIN: Final = "\x1b[0m"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One entry of the log: a record of `logging`, or a line that was printed."""

    #: Seconds since 1970, when it was read from its pipe.
    time: float
    level: int
    #: An actor's name, or that of what else belongs to the run.
    actor: str
    generation: int
    #: The process that the life is; None where that is not known.
    pid: int | None
    #: Counts the entries of the life, from 1. What is missing in the log was dropped.
    seq: int
    #: May have several lines, those of a traceback for example.
    message: str
    #: Lines that are missing here, where this entry says so.
    dropped: int = 0


class LogFormat(Protocol):
    """Turns an entry into lines."""

    def lines(self, entry: LogEntry) -> list[str]:
        """Return the entry as one line or more, none with an end of its own."""

    def count(self, entry: LogEntry) -> int:
        """Tell how many lines it makes, without making them."""


class TextFormat:
    """For people: time, actor, text; further lines are indented. A later life signs `name#2`."""

    def __init__(self, width: int, *, colors: bool = False) -> None:
        """Pad the actors' names to `width`; with `colors` use those of a terminal."""
        self._width = width
        self._colors = colors

    def lines(self, entry: LogEntry) -> list[str]:
        """See `LogFormat.lines`."""
        moment = time.strftime("%H:%M:%S", time.localtime(entry.time)) + f".{int(entry.time % 1 * 1000):03d}"
        mark = "" if entry.level < logging.WARNING else f"{logging.getLevelName(entry.level)}: "
        label = entry.actor if entry.generation == 1 else f"{entry.actor}#{entry.generation}"
        name = f"{_escaped(label):<{self._width}}"
        first, *more = (mark + entry.message).splitlines() or [""]
        if self._colors:
            loud = _RED if entry.level >= logging.ERROR else _YELLOW if entry.level >= logging.WARNING else ""
            calm = _PLAIN if loud else ""
            moment, name = f"{_DIM}{moment}{_PLAIN}", f"{_BOLD}{name}{_PLAIN}"
            first, more = f"{loud}{first}{calm}", [f"{loud}{line}{calm}" for line in more]
        return [f"{moment} {name} {first}", *(f"{'':<{self._width + 13}} {line}" for line in more)]

    def count(self, entry: LogEntry) -> int:
        """See `LogFormat.count`."""
        return len(entry.message.splitlines()) or 1


class JsonFormat:
    """For programs: an object on one line, in ASCII, so that no reader can cut it elsewhere."""

    def lines(self, entry: LogEntry) -> list[str]:
        """See `LogFormat.lines`."""
        moment = datetime.fromtimestamp(entry.time, UTC)
        facts: Mapping[str, object] = {
            "time": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "level": logging.getLevelName(entry.level),
            "actor": entry.actor,
            "generation": entry.generation,
            "pid": entry.pid,
            "seq": entry.seq,
            "message": entry.message,
        }
        return [json.dumps({**facts, "dropped": entry.dropped} if entry.dropped else facts)]

    def count(self, _entry: LogEntry) -> int:
        """See `LogFormat.count`."""
        return 1


def wants_colors(output: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether `output` is a terminal that shows colours, and nobody has asked for none (NO_COLOR)."""
    try:
        terminal = output.isatty()
    except (AttributeError, ValueError):  # something that only knows write(), or was closed
        return False
    return terminal and not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"


def _escaped(name: str) -> str:
    return name.replace("\n", "\\n")
