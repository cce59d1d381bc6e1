"""FIFOs that are opened for both ways: nobody waits for the other side, and nobody sees its end."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[int]:
    """Open a FIFO, and close it at the end. What is in it goes when nobody has it open."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
