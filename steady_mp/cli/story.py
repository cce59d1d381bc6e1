"""What happens in a run from now on, as its events tell it, to the very last one."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from steady_mp.memory.status import EVENTS_FILE

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path


class Story:
    """The events of a run as they are written.

    The run removes the file with its directory, right behind the last event; what is open can still be read then.
    """

    def __init__(self, directory: Path) -> None:
        """Begin behind what has happened already."""
        self._path = directory / EVENTS_FILE
        self._file: BufferedReader | None = None
        self._rest = b""
        self._events: dict[bytes, dict[str, Any]] = {}
        self.read()
        self._before = frozenset(self._events)

    def read(self) -> None:
        """Read what has been added, also where a file with the latest half has taken the place of the long one."""
        self._take()
        with suppress(OSError):
            fresh = self._path.open("rb")
            if self._file is not None and os.path.sameopenfile(self._file.fileno(), fresh.fileno()):
                fresh.close()
                return
            self.close()
            self._file, self._rest = fresh, b""
            self._take()

    def _take(self) -> None:
        if self._file is None:
            return
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        for line in lines:
            with suppress(ValueError):
                self._events[line] = json.loads(line)

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of one kind, oldest first."""
        return [event for line, event in self._events.items() if line not in self._before and event["kind"] == kind]

    def last(self, kind: str) -> dict[str, Any] | None:
        """Return the latest event of one kind; None when there was none."""
        return next(iter(self.all(kind)[-1:]), None)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
