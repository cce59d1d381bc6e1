"""What saving the state costs: counted in the control block, and warned about where it is too much."""

from __future__ import annotations

import logging
from typing import Final

from steady_mp.memory import layout

#: Seconds over which it is weighed.
_WINDOW: Final = 5.0
#: Share of the time in which the actor did not wait that is too much.
_SHARE: Final = 0.2
#: Seconds in a window that nobody would miss, however short the time in which the actor did not wait.
_LITTLE: Final = 0.1


class SnapshotCost:
    """The snapshots of one life. Only the thread that commits may use it."""

    __slots__ = ("_cost", "_due", "_since", "_spent", "_waited", "_words", "_written")

    def __init__(self, words: memoryview, now: float) -> None:
        """Count in the control block's `words`, where the lives before have counted."""
        self._words = words
        #: What stands in the words, which nobody else writes.
        self._spent = words[layout.SNAPSHOT_NS]
        self._written = words[layout.SNAPSHOT_BYTES]
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._since = now
        self._due = now + _WINDOW
        self._cost = self._spent
        self._waited = self._words[layout.WAITED_NS]

    def add(self, now: float, seconds: float, size: int, *, written: bool) -> None:
        """Count the `seconds` that a snapshot of `size` bytes has taken; it may not have been `written`."""
        self._spent += int(seconds * 1e9)
        self._words[layout.SNAPSHOT_NS] = self._spent
        if written:
            self._written += size
            self._words[layout.SNAPSHOT_BYTES] = self._written
        if now >= self._due:
            self._weigh(now, size)

    def _weigh(self, now: float, size: int) -> None:
        spent = (self._spent - self._cost) * 1e-9
        busy = now - self._since - (self._words[layout.WAITED_NS] - self._waited) * 1e-9
        self._begin(now)
        if spent > _LITTLE and spent > _SHARE * busy:
            self._due = float("inf")  # once in a life is enough
            logging.getLogger("steady_mp").warning(
                "saving its state takes %.0f %% of the time in which this actor does not wait (%s bytes the last "
                "time): each commit saves all of it, so keep less in it, or space its commits "
                "(commit_every=CommitEvery(…))",
                min(100.0, 100 * spent / busy) if busy > 0 else 100.0,
                f"{size:,}",
            )
