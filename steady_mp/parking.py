"""How an actor sleeps: one `poll` over everything that may wake it."""

from __future__ import annotations

import os
import select
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.memory.doorbell import Doorbell

#: Seconds after which a sleeper looks again unasked. Each time that this finds something is counted
#: as a rescue; no test may need one.
SAFETY: Final = 5.0

#: Exit status of an actor whose supervisor is gone; nobody is left to read it.
ORPHANED: Final = 120


class Wake(Enum):
    """Why a sleep ended."""

    RUNG = "rung"
    TIMER = "timer"
    SAFETY = "safety"


class Parker(Protocol):
    """Puts the calling actor to sleep."""

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> Wake:
        """Sleep until rung, until one of `fds` is readable, or for `seconds`."""


class PollParker:
    """Sleeps in ``poll``; ends the process when the supervisor's end of the lifeline closes."""

    __slots__ = ("_bell", "_lifeline", "_orphaned", "_poll")

    def __init__(self, bell: Doorbell, lifeline: int, orphaned: Callable[[], None]) -> None:
        """Watch the actor's own bell and the lifeline."""
        self._bell = bell
        self._lifeline = lifeline
        self._orphaned = orphaned
        self._poll = select.poll()
        self._poll.register(bell.fd, select.POLLIN)
        self._poll.register(lifeline, select.POLLIN)

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> Wake:
        """See `Parker.sleep`."""
        for fd in fds:
            self._poll.register(fd, select.POLLIN)
        wait = SAFETY if seconds is None else min(seconds, SAFETY)
        # poll counts whole milliseconds: round up, or a timer would spin through its last one.
        ready = self._poll.poll(max(0, -int(-wait * 1000 // 1)))
        for fd in fds:
            self._poll.unregister(fd)
        for fd, _ in ready:
            if fd == self._bell.fd:
                self._bell.clear()
            elif fd == self._lifeline:
                self._orphaned()
        if ready:
            return Wake.RUNG
        return Wake.TIMER if seconds is not None and seconds <= SAFETY else Wake.SAFETY


def is_readable(fd: int) -> bool:
    """Tell whether reading from `fd` would not block. Raises OSError for a descriptor that is not open."""
    probe = select.poll()
    probe.register(fd, select.POLLIN)
    ready = probe.poll(0)
    if ready and ready[0][1] & select.POLLNVAL:
        raise OSError(9, os.strerror(9), f"descriptor {fd}")
    return bool(ready)
