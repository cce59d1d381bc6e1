"""Waiting for what tells nobody when it happens: look again and again, up to a deadline."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_INTERVAL: Final = 0.01
#: The most seconds to wait at once, for the system can't count any number of them; who waits then looks again.
_LONGEST: Final = 86_400.0


def time_left(deadline: float) -> float:
    """Return how many seconds to wait now for what is waited for until `deadline`; there may be none."""
    return min(_LONGEST, max(0.0, deadline - time.monotonic()))


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait until `holds` answers True; tell whether it did within `seconds`.

    Where something tells (an event, a log line, a descriptor), wait for that instead.
    """
    never = threading.Event()
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() >= deadline:
            return False
        never.wait(_INTERVAL)
    return True
