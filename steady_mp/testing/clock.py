"""A clock that only a test moves."""

from __future__ import annotations


class ManualClock:
    """Seconds that pass when told to; call it for the time."""

    def __init__(self, start: float = 0.0) -> None:
        """Stand at `start`."""
        self._now = start

    def __call__(self) -> float:
        """Return the time."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass. Raises ValueError for less than 0, and for what is no number."""
        if not seconds >= 0:
            message = f"a clock can't go back {-seconds} s"
            raise ValueError(message)
        self._now += seconds
