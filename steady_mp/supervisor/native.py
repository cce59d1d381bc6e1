"""What Python has no function for: three system calls, and the title in ps. Each does nothing where it can't be had."""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_PR_SET_CHILD_SUBREAPER: Final = 36
_COMM_LENGTH: Final = 15
_KEEP_ENVIRONMENT: Final = "SPT_NOENV"

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
    """Show `name`, cut to 15 bytes at the end of a letter, as the process's name in top and `ps -o comm`."""
    if _prctl is not None:
        short = name.encode(errors="replace")[:_COMM_LENGTH].decode(errors="ignore")
        _prctl(_PR_SET_NAME, short.encode(), 0, 0, 0)


class Title:
    """The process's title, which ps shows in the place of its command line.

    The kernel shows the memory in which the arguments began, and only a library in C can write there: setproctitle,
    the extra `title`. Make this before any fork, so that no child has to import it.
    """

    __slots__ = ("_write",)

    def __init__(self, library: str = "setproctitle") -> None:
        """Load the library, if it is there."""
        self._write: Callable[[str], None] | None = None
        if _prctl is None:
            return  # elsewhere the library asks the window system, which no fork without an exec may do
        # It would take the memory of the environment as well, where leftovers of a run are known by its mark.
        os.environ[_KEEP_ENVIRONMENT] = "1"
        try:
            module = importlib.import_module(library)
            module.getproctitle()  # looks for that memory now
            self._write = module.setproctitle
        except (ImportError, AttributeError):
            return
        finally:
            del os.environ[_KEEP_ENVIRONMENT]

    def set(self, title: str) -> None:
        """Show `title`, with its line breaks as spaces. It changes the name too, so `set_name` comes after it."""
        if self._write is not None:
            self._write(" ".join(title.split()))
