"""Threshold: how a receiving end asks to be rung when the producer's tail reaches a number."""

from __future__ import annotations

from steady_mp.memory import layout


class Threshold:
    """The word WAKE_TAIL of a channel, as its consumer uses it: the lowest of what was asked for stands in it."""

    __slots__ = ("_armed", "_words")

    _words: memoryview
    _armed: int

    def arm(self, target: int) -> None:
        """Ask the producer to ring once its tail reaches `target`."""
        if target < self._armed:
            self._words[layout.WAKE_TAIL] = self._armed = target

    def arm_change(self) -> None:
        """Ask the producer to ring at its next commit that sends something."""
        self.arm(self._words[layout.TAIL] + 1)

    def disarm(self) -> None:
        """Ask for nothing any more."""
        if self._armed != layout.NEVER:
            self._words[layout.WAKE_TAIL] = self._armed = layout.NEVER

    def is_overtaken(self) -> bool:
        """Tell whether the tail has reached what was armed, so that no ring may come for it."""
        return self._words[layout.TAIL] >= self._armed
