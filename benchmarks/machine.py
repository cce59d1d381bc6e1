"""The machine: what the figures were taken on, and why they may not be worth much."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Producer and consumer need a core each.
_CORES: Final = 2
#: Share of the cores that may be busy before we begin.
_BUSY: Final = 0.25
#: Share of the cores' time that other guests of the same host may take during the run.
_STOLEN: Final = 0.01


def cores() -> int:
    """Count the cores that this process may use."""
    return len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count() or 1


def _processor() -> str:
    """Name the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def facts() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": cores(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": round(os.getloadavg()[0], 2),
    }


def versions(distributions: Iterable[str]) -> dict[str, str | None]:
    """Return the version of each; None for one that is not installed."""
    found: dict[str, str | None] = {}
    for name in distributions:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


class Theft:
    """What the host of a virtual machine gave to others while we measured."""

    def __init__(self) -> None:
        """Count from now."""
        self._before = psutil.cpu_times()

    def share(self) -> float:
        """Return the share of the cores' time that was taken since; 0 where the system can't tell."""
        now = psutil.cpu_times()
        passed = sum(now) - sum(self._before)
        stolen = getattr(now, "steal", 0.0) - getattr(self._before, "steal", 0.0)
        return stolen / passed if passed > 0 else 0.0

    def doubts(self) -> list[str]:
        """Return what in it makes the figures doubtful."""
        share = self.share()
        return [f"the host took {share:.1%} of the cores' time during the run"] if share > _STOLEN else []


def doubts(found: dict[str, Any]) -> list[str]:
    """Return what in the facts, taken before the run, makes its figures doubtful."""
    doubts = []
    if found["cores"] < _CORES:
        doubts.append(f"{found['cores']} core: producer and consumer take turns on it, which is not what is asked")
    if found["load"] > _BUSY * found["cores"]:
        doubts.append(
            f"a load of {found['load']:.2f} on {found['cores']} cores before the run: others are at work here"
        )
    return doubts
