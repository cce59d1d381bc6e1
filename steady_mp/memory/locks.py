"""Locks on folders: held by a process, and gone with it however it ends, though a fork of it may live on."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakSet

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


class Hold:
    """The lock of a folder, until it is released, forgotten, or the process is gone.

    It is a descriptor's, so a process that is forked meanwhile would have it too: such a one lets go of it at once.
    """

    __slots__ = ("__weakref__", "_fd")

    def __init__(self, folder: Path) -> None:
        """Lock the folder. Raises as `lock` does."""
        self._fd: int | None = None
        _holds().add(self)
        self._fd = lock(folder)

    def release(self) -> None:
        """Let go of the folder."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(self._fd, fcntl.LOCK_UN)  # whoever was forked by C code has the descriptor still
        self.forget()

    def forget(self) -> None:
        """Close the descriptor, and let the lock be: in a fork it is somebody else's."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    __del__ = forget


@functools.cache
def _holds() -> WeakSet[Hold]:
    """Return those of this process; from the first one on a fork of it forgets them."""
    holds: WeakSet[Hold] = WeakSet()

    def forget_all() -> None:
        for hold in list(holds):
            hold.forget()

    os.register_at_fork(after_in_child=forget_all)
    return holds


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder within; gives False, at once, where somebody else holds it.

    Where there are no locks it gives True: then nobody is kept out.
    """
    try:
        hold = Hold(folder)
    except BlockingIOError:
        yield False
        return
    except OSError:
        yield True
        return
    try:
        yield True
    finally:
        hold.release()
