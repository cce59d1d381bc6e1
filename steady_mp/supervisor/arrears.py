"""Lives that the fork server could not fork, for want of processes or memory: it tries again, ever more rarely."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.supervisor.spare import Role

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0


class Arrears:
    """Knows who waits for a fork, and when the next one is to be tried."""

    __slots__ = ("_clock", "_due", "_pause", "roles")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nobody."""
        self._clock = clock
        self.roles: deque[Role] = deque()
        self._pause = 0.0
        self._due = 0.0

    def put(self, role: Role) -> bool:
        """Have a life, whose fork was refused just now, wait; tell whether that is the first since one was not."""
        is_news = not self._pause
        self.roles.append(role)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE) or _FIRST_PAUSE
        self._due = self._clock() + self._pause
        return is_news

    def patience(self, other: float | None) -> float | None:
        """Milliseconds until a fork is to be tried, or `other` where that is less; None where neither is."""
        if not self.roles:
            return other
        mine = max(0.0, (self._due - self._clock()) * 1000)
        return mine if other is None else min(mine, other)

    def due(self) -> Role | None:
        """Return the life that is to be forked now, once."""
        return self.roles.popleft() if self.patience(None) == 0.0 else None

    def forked(self) -> None:
        """A fork was not refused: the others can be forked at once."""
        self._pause = self._due = 0.0
