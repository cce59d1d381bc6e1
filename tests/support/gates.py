"""Gates: a test lets actors go on, one step at a time or for good, and reads what they print."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from steady_mp.testing.lines import Lines

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from steady_mp import Actor, Tx

__all__ = ["Gate", "Lines", "feed", "open_gate"]


class Gate:
    """A FIFO that actors wait for with `Actor.wait_readable`; the test writes to it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        os.mkfifo(path)
        self._fd = open_gate(self.path)

    def give(self, data: bytes = b"\1") -> None:
        """Let somebody go on; each byte is for one step."""
        os.write(self._fd, data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)


def open_gate(path: str) -> int:
    """Open a gate for waiting and reading; it never comes to an end."""
    return os.open(path, os.O_RDWR | os.O_NONBLOCK)


def feed(actor: Actor, gate: str, out: Tx[int]) -> None:
    """Send each byte that comes through the gate; a zero ends the stream."""
    fd = open_gate(gate)
    while actor.is_running(veto=lambda: "its stream has not ended"):
        actor.await_for_any(actor.wait_readable(fd))
        try:
            data = os.read(fd, 1)
        except BlockingIOError:
            continue
        if data == b"\0":
            return
        out.send(data[0])
