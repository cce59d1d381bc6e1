"""What an exit status means, in a word or two."""

from __future__ import annotations

import signal


def cause_of(status: int) -> str:
    """Say what an exit status means."""
    if status < 0:
        try:
            return signal.Signals(-status).name
        except ValueError:
            return f"signal {-status}"
    return f"exit code {status}" if status else "exit code 0 before its behavior had returned"
