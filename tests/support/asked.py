"""Actors that somebody asks something while a system call holds them, and ones that leave in ways of their own."""

from __future__ import annotations

import atexit
import ctypes
import errno
import os
import sys
from typing import TYPE_CHECKING

from tests.support.gates import open_gate

if TYPE_CHECKING:
    from steady_mp import Actor, SteadyState, Tx

_MINUTE_MS = 60_000


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201 - the test waits for it


def poll_natively(actor: Actor) -> None:
    """Wait in C code that does not repeat a system call, and say once how that ended."""
    libc = ctypes.CDLL(None, use_errno=True)
    say("polling")
    found = libc.poll(None, 0, _MINUTE_MS)
    say(f"poll gave {found}, {errno.errorcode.get(ctypes.get_errno(), '')}")
    while actor.is_running():
        actor.await_for_all(actor.wait_shutdown())


def stay_deaf(actor: Actor, fifo: str) -> None:
    """Hang in a system call that no signal interrupts, until somebody opens `fifo`.

    A process that spawns another one with vfork stands still until that runs its program; and this one can't before it
    has opened its input.
    """
    opened = [(os.POSIX_SPAWN_OPEN, 0, fifo, os.O_RDONLY, 0)]
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], os.environ, file_actions=opened)
    os.waitpid(pid, 0)
    say("hears again")
    while actor.is_running():
        actor.await_for_all(actor.wait_shutdown())


def leave_tidily(actor: Actor) -> None:
    """Say at the end of a life that it is one, in each way that Python has for that."""
    atexit.register(say, f"atexit of life {actor.generation}")
    try:
        say(f"life {actor.generation} is at work")
        while actor.is_running():
            actor.await_for_all(actor.wait_shutdown())
    finally:
        say(f"finally of life {actor.generation}")


def send_in_two_goes(actor: Actor, numbers: Tx[int], first: int, gate: str, sent: SteadyState[list[int]]) -> None:
    """Send the numbers below `first`; behind the gate as many again; and stay until the graph is to stop."""
    fd = open_gate(gate)
    count = sent.acquire(lambda: [0])
    while actor.is_running():
        if count[0] < first:
            numbers.send(count[0])
            count[0] += 1
        elif count[0] == first:
            if actor.await_for_all(actor.wait_readable(fd)):
                numbers.send_slice(range(first, 2 * first))
                count[0] = 2 * first
        else:
            actor.await_for_all(actor.wait_shutdown())
