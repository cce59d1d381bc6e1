"""Who was killed for want of memory: the kernel counts such kills, and a SIGKILL with a count that grew was one.

A process that the kernel's out-of-memory killer ends sees nothing but SIGKILL, and so does its parent. But the kernel
counts before it kills: in the control group of the victim, and for the whole machine.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_CGROUPS: Final = Path("/sys/fs/cgroup")
_MACHINE: Final = Path("/proc/vmstat")
_MINE: Final = Path("/proc/self/cgroup")
_COUNT: Final = re.compile(rb"^oom_kill (\d+)$", re.MULTILINE)
_MOST_BYTES: Final = 1 << 16


class OomKills:
    """The kernel's count of such kills, and how much of it is accounted for."""

    def __init__(
        self,
        *,
        mine: Path = _MINE,
        groups: Path = _CGROUPS,
        machine: Path = _MACHINE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Count from here on: in the control group of this process, which its children share, else on the machine."""
        files = _files(mine, groups)
        self._where = "in the run's control group" if files else "on this machine"
        self._sure = "next to certain" if files else "likely"
        self._clock = clock
        #: Open for as long as somebody may ask: at a death the next life waits for the answer.
        self._fd = _open(files[0] if files else machine)
        self._seen = _count(self._fd)
        self._looked_at = clock()

    def explain(self) -> str | None:
        """Say how it is known that a process that died of SIGKILL was killed for want of memory; None if it is not."""
        before, now = self._seen, _count(self._fd)
        seconds = self._clock() - self._looked_at
        self._looked_at = self._clock()
        if before is None or now is None or now <= before:
            self._seen = now
            return None
        self._seen = before + 1  # the others that were counted may be deaths that are not told yet
        return (
            f"the kernel has counted a kill for want of memory {self._where} in the last {seconds:.1f} s "
            f"({before} to {now}): {self._sure}"
        )

    def close(self) -> None:
        """Let go of the count; nobody asks any more."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _files(mine: Path, groups: Path) -> list[Path]:
    """Return the files with the count of the control group that this process is in, version 2 first."""
    found = []
    with suppress(OSError):
        for line in mine.read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0" and not controllers:
                roots, name = [groups, groups / "unified"], "memory.events"
            elif "memory" in controllers.split(","):
                roots, name = [groups / "memory"], "memory.oom_control"
            else:
                continue
            # In a container the path may be one of outside, where only the root can be seen.
            found += [root / part / name for root in roots for part in (path.lstrip("/"), ".")]
    return [path for path in found if _has_count(path)]


def _has_count(path: Path) -> bool:
    fd = _open(path)
    try:
        return _count(fd) is not None
    finally:
        if fd is not None:
            os.close(fd)


def _open(path: Path) -> int | None:
    with suppress(OSError):
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return None


def _count(fd: int | None) -> int | None:
    """Read ``oom_kill`` of an open file; None where there is none."""
    if fd is not None:
        with suppress(OSError):
            if (found := _COUNT.search(os.pread(fd, _MOST_BYTES, 0))) is not None:
                return int(found[1])
    return None
