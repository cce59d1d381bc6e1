"""The nudge: wakes a thread that waits in `poll`, from any other thread."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

_CHUNK: Final = 1 << 12


class Nudge:
    """A pair of sockets once it is open; does nothing while it is not."""

    def __init__(self) -> None:
        """Begin closed."""
        self._ends: tuple[socket.socket, ...] = ()

    def open(self) -> None:
        """Open it."""
        self._ends = socket.socketpair()
        for end in self._ends:
            end.settimeout(0.0)

    def give(self) -> None:
        """Make it readable. Never blocks, and may come too late."""
        with contextlib.suppress(OSError):  # there are enough already, or nobody waits any more
            for end in self._ends[1:]:
                end.send(b"\0")

    def take(self) -> None:
        """Make it unreadable again."""
        with contextlib.suppress(BlockingIOError):
            for end in self._ends[:1]:
                end.recv(_CHUNK)

    @property
    def descriptors(self) -> list[int]:
        """What to poll."""
        return [end.fileno() for end in self._ends[:1]]

    def close(self) -> None:
        """Close it."""
        for end in self._ends:
            end.close()
        self._ends = ()
