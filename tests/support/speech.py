"""Behaviors that print and log."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steady_mp import Actor, SteadyState, Tx

LONG = 3000
#: As a default argument holds it.
OUT = sys.stdout


@dataclass
class Said:
    count: int = 0


def talk(actor: Actor, word: str, total: int, state: SteadyState[Said]) -> None:
    """Print long lines, and log one here and there."""
    said = state.acquire(Said)
    while actor.is_running() and said.count < total:
        print(f"<{said.count} {word * LONG}>")  # noqa: T201 - what is tested
        if said.count % 10 == 0:
            actor.log.warning("{%d\nof %s}", said.count, word)
        said.count += 1


def last_words(actor: Actor, state: SteadyState[Said]) -> None:
    """Say something in every way there is, and die at once."""
    said = state.acquire(Said)
    if actor.generation > 1:
        return
    said.count += 1
    print("printed")  # noqa: T201 - what is tested
    print("to stderr", file=sys.stderr)  # noqa: T201
    logging.getLogger("some.library").error("logged by a library")
    os.write(1, b"below Python\n")
    subprocess.run(["sh", "-c", "echo by a child"], check=True)  # noqa: S607
    print("\\n stays \\n, ä stays ä, \udc80 does not break it")  # noqa: T201
    actor.log.info("logged last")
    print("without an end", end="", flush=True)  # noqa: T201
    os.kill(os.getpid(), signal.SIGKILL)


def hold(actor: Actor) -> None:
    """Speak through the standard output as it was when this module was imported, and die at once."""
    if actor.generation == 1:
        print("through what it had", file=OUT)
        os.kill(os.getpid(), signal.SIGKILL)


def mute(actor: Actor, out: Tx[int], total: int, state: SteadyState[Said]) -> None:
    """Do without a standard output."""
    sys.stdout = None
    said = state.acquire(Said)
    while actor.is_running() and said.count < total:
        out.send(said.count)
        said.count += 1


def half_a_line(actor: Actor, state: SteadyState[Said]) -> None:
    """Print a line and the beginning of another one, and die at once."""
    said = state.acquire(Said)
    if actor.generation > 1:
        return
    said.count += 1
    print("whole")  # noqa: T201 - what is tested
    print("half", end="")  # noqa: T201
    os.kill(os.getpid(), signal.SIGKILL)


def chatter(actor: Actor, total: int, state: SteadyState[Said]) -> None:
    """Print many lines, a hundred a turn."""
    said = state.acquire(Said)
    while actor.is_running() and said.count < total:
        for _ in range(100):
            print("line", said.count)  # noqa: T201 - what is tested
            said.count += 1


def recite(actor: Actor, total: int, state: SteadyState[Said]) -> None:
    """Say line after line, each with its number, in every way there is, a hundred a turn."""
    said = state.acquire(Said)
    while actor.is_running() and said.count < total:
        for _ in range(100):
            number = said.count
            said.count += 1
            if number % 3:
                print(f"<{number}> printed ä {{}}")  # noqa: T201 - what is tested
            elif number % 2:
                actor.log.info('<%d> logged\nin "two" lines', number)
            else:
                try:
                    _stumble(number)
                except ValueError:
                    actor.log.exception("<%d> failed", number)


def _stumble(number: int) -> None:
    message = f"no {number}"
    raise ValueError(message)


def fail(actor: Actor) -> None:
    """Begin a line, and fail of two errors."""
    print("reading…", end="", flush=True)  # noqa: T201 - what is tested
    try:
        actor.log.error("in the middle of a line")
        os.environ["NO SUCH VARIABLE"]
    except KeyError as error:
        raise ValueError("no good") from error
