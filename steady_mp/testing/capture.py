"""Capture of what an actor says where it runs in the test's own process: `print` and `logging`, as lines."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def as_lines(record: logging.LogRecord, text: str) -> list[str]:
    """Return the lines by which a run's log would show a record that is formatted as `text`."""
    mark = "" if record.levelno < logging.WARNING else f"{record.levelname}: "
    return (mark + text).splitlines() or [mark]


class _Handler(logging.Handler):
    """Adds each record as a run's log would show it."""

    def __init__(self, lines: list[str], level: int) -> None:
        super().__init__(level)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        self._lines += as_lines(record, self.format(record))


class _Tee:
    """Stands for an output: passes text on, and keeps its lines."""

    def __init__(self, lines: list[str], output: TextIO) -> None:
        self._lines = lines
        self._output = output
        self._rest = ""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else the output has
        return getattr(self._output, name)

    def write(self, text: str) -> int:
        """See `io.TextIOBase.write`."""
        *whole, self._rest = (self._rest + text).split("\n")
        self._lines += whole
        return self._output.write(text)

    def writelines(self, texts: Iterable[str]) -> None:
        """See `io.IOBase.writelines`."""
        for text in texts:
            self.write(text)

    def end(self) -> None:
        """Keep the last line even if nothing has ended it."""
        if self._rest:
            self._lines.append(self._rest)
            self._rest = ""


@contextmanager
def captured(lines: list[str], level: int) -> Iterator[None]:
    """Add to `lines` all that is printed, and logged at `level` or above, meanwhile; others still get it, too."""
    root = logging.getLogger()
    handler = _Handler(lines, level)
    usual_level, usual = root.level, (sys.stdout, sys.stderr)
    out, err = _Tee(lines, usual[0]), _Tee(lines, usual[1])
    root.addHandler(handler)
    root.setLevel(min(usual_level, level))
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        sys.stdout, sys.stderr = usual
        out.end()
        err.end()
        root.setLevel(usual_level)
        root.removeHandler(handler)
