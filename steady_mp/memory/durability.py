"""Durability: what makes each commit of one actor survive a loss of power as well.

The rule is that whatever is published is on the disk. So the commit comes in four steps where there were two:

1. `write`: records, snapshot and journal slot onto the disk, while the epoch there is still the last one;
2. the epoch is stored;
3. `seal`: the epoch onto the disk;
4. only then are the cursors shown, and the neighbours rung.

A life may have died between 2 and 3, so who mends one (`Seat.ended`) seals before it shows anything.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from steady_mp.errors import StateError
from steady_mp.memory import disk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from steady_mp.memory.control import CursorWords


class Durability:
    """The files of one actor that its commits write, for one life of it."""

    __slots__ = ("_control", "_last", "_outputs", "_paths", "_snapshots")

    def __init__(self, control: Path, outputs: Sequence[Path | None], snapshots: Path) -> None:
        """Open the control block and, for each end, the channel if the actor sends there, else None.

        `snapshots` is the path of the snapshots without ``-0`` or ``-1``.
        """
        self._control = _open(control)
        self._outputs = [None if path is None else _open(path) for path in outputs]
        self._paths = [snapshots.with_name(f"{snapshots.name}-{slot}") for slot in (0, 1)]
        self._snapshots: list[int | None] = [None, None]
        self._last: Sequence[CursorWords | None] = [None] * len(outputs)

    def write(self, cursors: Sequence[CursorWords], slot: int | None) -> None:
        """Block until all that a commit names is on the disk: the records up to `cursors`, and the snapshot in `slot`.

        Raises StateError when the disk doesn't take it: such a commit must not be.
        """
        try:
            for fd, cursor, last in zip(self._outputs, cursors, self._last, strict=True):
                if fd is not None and cursor != last:
                    disk.flush(fd)
            if slot is not None:
                self._write_snapshot(slot)
            disk.flush(self._control)
        except OSError as error:
            raise _lost(error) from None
        self._last = cursors

    def seal(self) -> None:
        """Block until the epoch in force is on the disk. Raises StateError when the disk doesn't take it."""
        try:
            disk.flush(self._control)
        except OSError as error:
            raise _lost(error) from None

    def _write_snapshot(self, slot: int) -> None:
        fd = self._snapshots[slot]
        if fd is None:
            # The life before this one may have made the file, and died before its name was on the disk.
            self._snapshots[slot] = fd = _open(self._paths[slot])
            disk.settle(self._paths[slot].parent)
        disk.flush(fd)

    def close(self) -> None:
        """Close the files."""
        for fd in (self._control, *self._outputs, *self._snapshots):
            if fd is not None:
                os.close(fd)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)


def _lost(error: OSError) -> StateError:
    return StateError(f"a commit can't be written to the disk: {error.strerror}")
