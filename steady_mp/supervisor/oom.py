"""Who was killed for want of memory: the kernel counts such kills, and a SIGKILL with a count that grew was one.

A process that the kernel's out-of-memory killer ends sees nothing but SIGKILL, and so does its parent. But the kernel
counts before it kills: in the control group of the victim, and for the whole machine.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_CGROUPS: Final = Path("/sys/fs/cgroup")
_MACHINE: Final = Path("/proc/vmstat")
_MINE: Final = Path("/proc/self/cgroup")


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
        self._path = files[0] if files else machine
        self._where = "in the run's control group" if files else "on this machine"
        self._sure = "next to certain" if files else "likely"
        self._clock = clock
        self._seen = _count(self._path)
        self._looked_at = clock()

    def explain(self) -> str | None:
        """Say how it is known that a process that died of SIGKILL was killed for want of memory; None if it is not."""
        before, now = self._seen, _count(self._path)
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
    return [path for path in found if _count(path) is not None]


def _count(path: Path) -> int | None:
    """Read ``oom_kill`` of a file; None where there is none."""
    with suppress(OSError, ValueError):
        for line in path.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return None
