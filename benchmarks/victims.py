"""Who is killed in the restart: producers in a process that has imported numpy, as one with some work has.

numpy is imported here and nowhere else, so that a life without it in the benchmarks stays one.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

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
