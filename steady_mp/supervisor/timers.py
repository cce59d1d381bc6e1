"""Timers: messages that the supervisor's loop gets later."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.supervisor.messages import Message

#: The most seconds to wait at once, for the system can't count any number of them; who waits then looks again.
LONGEST_WAIT: Final = 86_400.0


class Timers:
    """Messages with the times at which they are due."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Go by `clock`, in seconds."""
        self._clock = clock
        self._heap: list[tuple[float, int, Message]] = []
        self._serial = itertools.count()

    def after(self, seconds: float, message: Message) -> None:
        """Have `message` come up in so many seconds."""
        heapq.heappush(self._heap, (self._clock() + seconds, next(self._serial), message))

    @property
    def wait(self) -> float | None:
        """Seconds until the next one is due, a day at most; None where there is none."""
        return min(LONGEST_WAIT, max(0.0, self._heap[0][0] - self._clock())) if self._heap else None

    def due(self) -> list[Message]:
        """Return what is due by now, the earliest first, once."""
        now = self._clock()
        messages = []
        while self._heap and self._heap[0][0] <= now:
            messages.append(heapq.heappop(self._heap)[2])
        return messages
