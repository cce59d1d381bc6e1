"""Who is killed in the restart: producers in a process that has imported numpy, as one with some work has.

numpy is imported here and nowhere else, so that a life without it in the benchmarks stays one.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from steady_mp import Actor, SteadyState, Tx

with contextlib.suppress(ImportError):  # the restart is skipped by name without it
    import numpy  # noqa: F401, ICN001 - only to have it loaded


@dataclass
class Sent:
    """The state of the victim."""

    count: int = 0


def victim(actor: Actor, tx: Tx[int], state: SteadyState[Sent]) -> None:
    """Send the number of this process, again and again."""
    sent = state.acquire(Sent)
    pid = os.getpid()
    while actor.is_running():
        tx.send(pid)
        sent.count += 1


def send_pid(writer: Connection) -> None:
    """Do the same over a pipe."""
    pid = os.getpid()
    while True:
        writer.send(pid)


#: Where a bare worker says which process it is, and what it counts.
WHO, COUNT = 0, 1
#: Seconds that a bare worker has for itself before the next one is forked.
_CALM = 0.005


def keep(path: Path, bell: Connection) -> None:
    """Have a bare worker at work, and another one ready that needs but a byte to be it."""
    with path.open("r+b") as file:
        words = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
    working = 0
    while True:
        ready, order = _stand_by(words, bell)
        if working:
            os.waitpid(working, 0)
        os.write(order, b"\0")
        os.close(order)
        working = ready
        time.sleep(_CALM)


def _stand_by(words: memoryview, bell: Connection) -> tuple[int, int]:
    """Fork a worker that waits; return its process, and where to write the byte."""
    wait, order = os.pipe()
    keeper, pid = os.getpid(), os.fork()
    if pid:
        os.close(wait)
        return pid, order
    try:
        os.close(order)
        if os.read(wait, 1):
            words[WHO] = os.getpid()
            os.write(bell.fileno(), b"\0")
            while os.getppid() == keeper:
                words[COUNT] += 1
    finally:
        os._exit(0)
