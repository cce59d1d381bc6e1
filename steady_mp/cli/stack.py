"""`steady-mp stack`: where an actor is in its code, also when it hangs; no root and no ptrace.

The actor's own process writes the answer (`steady_mp.supervisor.stacks`). Nothing marks the end of such a dump, but
the thread that writes it blocks the signal for as long as it is in the handler, and the system tells that.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import psutil

from steady_mp.cli.kill import process_of
from steady_mp.cli.runs import Opened, find_run
from steady_mp.cli.view import printable, show, show_json
from steady_mp.errors import ExitCode, SteadyError
from steady_mp.memory import layout
from steady_mp.memory.signals import blocked_by, catches, is_pending
from steady_mp.memory.standing import halt_of
from steady_mp.plan import actor_file
from steady_mp.supervisor.stacks import ASK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from steady_mp.memory.owner import Owner

_PAUSE: Final = 0.01
#: Looks at a dump that does not grow, where the system does not tell whether it is written still.
_STILL: Final = 5


def stack(actor: str | None, which: str | None, *, timeout: float, as_json: bool) -> int:
    """Show the stacks of all threads of one actor, or of all; gives the exit status, 1 when one did not answer.

    Whoever has no process at present has nothing to say, and that is no failure. That its supervisor is gone, or in
    another container, is one. Blocks for `timeout` seconds at most for each. Raises SteadyError when the one that is
    asked can't answer.
    """
    with Opened(find_run(which)) as run:
        answers = gather(run, range(len(run.plan.actors)) if actor is None else [run.actor(actor)], timeout)
        nobody = run.status.owner.is_foreign or run.status.owner.is_dead()
    if actor is not None and answers[0]["stack"] is None:
        raise SteadyError(f"{actor}: {answers[0]['why']}")
    if as_json:
        show_json(answers)
    else:
        for answer in answers:
            show(*lines_of(answer))
    silent = any(answer["stack"] is None and (nobody or answer["pid"] is not None) for answer in answers)
    return ExitCode.UNCLEAN if silent else ExitCode.DRAINED


def gather(run: Opened, actors: Iterable[int], timeout: float) -> list[dict[str, Any]]:
    """Ask actors for their stacks, one after the other; one that gave none has said `why`."""
    answers: list[dict[str, Any]] = []
    for index in actors:
        name = run.plan.actors[index].name
        answer: dict[str, Any] = {"actor": name, "pid": None, "generation": None, "stack": None, "why": ""}
        answers.append(answer)
        try:
            process = process_of(run, index)
            answer.update(pid=process.pid, generation=run.control(index).words[layout.GENERATION])
            answer["stack"] = ask(process, run.directory / actor_file(index, "stack"), timeout)
        except SteadyError as error:
            answer["why"] = str(error).removeprefix(f"{name} ")
    return answers


def ask(process: Owner, path: Path, timeout: float) -> str:
    """Return the stacks of a process that dumps into `path`. Raises SteadyError, saying why it did not answer."""
    if halt_of(process.pid).stopped:
        raise SteadyError("it is stopped (SIGSTOP), and says nothing before `steady-mp kill ACTOR --signal CONT`")
    if catches(process.pid, ASK) is False:  # the signal would end it
        raise SteadyError("it does not listen for the question: it has only just begun, or its code took the signal")
    deaf = blocked_by(process.pid, ASK)
    try:
        os.truncate(path, 0)
        if not process.send(ASK):
            raise SteadyError("its process has ended meanwhile")
    except OSError as error:
        raise SteadyError(f"it can't be asked: {error}") from None
    pause = threading.Event()
    deadline = time.monotonic() + timeout
    sizes: list[int] = []
    while time.monotonic() < deadline:
        sizes = [*sizes[1 - _STILL :], path.stat().st_size if path.exists() else 0]
        if sizes[-1] and _is_whole(process, deaf, sizes):
            return path.read_text(encoding="utf-8", errors="replace")
        if process.is_dead():
            raise SteadyError("its process has ended meanwhile")
        pause.wait(_PAUSE)
    raise SteadyError(f"no answer within {timeout:g} s: {_why(process)}")


def _is_whole(process: Owner, deaf: set[str], sizes: list[int]) -> bool:
    if catches(process.pid, ASK) is None:
        return len(sizes) == _STILL and len(set(sizes)) == 1
    return not is_pending(process.pid, ASK) and blocked_by(process.pid, ASK) <= deaf


def _why(process: Owner) -> str:
    with suppress(psutil.Error):
        if psutil.Process(process.pid).status() == psutil.STATUS_DISK_SLEEP:
            return "it is in a system call that no signal interrupts (a device or a network file system)"
    if halt_of(process.pid).stopped:
        return "it was stopped (SIGSTOP) meanwhile"
    return "its threads block the signal, or the machine is too busy"


def lines_of(answer: dict[str, Any]) -> list[str]:
    """Return an answer as lines for people."""
    head = printable(answer["actor"])
    if answer["pid"] is not None:
        head += f", life {answer['generation']}, process {answer['pid']}"
    if answer["stack"] is None:
        return [f"{head}: {answer['why']}"]
    return [f"{head}:", *(f"  {printable(line)}" for line in answer["stack"].splitlines())]
