"""What a bug report needs to know of the machine and the installation: limits and versions, as lines of text."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

_CGROUP: Final = Path("/sys/fs/cgroup")
_OF_CGROUP: Final = (
    "memory.max",
    "memory.high",
    "memory.current",
    "memory.swap.max",
    "memory.events",
    "pids.max",
    "cpu.max",
)
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - asked about, not written
_OF_SYSTEM: Final = ("vm/overcommit_memory", "kernel/pid_max", "kernel/threads-max", "fs/file-max")
_PROJECT: Final = "steady-mp"


def limits(pid: int, directory: Path) -> str:
    """Tell how much of everything the supervisor `pid` and its run may have; what can't be known is left out."""
    lines = []
    for label, folder in (("the run directory", directory), (_SHARED_MEMORY, Path(_SHARED_MEMORY))):
        with suppress(OSError):
            usage = shutil.disk_usage(folder)
            lines.append(f"{label}: {usage.total / 2**20:,.0f} MiB, {usage.free / 2**20:,.0f} MiB of them free")
    with suppress(OSError):
        lines += ["", f"ulimits of process {pid}:", *Path(f"/proc/{pid}/limits").read_text().splitlines()]
    lines += ["", *_of_cgroup(pid), ""]
    for name in _OF_SYSTEM:
        with suppress(OSError):
            lines.append(f"{name.replace('/', '.')}: {Path('/proc/sys', name).read_text().strip()}")
    with suppress(OSError):
        lines += ["", *Path("/proc/meminfo").read_text().splitlines()[:5]]
    with suppress(OSError):
        lines.append(f"load: {' '.join(f'{load:.2f}' for load in os.getloadavg())} on {os.cpu_count()} processors")
    return "\n".join(lines) + "\n"


def _of_cgroup(pid: int) -> list[str]:
    """Read the limits of the control group of a process (version 2), or of this machine's root where it is gone."""
    name = ""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            if line.startswith("0::"):  # no such line where only version 1 is mounted
                name = line.removeprefix("0::").lstrip("/")
    folder = _CGROUP / name if (_CGROUP / name).is_dir() else _CGROUP
    lines = []
    for name in _OF_CGROUP:
        with suppress(OSError):
            lines.append(f"  {name}: {' '.join((folder / name).read_text().split())}")
    return [f"cgroup {folder}:", *lines] if lines else ["cgroup: no limits that could be read"]


def versions() -> str:
    """Tell the versions of everything that takes part: Python, the platform, steady-mp and what it needs."""
    lines = [
        f"python: {sys.version} ({sys.executable})",
        f"platform: {platform.platform()}, {platform.machine()}, {' '.join(platform.libc_ver())}",
        f"{_PROJECT}: {_version(_PROJECT)}",
    ]
    needed: list[str] = []
    with suppress(importlib.metadata.PackageNotFoundError):
        needed = importlib.metadata.requires(_PROJECT) or []
    names = sorted({match[0] for each in needed if (match := re.match(r"[A-Za-z0-9._-]+", each))} - {_PROJECT})
    return "\n".join([*lines, *(f"{name}: {_version(name)}" for name in names)]) + "\n"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
