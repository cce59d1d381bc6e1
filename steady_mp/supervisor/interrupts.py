"""INT and TERM while a program waits for its run: the first one drains, the second one stops at once."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import threading
import time
from typing import TYPE_CHECKING, Final

from steady_mp.supervisor.timers import LONGEST_WAIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_CHUNK: Final = 4096


class Interrupts:
    """The signals that one run has got, and the wait for its end that they interrupt."""

    def __init__(self, drain: Callable[[str], None], stop: Callable[[str], None]) -> None:
        """Call one of the two with the reason."""
        self._drain = drain
        self._stop = stop
        self._count = 0
        self._ended = threading.Event()
        self._gate = threading.Lock()
        #: Where the main thread is woken while it waits.
        self._wake_in: int | None = None

    def end(self) -> None:
        """End all waits, those to come too."""
        self._ended.set()
        with self._gate:
            if self._wake_in is not None:
                with contextlib.suppress(BlockingIOError):  # full of signals: that wakes as well
                    os.write(self._wake_in, b"\0")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most `timeout` seconds; tell whether it has come. Deaf to signals."""
        if timeout is None:
            return self._ended.wait()
        deadline = time.monotonic() + timeout
        while not self._ended.wait(_part(deadline)):
            if time.monotonic() >= deadline:
                return False
        return True

    def wait_hearing(self, timeout: float | None = None) -> bool:
        """Wait likewise, and take INT and TERM meanwhile in the main thread; elsewhere they are somebody else's."""
        if threading.current_thread() is not threading.main_thread():
            return self.wait(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        # Heard first and to the last: what is opened within, no Ctrl-C leaves open.
        with self._heard(), self._woken() as (wake_out, tell_others), selectors.DefaultSelector() as selector:
            selector.register(wake_out, selectors.EVENT_READ)
            while not self._ended.is_set():
                if selector.select(None if deadline is None else _part(deadline)):
                    tell_others(os.read(wake_out, _CHUNK))
                elif deadline is not None and time.monotonic() >= deadline:
                    break
        return self._ended.is_set()

    @contextlib.contextmanager
    def _woken(self) -> Iterator[tuple[int, Callable[[bytes], None]]]:
        """Have each signal wake the main thread.

        The kernel may give a signal to any thread, and does when the main one has just been continued; a handler runs
        in the main thread alone, which nothing wakes then but this pipe. Whoever listened to signals before us is told.
        """
        wake_out, wake_in = os.pipe()
        os.set_blocking(wake_in, False)
        before = signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
        with self._gate:
            self._wake_in = wake_in

        def tell_others(numbers: bytes) -> None:
            if before >= 0 and (signals := numbers.replace(b"\0", b"")):
                with contextlib.suppress(OSError):
                    os.write(before, signals)

        try:
            yield wake_out, tell_others
        finally:
            signal.set_wakeup_fd(before)
            with self._gate:
                self._wake_in = None
            os.close(wake_in)
            os.close(wake_out)

    @contextlib.contextmanager
    def _heard(self) -> Iterator[None]:
        ours = [
            number
            for number in (signal.SIGINT, signal.SIGTERM)
            if signal.getsignal(number) is not None  # else it has a handler of C, which we could not give back
        ]
        before = {number: signal.signal(number, self._handle) for number in ours}
        try:
            yield
        finally:
            for number, handler in reversed(before.items()):  # INT last: once it is back, a Ctrl-C may end this
                signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        self._count += 1
        if self._count == 1:
            self._drain(f"{name} received (once more to stop at once)")
        else:
            self._stop(f"stopped at once: {name} received again")


def _part(deadline: float) -> float:
    """Return how many seconds to wait now for what is due at `deadline`."""
    return min(LONGEST_WAIT, max(0.0, deadline - time.monotonic()))
