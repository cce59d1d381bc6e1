"""Waiting for something that tells nobody when it happens: look again and again, up to a deadline.

No test sleeps for a time and hopes. Where an event tells (`watch.Watch`, a gate, a process's end), a test
waits for that; the rest waits here, as long as it takes, and fails at the deadline only.
"""

from __future__ import annotations

import threading

from steady_mp.testing.waiting import eventually

__all__ = ["eventually", "let_pass"]

_never = threading.Event()


def let_pass(seconds: float) -> None:
    """Let time pass, for tests about what must not happen meanwhile (and for nothing else)."""
    _never.wait(seconds)
