"""How an actor's process says where it is: into its log at SIGQUIT, into a file of the run at a signal of its own.

`faulthandler` writes in the signal's handler itself, in C, so an actor that is stuck answers too, also in the middle
of a call into C that keeps the interpreter's lock. Nobody has to trace the process, so nobody needs the right to.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_STDERR: Final = 2
#: Asks for a dump into the file: a real-time signal, which hardly anybody uses. macOS has none; SIGINFO does no harm.
ASK: Final[int] = signal.SIGRTMAX - 5 if sys.platform == "linux" else 29


def tell_stacks(path: Path) -> None:
    """Dump all stacks when a signal asks for it, and into the log before a fatal signal kills.

    Whoever sends `ASK` empties the file at `path` before.
    """
    faulthandler.enable(_STDERR)
    faulthandler.register(signal.SIGQUIT, _STDERR)
    with contextlib.suppress(OSError):  # a full file system: an actor without that file lives as well
        # Appending, so that it starts anew wherever somebody else has cut the file.
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        faulthandler.register(ASK, fd)
