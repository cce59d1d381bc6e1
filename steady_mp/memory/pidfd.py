"""A descriptor of a process, on Linux: its pid may be given again, the descriptor stays that of the one process.

The kernel has them since 5.3. A Python that was built with older headers has no functions for them, as that of conda
and many of those of uv: then the system is called by number.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import sys
from typing import Final

# The same on x86-64 and AArch64.
_SEND_SIGNAL: Final = 424
_OPEN: Final = 434


def pidfd_open(pid: int) -> int:
    """Return a descriptor of a process, which is readable once that is gone. Raises OSError."""
    known = getattr(os, "pidfd_open", None)
    return _call(_OPEN, pid, 0) if known is None else int(known(pid))


def pidfd_send_signal(fd: int, number: int) -> None:
    """Send a signal to the process that a descriptor is of. Raises OSError."""
    known = getattr(signal, "pidfd_send_signal", None)
    if known is None:
        _call(_SEND_SIGNAL, fd, number, 0, 0)
    else:
        known(fd, number)


def wait_gone(fd: int) -> None:
    """Block until the process that a descriptor is of is gone."""
    probe = select.poll()
    probe.register(fd, select.POLLIN)
    probe.poll()


def _call(number: int, *words: int) -> int:
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    import ctypes  # noqa: PLC0415 - only where Python has no function

    found = int(ctypes.CDLL(None, use_errno=True).syscall(*map(ctypes.c_long, (number, *words))))
    if found < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return found
