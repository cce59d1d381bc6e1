"""The three system calls that Python has no function for; each does nothing where there is none."""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_COMM_LENGTH = 15

_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def die_with_parent() -> None:
    """Be killed when the parent dies (when its thread does that forked this process)."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def outlive_parent() -> None:
    """Take `die_with_parent` back."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, 0, 0, 0, 0)


def become_subreaper() -> None:
    """Become the parent of orphaned grandchildren."""
    if _prctl is not None:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def set_name(name: str) -> None:
    """Show `name`, cut to 15 bytes, as the process's name in ps and top."""
    if _prctl is not None:
        _prctl(_PR_SET_NAME, ctypes.create_string_buffer(name.encode(errors="replace")[:_COMM_LENGTH]), 0, 0, 0)
