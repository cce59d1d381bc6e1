"""Asking the supervisor of a living run for something that no signal can say; see `steady_mp.supervisor.errands`."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from steady_mp.cli.runs import open_status
from steady_mp.errors import SteadyError
from steady_mp.memory.doorbell import Doorbell
from steady_mp.memory.files import make_folder
from steady_mp.plan import SUPERVISOR_BELL
from steady_mp.supervisor.errands import ANSWERED, ASKED, FOLDER

if TYPE_CHECKING:
    from pathlib import Path

#: Seconds that a supervisor has to answer, and between two looks.
_PATIENCE: Final = 10.0
_PAUSE: Final = 0.02


def ask(directory: Path, errand: str, **details: Any) -> str:  # noqa: ANN401 - whatever the errand needs, as JSON has it
    """Have the supervisor do an errand; gives what it says. Blocks until it has, ten seconds at most.

    Raises SteadyError with the supervisor's reason where it refuses, and where there is no supervisor.
    """
    run = open_status(directory)
    if run.status.owner.is_foreign:
        raise SteadyError(f"{run.status.graph} runs in another container: run the command there")
    if not run.is_alive:
        raise SteadyError(
            f"{run.status.graph} is not running: its supervisor {run.status.pid} is gone; a durable run goes on by "
            "`steady-mp run --resume DIR`, which starts every actor that has not finished, also one that was given up"
        )
    folder = directory / FOLDER
    name = f"{os.getpid()}-{time.monotonic_ns()}"
    question, answer = folder / f"{name}{ASKED}", folder / f"{name}{ANSWERED}"
    try:
        make_folder(folder, exist_ok=True)
        _hand_over(folder, directory)
        draft = folder / f"{name}.draft"
        draft.write_text(json.dumps({"errand": errand, **details}))
        _hand_over(draft, directory)
        draft.replace(question)
        bell = Doorbell(directory / SUPERVISOR_BELL)
    except OSError as error:
        raise SteadyError(f"{directory} can't be written: {error.strerror}") from None
    bell.ring()
    bell.close()
    never = threading.Event()
    deadline = time.monotonic() + _PATIENCE
    while not answer.exists():
        if time.monotonic() >= deadline or run.status.owner.is_dead():
            question.unlink(missing_ok=True)
            raise SteadyError(
                f"supervisor {run.status.pid} of {run.status.graph} does not answer: it is stopped or gone"
            )
        never.wait(_PAUSE)
    told = json.loads(answer.read_bytes())
    answer.unlink(missing_ok=True)
    if not told["done"]:
        raise SteadyError(told["text"])
    return str(told["text"])


def _hand_over(path: Path, directory: Path) -> None:
    """Give what root has made to whom the run belongs: its supervisor has to read it. Raises OSError."""
    if os.geteuid() == 0:
        facts = directory.stat()
        os.chown(path, facts.st_uid, facts.st_gid)
