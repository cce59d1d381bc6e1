"""The program `steady-mp`, and `python -m steady_mp`: a Ctrl-C while it is loaded ends it as one at work does."""

from __future__ import annotations

import os
import signal
import sys
from typing import Final, NoReturn

from steady_mp.errors import ExitCode

_TOO_LITTLE: Final = "steady-mp: no memory to load the program: raise the limit (ulimit -v), or free some memory\n"


def main() -> int:
    """Load the command, which takes a third of a second, and run it; gives the exit status."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:  # as a shell does for what it runs in the background
        signal.signal(signal.SIGINT, _leave)
    try:
        from steady_mp.cli.main import main as command  # noqa: PLC0415 - only now is it heard
    except MemoryError:
        sys.stderr.write(_TOO_LITTLE)
        return ExitCode.UNCLEAN
    signal.signal(signal.SIGINT, before)
    return command()


def _leave(*_: object) -> NoReturn:
    # No exception: an import's own clean-up may swallow it, and where it passes through an `exec`, as that of each
    # dataclass, Python ends itself by the signal although it was handled.
    try:
        sys.stderr.write("steady-mp: interrupted\n")
    finally:
        os._exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
