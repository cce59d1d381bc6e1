"""Orphans: who adopts them, as process 1 does, gets the actors of a fork server that has died, and buries them."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Final

import psutil

from steady_mp.memory.pidfd import wait_gone

#: What `os.waitid` is told about a descriptor of a process.
_P_PIDFD: Final = 3


def bury(fd: int) -> None:
    """Block until the actor's process that a descriptor is of is gone.

    Where it has come to us as an orphan, it is buried with those of its process group that have come too.
    """
    wait_gone(fd)
    with contextlib.suppress(ChildProcessError):
        orphan = os.waitid(_P_PIDFD, fd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if orphan is not None:
            # The group's number is the zombie's pid, which nobody can be given before it is reaped.
            _bury_group(orphan.si_pid)
            os.waitid(_P_PIDFD, fd, os.WEXITED | os.WNOHANG)


def _bury_group(leader: int) -> None:
    """Kill and reap the members of a process group that are our children; the others come to us once these are gone."""
    done = {leader}
    while found := {child.pid for child in psutil.Process().children()} - done:
        done |= found
        for pid in found:
            with contextlib.suppress(
                ProcessLookupError, ChildProcessError, PermissionError
            ):  # it may be another user's
                if os.getpgid(pid) == leader:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
