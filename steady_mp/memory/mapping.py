"""One file of a run, mapped into this process."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Mapping:
    """A shared mapping of a whole file: `data` as bytes, `words` as 8-byte unsigned integers.

    Without a path it is anonymous memory of this process: for a bench, a simulation or a rehearsal.
    """

    __slots__ = ("_mmap", "data", "words")

    def __init__(self, path: Path | None, size: int = 0, *, read_only: bool = False) -> None:
        """Map the file at `path`, which keeps its size; or `size` bytes of private memory.

        What is mapped `read_only` can't be disturbed: a store raises TypeError.
        """
        if path is None:
            self._mmap = mmap.mmap(-1, size)
        else:
            fd = os.open(path, (os.O_RDONLY if read_only else os.O_RDWR) | os.O_CLOEXEC)
            try:
                self._mmap = mmap.mmap(fd, 0, access=mmap.ACCESS_READ if read_only else mmap.ACCESS_WRITE)
            finally:
                os.close(fd)
        self.data = memoryview(self._mmap)
        self.words = self.data.cast("Q")

    @property
    def size(self) -> int:
        """Bytes mapped."""
        return len(self._mmap)

    def close(self) -> None:
        """Unmap. Views taken from it by others must be released before."""
        self.words.release()
        self.data.release()
        self._mmap.close()
