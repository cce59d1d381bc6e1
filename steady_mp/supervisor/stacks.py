"""How an actor's process says where it is: into its log at SIGQUIT, into a file of the run at a signal of its own.

`faulthandler` writes in the signal's handler itself, in C, so an actor that is stuck answers too, also in the middle
of a call into C that keeps the interpreter's lock. Nobody has to trace the process, so nobody needs the right to.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_STDERR: Final = 2
_THREAD: Final = re.compile(r"^(?=(?:Current t|T)hread 0x)", re.MULTILINE)
_FRAME: Final = re.compile(r'^  File "(?P<path>.*)", line (?P<line>\d+) in (?P<function>.*)$', re.MULTILINE)
#: Asks for a dump into the file: a real-time signal, which hardly anybody uses. macOS has none; SIGINFO does no harm.
ASK: Final[int] = signal.SIGRTMAX - 5 if sys.platform == "linux" else 29


def tell_stacks(path: Path, fault: Path) -> None:
    """Dump all stacks into `path` when a signal asks for it, and into `fault` before a fatal signal kills.

    Whoever sends `ASK` empties the file at `path` before. What is in `fault` the supervisor puts into the log.
    """
    faulthandler.enable(_STDERR)
    faulthandler.register(signal.SIGQUIT, _STDERR)
    with contextlib.suppress(OSError):  # a full file system: an actor without these files lives as well
        faulthandler.register(ASK, _open(path))
        faulthandler.enable(_open(fault))


def _open(path: Path) -> int:
    # Appending, so that it starts anew wherever somebody else has cut the file.
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)


def top_frame(dump: str) -> str:
    """Return where a dump says that an actor is, as ``folder/file.py:12 in function``; empty where it does not.

    Of several threads that is the one that a fatal signal has hit, else the main one, which comes last.
    """
    threads = _THREAD.split(dump)
    hit = [thread for thread in threads if thread.startswith("Current")] if dump.startswith("Fatal") else []
    frame = _FRAME.search((hit or threads)[-1])
    return place(frame["path"], int(frame["line"]), frame["function"]) if frame is not None else ""


def place(path: str, line: int, function: str) -> str:
    """Return a place in the code in short: ``folder/file.py:12 in function``."""
    return f"{'/'.join(path.split('/')[-2:])}:{line} in {function}"
