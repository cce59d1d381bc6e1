"""What the system tells about a process's signals: caught, blocked, or on their way. Only Linux tells."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def _masks(status: Path) -> dict[str, int]:
    """Return the masks of one thread; empty when it is gone or the system tells nothing."""
    with suppress(OSError):
        rows = (line.partition(":") for line in status.read_text(encoding="utf-8", errors="replace").splitlines())
        return {name: int(value, 16) for name, _, value in rows if name.startswith(("Sig", "Shd")) and "/" not in value}
    return {}


def catches(pid: int, number: int) -> bool | None:
    """Tell whether a process has a handler for a signal; None when that can't be known."""
    masks = _masks(Path(f"/proc/{pid}/status"))
    return bool(masks["SigCgt"] >> (number - 1) & 1) if "SigCgt" in masks else None


def blocked_by(pid: int, number: int) -> set[str]:
    """Return the threads of a process that block a signal: one that is in the signal's handler does."""
    return {thread for thread, masks in _threads(pid).items() if masks.get("SigBlk", 0) >> (number - 1) & 1}


def is_pending(pid: int, number: int) -> bool:
    """Tell whether a signal is on its way to a process, or to one of its threads."""
    return any(
        (masks.get("SigPnd", 0) | masks.get("ShdPnd", 0)) >> (number - 1) & 1 for masks in _threads(pid).values()
    )


def _threads(pid: int) -> dict[str, dict[str, int]]:
    with suppress(OSError):
        return {task.name: _masks(task / "status") for task in Path(f"/proc/{pid}/task").iterdir()}
    return {}
