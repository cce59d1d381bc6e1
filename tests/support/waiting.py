"""Waiting for something that tells nobody when it happens: look again and again, up to a deadline.

No test sleeps for a time and hopes. Where an event tells (`watch.Watch`, a gate, a process's end), a test
waits for that; the rest waits here, as long as it takes, and fails at the deadline only.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_INTERVAL = 0.01
_never = threading.Event()


def let_pass(seconds: float) -> None:
    """Let time pass, for tests about what must not happen meanwhile (and for nothing else)."""
    _never.wait(seconds)


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait until `holds` answers True; tell whether it did within `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() >= deadline:
            return False
        let_pass(_INTERVAL)
    return True
