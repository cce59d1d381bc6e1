"""INT and TERM while a program waits for its run: the first one drains, the second one stops at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class Interrupts:
    """The signals that one run has got."""

    def __init__(self, drain: Callable[[str], None], stop: Callable[[str], None]) -> None:
        """Call one of the two with the reason."""
        self._drain = drain
        self._stop = stop
        self._count = 0

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Take both signals meanwhile, in the main thread; elsewhere they are somebody else's."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        self._count += 1
        if self._count == 1:
            self._drain(f"{name} received (once more to stop at once)")
        else:
            self._stop(f"stopped at once: {name} received again")
