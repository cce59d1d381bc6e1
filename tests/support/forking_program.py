"""A program that holds a folder and forks: ``python -m tests.support.forking_program FOLDER HOW``.

It holds the folder of a durable run, or with ``sweeps`` that of all runs. It ends by a signal; with ``lets go`` it has
let go of the folder before. Its child lives on in any case, and has only what a fork leaves it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from steady_mp.memory.locks import alone
from steady_mp.memory.rundir import RunDir


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def fork() -> None:
    if os.fork() == 0:
        tell(f"forked {os.getpid()}")
        os.closerange(0, 3)
        signal.pause()
        os._exit(0)


def main(folder: Path, how: str) -> None:
    if how == "sweeps":
        with alone(folder) as is_ours:
            assert is_ours
            fork()
            signal.pause()
    run = RunDir.create_durable(folder, {}, {})
    run.begin()
    fork()
    if how == "lets go":
        run.remove()
    tell("done")
    signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
