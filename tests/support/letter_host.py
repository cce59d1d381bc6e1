"""A durable run that is killed while it makes a dead letter: ``python -m tests.support.letter_host FOLDER STEP``.

What the supervisor does to the folder of the letters is counted as Python tells of it, right before it happens.
At step number STEP the process says what it was about to do, and kills itself.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

from steady_mp import Graph, RestartPolicy
from tests.support import poisoned

TOTAL = 80
POISON = (30, 60)
#: Deaths after which a message is put aside.
AFTER = 2


def flow(cure: Path) -> Graph:
    """Declare a source of `TOTAL` numbers, and a sink that dies over `POISON`."""
    graph = Graph("letters", log_level="error")
    tx, rx = graph.channel(64, name="numbers", showstopper_after=AFTER)
    graph.actor("source", poisoned.patient_source, tx, TOTAL, graph.state())
    at_once = RestartPolicy(backoff=0.0, max_backoff=0.0)
    graph.actor("sink", poisoned.sink, rx, graph.state(), POISON, str(cure), restart=at_once)
    return graph


def step_of(event: str, arguments: tuple[Any, ...], letters: str) -> str:
    """Say what is about to happen to the letters; nothing for what only reads."""
    if event not in {"os.mkdir", "os.rename", "open"} or not isinstance(arguments[0], str | os.PathLike):
        return ""
    path = os.fspath(arguments[0])
    if not path.startswith(letters):
        return ""
    name = Path(path).name
    if event == "open":
        if arguments[1] is not None:  # what the opener does comes as an event of its own
            return ""
        if path == letters:
            return "settle the folder"
        return f"write {name}" if arguments[2] & os.O_CREAT else ""
    return f"{event.removeprefix('os.')} {name}"


def main(folder: Path, step: int) -> None:
    me, done = os.getpid(), 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal done
        if os.getpid() == me and (what := step_of(event, arguments, str(folder / "letters"))):
            done += 1
            if done == step:
                os.write(1, f"{what}\n".encode())
                os.kill(me, signal.SIGKILL)

    sys.addaudithook(hook)
    with flow(folder / "no cure").start(durable=folder, output=io.StringIO()) as run:
        run.block_until_stopped(30.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
