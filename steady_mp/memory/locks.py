"""Locks on folders: held by a process, and gone with it however it ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def lock(folder: Path) -> int:
    """Lock a folder for as long as the returned descriptor is open. Raises BlockingIOError where it is, and OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder within; gives False, at once, where somebody else holds it.

    Where there are no locks it gives True: then nobody is kept out.
    """
    try:
        fd = lock(folder)
    except BlockingIOError:
        yield False
        return
    except OSError:
        yield True
        return
    try:
        yield True
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)  # a process that was forked meanwhile has the descriptor too
        os.close(fd)
