"""What an exit status means, in a word or two, and an error: in words, and without what it holds."""

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


def shown(error: BaseException) -> str:
    """Return the repr of an error, or that it has none: it may be of the program's own class, and raise another one."""
    try:
        return repr(error)
    except BaseException:  # noqa: BLE001 - as above
        return f"{type(error).__name__}, which can't be shown"


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
