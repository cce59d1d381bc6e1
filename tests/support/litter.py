"""What a test may leave behind: processes and descriptors."""

from __future__ import annotations

import contextlib
import gc
import os
from pathlib import Path

import psutil

from tests.support.waiting import eventually

_GRACE = 2.0


def descriptors() -> dict[int, str]:
    """Return the open descriptors of this process and what they lead to."""
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that lists the directory is gone by now
            found[int(entry.name)] = str(entry.readlink())
    return found


def opened_since(before: dict[int, str]) -> list[str]:
    """Return what was opened since `before` and stays open, after a moment for threads that are about to end."""

    def fresh() -> list[str]:
        # rich opens /dev/null for good when nobody reads what it prints.
        return [
            f"descriptor {fd} → {to}" for fd, to in descriptors().items() if before.get(fd) != to and to != os.devnull
        ]

    if not eventually(lambda: not fresh(), seconds=_GRACE / 4):
        gc.collect()  # what nobody refers to any more is not left behind
        eventually(lambda: not fresh(), seconds=_GRACE)
    return fresh()


def descendants() -> list[psutil.Process]:
    """Return all living descendants of this process; the dead are reaped."""
    living = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                living.append(process)
            elif process.ppid() == os.getpid():
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process.pid, os.WNOHANG)
    return living


def reap_processes() -> list[str]:
    """Wait a moment for all descendants to end; return and kill the ones that do not."""
    if eventually(lambda: not descendants(), seconds=_GRACE):
        return []
    left = []
    for process in descendants():
        with contextlib.suppress(psutil.NoSuchProcess):
            left.append(f"process {process.pid} {process.name()} {' '.join(process.cmdline())[:100]}")
            process.kill()
    eventually(lambda: not descendants(), seconds=_GRACE)
    return left
