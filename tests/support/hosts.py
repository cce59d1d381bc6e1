"""Processes that a test starts, listens to, and ends."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import queue
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import psutil

from steady_mp.memory.signals import catches
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from types import TracebackType

_PATIENCE = 20.0
HOST = (sys.executable, "-m", "tests.support.host")


class Process:
    """A process whose lines of output a test can wait for; with `terminal` it has one, and Ctrl-C reaches it."""

    def __init__(self, *command: str, terminal: bool = False, cwd: str | None = None) -> None:
        self.lines: list[str] = []
        self._claimed: set[int] = set()
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        if terminal:
            self._output, theirs = pty.openpty()
            command = (sys.executable, "-m", "tests.support.terminal", *command)
        else:
            self._output, theirs = os.pipe()
        self._child = subprocess.Popen(  # noqa: S603 - the test's own command
            command,
            stdin=theirs if terminal else subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            cwd=cwd,
        )
        os.close(theirs)
        self.pid = self._child.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        rest = b""
        while True:
            try:
                data = os.read(self._output, 1 << 16)
            except OSError:  # how a pseudo-terminal ends
                data = b""
            *lines, rest = (rest + data).split(b"\n")
            for line in [*lines, rest] if not data else lines:
                self._queue.put(line.decode(errors="replace").rstrip("\r"))
            if not data:
                self._queue.put(None)
                return

    def wait_line(self, text: str, seconds: float = _PATIENCE) -> str:
        """Return the first line that contains `text` and was not returned before."""
        deadline = time.monotonic() + seconds
        looked_at = 0
        while True:
            for index in range(looked_at, len(self.lines)):
                if text in self.lines[index] and index not in self._claimed:
                    self._claimed.add(index)
                    return self.lines[index]
            looked_at = len(self.lines)
            line = None
            with contextlib.suppress(queue.Empty):
                line = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            if line is None:
                message = f"no {text!r} within {seconds:g} s in:\n" + "\n".join(self.lines[-100:])
                raise AssertionError(message)
            self.lines.append(line)

    def wait(self, seconds: float = _PATIENCE) -> int:
        """Wait for its end and return its status; its output is complete then."""
        try:
            status = self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            message = f"process {self.pid} goes on after {seconds:g} s:\n" + self.output
            raise AssertionError(message) from None
        self._reader.join(seconds)
        return status

    def wait_hearing(self, seconds: float = _PATIENCE) -> None:
        """Wait until TERM does not just end it: its actors may be at work before it waits for their end."""
        assert eventually(lambda: catches(self.pid, signal.SIGTERM) is not False, seconds), self.output

    @property
    def output(self) -> str:
        """All lines so far."""
        while not self._queue.empty():
            line = self._queue.get()
            if line is not None:
                self.lines.append(line)
        return "\n".join(self.lines)

    def report(self) -> dict[str, Any]:
        """Return what a host printed as its report, after its end."""
        line = next(line for line in self.output.splitlines() if line.startswith("report "))
        found: dict[str, Any] = json.loads(line.removeprefix("report "))
        return found

    def send(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def press(self, key: bytes) -> None:
        """Type on its terminal."""
        os.write(self._output, key)

    def family(self) -> list[psutil.Process]:
        """Return its descendants that live now."""
        return psutil.Process(self.pid).children(recursive=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._child.kill()
        self._child.wait()
        os.close(self._output)
        self._reader.join(_PATIENCE)


def all_gone(processes: list[psutil.Process], seconds: float) -> bool:
    """Wait until none of them lives; tell whether that was within `seconds`."""

    def lives(process: psutil.Process) -> bool:
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return eventually(lambda: not any(lives(process) for process in processes), seconds)
