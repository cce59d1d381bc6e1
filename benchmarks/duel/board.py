"""ScoreBoard: the file that all processes of a duel map; what is written there outlives whoever wrote it."""

from __future__ import annotations

import mmap
import os
import tempfile
import time
from pathlib import Path
from typing import Final

_WORDS: Final = 512
#: Most messages of a run; the rest of the run the producer does nothing.
MOST: Final = 1 << 23

# Words of the file. Each is written by one process at a time.
STOP: Final = 0
SENT: Final = 1
RECEIVED: Final = 2
FINISHED: Final = 3
#: For producer (0) and consumer (1), from these on: process, life, and for which life when its first message came.
PID: Final = 8
LIFE: Final = 16
SEEN_LIFE: Final = 24
SEEN_NS: Final = 32

PRODUCER: Final = 0
CONSUMER: Final = 1

#: A message: its number below, the producer's life above.
LIFE_SHIFT: Final = 32
NUMBER: Final = (1 << LIFE_SHIFT) - 1
#: Marks the last message, whose number is how many there were before it.
LAST: Final = 1 << 62


class ScoreBoard:
    """The file, mapped."""

    def __init__(self, path: Path) -> None:
        """Map the file at `path`."""
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._view = memoryview(self._map)
        self.words = self._view[: 8 * _WORDS].cast("Q")
        #: How often each number was received.
        self.seen = self._view[8 * _WORDS :]

    @staticmethod
    def create() -> Path:
        """Make the file and return its path."""
        number, path = tempfile.mkstemp(prefix="steady-mp-duel-")
        os.ftruncate(number, 8 * _WORDS + MOST)
        os.close(number)
        return Path(path)

    def begin(self, who: int, life: int) -> None:
        """Say that this process is `who` in this life."""
        self.words[PID + who] = os.getpid()
        self.words[LIFE + who] = life

    def arrived(self, who: int, life: int) -> None:
        """Say that the first message of this life of `who` has arrived, now."""
        self.words[SEEN_NS + who] = time.perf_counter_ns()
        self.words[SEEN_LIFE + who] = life

    def close(self) -> None:
        """Unmap."""
        self.words.release()
        self.seen.release()
        self._view.release()
        self._map.close()
