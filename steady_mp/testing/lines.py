"""The log of a run as a test sees it: lines that can be waited for."""

from __future__ import annotations

import io
import itertools
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, TextIO

from steady_mp.testing.waiting import time_left
from steady_mp.testing.watch import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_TOLD: Final = 50
#: Seconds between two looks whether anything more can come: a log has no last line that says so.
_LOOK: Final = 0.05


class Lines(io.StringIO):
    """Hand it to `Graph.start` as `output`; then wait for what has to be said."""

    def __init__(self, most: int | None = None, copy: TextIO | None = None) -> None:
        """Keep the latest `most` lines (default: all), and write them to `copy` as well."""
        super().__init__()
        self._lines: deque[str] = deque(maxlen=most)
        self._copy = copy
        #: Lines so far, also those that are not kept any more.
        self.count = 0
        self._claimed: set[int] = set()
        self._news = threading.Condition()

    def write(self, text: str) -> int:
        """Take note of some lines, on the log writer's thread."""
        lines = text.splitlines()
        with self._news:
            self._lines.extend(lines)
            self.count += len(lines)
            self._news.notify_all()
        if self._copy is not None:
            self._copy.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the copy."""
        if self._copy is not None:
            self._copy.flush()

    def wait_for(self, text: str, seconds: float = PATIENCE) -> str:
        """Return the first line with `text` in it that was not returned before; wait for it.

        Raises AssertionError with the latest lines after `seconds`.
        """
        line = self.find(text, seconds)
        if line is None:
            message = f"no line with {text!r} within {seconds:g} s in:\n{self.tail()}"
            raise AssertionError(message)
        return line

    def find(self, text: str, seconds: float = PATIENCE, is_over: Callable[[], bool] | None = None) -> str | None:
        """Like `wait_for`; None when there is none, at once where `is_over` says that none will come."""
        deadline = time.monotonic() + seconds
        looked_at = 0
        with self._news:
            while True:
                # Before the look: nothing that was said until then is missed.
                over = time.monotonic() >= deadline or (is_over is not None and is_over())
                first = self.count - len(self._lines)
                start = max(looked_at, first)
                for index, line in enumerate(itertools.islice(self._lines, start - first, None), start):
                    if index not in self._claimed and text in line:
                        self._claimed.add(index)
                        return line
                if over:
                    return None
                looked_at = self.count
                left = time_left(deadline)
                self._news.wait(left if is_over is None else min(left, _LOOK))

    def since(self, count: int) -> list[str]:
        """Return the lines behind the first `count`, as far as they are kept."""
        with self._news:
            first = self.count - len(self._lines)
            return list(self._lines)[max(0, count - first) :]

    def all(self) -> list[str]:
        """Return all lines so far, as far as they are kept."""
        return self.since(0)

    def tail(self, most: int = _MOST_TOLD) -> str:
        """Tell the latest lines."""
        with self._news:
            latest = list(self._lines)[-most:]
            left_out = self.count - len(latest)
        lines = [f"  {line}" for line in latest]
        return "\n".join([f"  … {left_out} earlier lines", *lines] if left_out else lines or ["  nothing"])
