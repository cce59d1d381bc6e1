"""What an exit status means, in a word or two, and an error without what it holds."""

from __future__ import annotations

import signal
import traceback


def cause_of(status: int) -> str:
    """Say what an exit status means."""
    if status < 0:
        try:
            return signal.Signals(-status).name
        except ValueError:
            return f"signal {-status}"
    return f"exit code {status}" if status else "exit code 0 before its behavior had returned"


def forget_frames(error: BaseException | None) -> None:
    """Let go of what the frames behind an error hold, which is kept: a view of a mapped file keeps that mapped."""
    seen: set[int] = set()
    errors = [error]
    while errors:
        each = errors.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            traceback.clear_frames(each.__traceback__)
            errors += (each.__cause__, each.__context__)
