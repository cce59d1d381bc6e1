"""A doorbell: how one process wakes another that sleeps in ``poll``.

It is a FIFO in the run directory. Anybody who can open the path may ring it, so nothing has to be
inherited and it outlives every incarnation of its owner. Both sides open it for reading and writing:
the owner never sees end-of-file, a ringer never needs a reader, and a ring for a dead owner waits in
the FIFO for its successor. A ring is only a hint to look again; a full FIFO is rung already.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_DRAIN: Final = 4096


class Doorbell:
    """One end of a doorbell, for its owner (`fd`, `clear`) and for its ringers (`ring`)."""

    __slots__ = ("fd",)

    def __init__(self, path: Path) -> None:
        """Open the FIFO at `path`; it must exist."""
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    @staticmethod
    def create(path: Path) -> None:
        """Make the FIFO."""
        os.mkfifo(path, 0o600)

    def ring(self) -> None:
        """Wake the owner. Never blocks."""
        try:  # noqa: SIM105 - each wake-up would pay for a context manager
            os.write(self.fd, b"\0")
        except BlockingIOError:
            pass

    def clear(self) -> None:
        """Forget the rings so far. Never blocks."""
        try:
            while len(os.read(self.fd, _DRAIN)) == _DRAIN:
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Close this end."""
        os.close(self.fd)
