"""Who a process is, so that only the provably dead are swept and nobody signals a stranger.

A pid alone is not an identity: it is given again, and it means another process in another pid
namespace (two containers may share one /dev/shm). An owner is the namespace, the pid and the time at
which the process started, which counts from the start of the machine and so says which start that was.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from steady_mp.memory.pidfd import pidfd_open, pidfd_send_signal

#: What a run directory is called: by its graph, its owner, and how many that one had before.
RUN_NAME: Final = re.compile(r"(?P<slug>[A-Za-z0-9_-]*)\.(?P<ns>\d+)\.(?P<pid>\d+)\.(?P<started>\d+)\.(?P<n>\d+)")
_PROC = Path("/proc")
#: Bits for the ticks since the start of the machine: three centuries and more.
_TICKS = 40


def _start_time(pid: int) -> int | None:
    """When the process started, in units that only compare; None when there is no such process.

    Raises OSError where that can't be found out, as without a descriptor to spare.
    """
    if (_PROC / "self/stat").exists():
        try:
            stat = (_PROC / str(pid) / "stat").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The name in parentheses may hold spaces and parentheses; what follows the last one is plain.
        fields = stat[stat.rindex(b")") + 2 :].split()
        return None if fields[0] in {b"Z", b"X"} else _boot() << _TICKS | int(fields[19])
    try:
        return int(psutil.Process(pid).create_time() * 1000)
    except psutil.NoSuchProcess:
        return None
    except psutil.Error as error:
        raise OSError(str(error)) from None


@functools.cache
def _boot() -> int:
    """Tell this start of the machine from any other, by 24 random bits; 0 where the kernel doesn't say.

    Raises OSError where that can't be read now; it is asked again then.
    """
    try:
        return int((_PROC / "sys/kernel/random/boot_id").read_text()[:6], 16)
    except FileNotFoundError:
        return 0


def _descriptor(pid: int) -> int | None:
    """Return a descriptor of a process, None where the system has no such thing. Raises OSError."""
    if sys.platform != "linux":
        return None
    try:
        return pidfd_open(pid)
    except OSError as error:
        if error.errno in {errno.ENOSYS, errno.EPERM}:  # an old kernel, or a sandbox
            return None
        raise


def _namespace() -> int:
    """Identify the pid namespace of this process (0 where there are none)."""
    try:
        return (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        return 0


def my_start() -> int:
    """Return when this process started, as `Owner.started` has it; the kernel is asked once. Raises OSError as `me`."""
    return _my_start(os.getpid())


@functools.lru_cache(maxsize=1)
def _my_start(pid: int) -> int:
    return _start_time(pid) or 0


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told apart from every other that ever had its pid."""

    namespace: int
    pid: int
    started: int

    @classmethod
    def me(cls) -> Owner:
        """Return this process. Raises OSError where it can't be told apart from others now."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> Owner:
        """Return the living process `pid` of this namespace. Raises OSError as `me` does."""
        return cls(_namespace(), pid, _start_time(pid) or 0)

    @property
    def is_foreign(self) -> bool:
        """Whether it belongs to another pid namespace, about which this one knows nothing."""
        return self.namespace != _namespace()

    def is_dead(self) -> bool:
        """Tell whether the process is provably gone; False when this namespace can't know, or can't look now."""
        with contextlib.suppress(OSError):
            return not self.is_foreign and not self._is_there()
        return False

    def _is_there(self) -> bool:
        """Tell whether the process lives. Raises OSError where that can't be found out."""
        return _start_time(self.pid) == self.started

    def send(self, number: int) -> bool:
        """Send the process a signal; False when it is gone. A stranger who was given its pid is never hit.

        Raises PermissionError for somebody else's process, and for one of another namespace, and OSError where it can't
        be found out whose the pid is.
        """
        if self.is_foreign:
            message = "it runs in another container: run the command there"
            raise PermissionError(message)
        with contextlib.suppress(ProcessLookupError):
            fd = _descriptor(self.pid)
            try:
                # Whoever has the pid now is the one that the descriptor means: it stays that one from here on.
                if self._is_there():
                    if fd is None:  # there is nothing better than to look right before
                        os.kill(self.pid, number)
                    else:
                        pidfd_send_signal(fd, number)
                    return True
            finally:
                if fd is not None:
                    os.close(fd)
        return False
