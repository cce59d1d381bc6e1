"""How an actor stands, in one word: the same for the stall watch, for telemetry and for every command.

An actor says by itself when it last looked up: it stores LOOKED_NS as it settles its turns, and as it awakes, before it
stores the phase. So one look at its words is enough, and nobody has to watch it for a while. In a group of turns that
is at most a millisecond, or twelve turns, behind; for an actor with a `stall_timeout`, one turn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import psutil

from steady_mp.memory import layout

#: Seconds in its own code without having looked up, after which an actor counts as stuck that has no `stall_timeout`.
STALL: Final = 10.0
_NS: Final = 1e-9


class Halt(NamedTuple):
    """What the system says of a process that does not go on."""

    #: SIGSTOP, or a signal like it.
    stopped: bool = False
    #: Another process traces it, or holds it there.
    traced: bool = False


def halt_of(pid: int) -> Halt:
    """Ask the system about a process; nothing is said of one that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_bytes().splitlines()
    except FileNotFoundError:
        return _ask_psutil(pid)
    except OSError:
        return Halt()
    rows = dict(line.split(b":", 1) for line in lines if b":" in line)
    letter = rows.get(b"State", b"").strip()[:1]
    return Halt(letter == b"T", letter == b"t" or rows.get(b"TracerPid", b"0").strip() not in {b"0", b""})


def _ask_psutil(pid: int) -> Halt:
    """For systems without /proc, which do not tell who traces."""
    try:
        status = psutil.Process(pid).status()
    except (psutil.Error, OSError):
        return Halt()
    return Halt(status == psutil.STATUS_STOPPED, status == psutil.STATUS_TRACING_STOP)


def seconds_in_its_code(words: memoryview, now: float) -> float:
    """Return how long an actor has not looked up, as of `now` (monotonic); 0 while it waits."""
    if words[layout.PHASE] == layout.PHASE_WAITING:
        return 0.0
    # Only now: whoever has awoken stored when before the phase.
    looked = words[layout.LOOKED_NS]
    return max(0.0, now - looked * _NS) if looked else 0.0


def word_for(  # noqa: PLR0913 - keyword only
    *, phase: int, blocked: bool, halt: Halt, debugged: bool, seconds: float, stall: float | None
) -> str:
    """Return the word for an actor with a process, `seconds` in its own code."""
    if halt.stopped:
        return "stopped"
    if debugged:
        return "debugged"
    if phase == layout.PHASE_WAITING:
        return "blocked" if blocked else "idle"
    if halt.traced:
        return "debugged"
    if seconds >= (STALL if stall is None else stall):
        return "stuck"
    return "starting" if phase == layout.PHASE_STARTING else "running"


def is_debugged(words: memoryview) -> bool:
    """Tell whether a debugger in the actor's own process holds it up."""
    return bool(words[layout.DEBUGGED])
