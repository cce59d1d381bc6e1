"""The program `steady-mp`, and `python -m steady_mp`: a Ctrl-C while it is loaded ends it as one at work does."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from steady_mp.errors import ExitCode


def main() -> int:
    """Load the command, which takes a third of a second, and run it; gives the exit status."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:  # as a shell does for what it runs in the background
        signal.signal(signal.SIGINT, _leave)
    from steady_mp.cli.main import main as command  # noqa: PLC0415 - only now is it heard

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
