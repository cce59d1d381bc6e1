"""Damage: what shows of a mapped file of a run that it is not as it was made, before anybody maps it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from steady_mp.memory import layout

if TYPE_CHECKING:
    from pathlib import Path


def damage_of(path: Path, size: int, *, has_magic: bool = True) -> str:
    """Say what is wrong with a file that was made with so many bytes; empty where nothing is. Raises OSError.

    It is read as a file: one that is empty can't be mapped, and a look behind the end of one ends the process. Control
    blocks and channels begin with `layout.MAGIC`.
    """
    if (found := path.stat().st_size) != size:
        return f"{found} bytes of {size}"
    if has_magic:
        with path.open("rb") as file:
            if int.from_bytes(file.read(layout.WORD), sys.byteorder) != layout.MAGIC:
                return "it does not begin as one of this version does"
    return ""
