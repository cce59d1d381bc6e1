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
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_STDERR: Final = 2
_THREAD: Final = re.compile(r"^(?=(?:Current t|T)hread 0x)", re.MULTILINE)
_FRAME: Final = re.compile(r'^  File "(?P<path>.*)", line (?P<line>\d+) in (?P<function>.*)$', re.MULTILINE)
#: Asks for a dump into the file: a real-time signal, which hardly anybody uses. macOS has none; SIGINFO does no harm.
ASK: Final[int] = signal.SIGRTMAX - 5 if sys.platform == "linux" else 29


class Dumps(NamedTuple):
    """The descriptors of an actor's two files for dumps; None where there could be none, as on a full file system."""

    #: For when a signal asks for it. Whoever sends `ASK` empties the file before.
    asked: int | None
    #: For before a fatal signal kills; the supervisor puts it into the log.
    fault: int | None

    @classmethod
    def open(cls, asked: Path, fault: Path, *, create: bool = True) -> Dumps:
        """Open the files with whatever is in them."""
        flags = os.O_CREAT if create else 0
        return cls(_open(asked, flags), _open(fault, flags))

    def begin(self) -> None:
        """Empty the files, and dump all stacks of this process there from here on, and into its log at SIGQUIT."""
        for fd in self:
            if fd is not None:
                os.ftruncate(fd, 0)
        faulthandler.enable(_STDERR if self.fault is None else self.fault)
        faulthandler.register(signal.SIGQUIT, _STDERR)
        if self.asked is not None:
            faulthandler.register(ASK, self.asked)

    def close(self) -> None:
        """Close the files."""
        for fd in self:
            if fd is not None:
                os.close(fd)


def _open(path: Path, flags: int) -> int | None:
    with contextlib.suppress(OSError):
        # Appending, so that it starts anew wherever somebody else has cut the file.
        return os.open(path, flags | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
    return None


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
