"""Log lines: from the actors through pipes to one writer.

An actor's descriptors 1 and 2 are one pipe. `print` and anything below it write plain lines there;
`logging` writes records, one line each, marked and with their line breaks escaped. The supervisor's
process reads all pipes on one thread, so that no actor waits for a terminal, and writes on another.
What the terminal is too slow for is dropped, counted, and said.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import selectors
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK: Final = "\x1e"
_RECORD: Final = re.compile(_MARK + r"([0-9]{1,9}) ")
_ESCAPED: Final = re.compile(r"\\[\\n]")
_MEANT: Final = {r"\\": "\\", r"\n": "\n"}
_CHUNK: Final = 1 << 16
_MOST_QUEUED: Final = 100_000
_LONGEST_LINE: Final = 1 << 20


class PipeHandler(logging.Handler):
    """Writes each record of this process as one marked line to descriptor 2."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`. Blocks only while the supervisor's process is stopped."""
        try:
            text = self.format(record).replace("\\", "\\\\").replace("\n", "\\n")
            line = f"{_MARK}{record.levelno} {text}\n".encode(errors="backslashreplace")
            while line:
                line = line[os.write(2, line) :]
        except Exception:  # noqa: BLE001 - what logging.Handler asks for
            self.handleError(record)


def capture_output(log_fd: int, level: int) -> None:
    """Send this process's standard streams and its logging to `log_fd`; for a fresh actor process."""
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)
    if log_fd > 2:  # noqa: PLR2004
        os.close(log_fd)
    for name, fd in (("stdout", 1), ("stderr", 2)):
        stream = open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.addHandler(PipeHandler())
    root.setLevel(level)


def _unmark(line: str) -> tuple[int, str]:
    """Return level and text of a line from an actor's pipe."""
    record = _RECORD.match(line)
    if record is None:
        return logging.INFO, line
    return int(record[1]), _ESCAPED.sub(lambda found: _MEANT[found[0]], line[record.end() :])


class _Source:
    """One pipe: its bytes, cut into lines."""

    __slots__ = ("fd", "label", "rest")

    def __init__(self, fd: int, label: str) -> None:
        self.fd = fd
        self.label = label
        self.rest = b""

    def read(self) -> tuple[list[str], bool]:
        """Return the lines that are whole now, and whether the pipe goes on."""
        try:
            data = os.read(self.fd, _CHUNK)
        except BlockingIOError:
            return [], True
        *lines, self.rest = (self.rest + data).split(b"\n")
        if self.rest and (not data or len(self.rest) > _LONGEST_LINE):
            lines.append(self.rest)
            self.rest = b""
        return [line.decode(errors="backslashreplace") for line in lines], bool(data)


def _put(output: TextIO, text: str) -> None:
    """Write `text`, with escapes for the characters that `output` does not know."""
    try:
        output.write(text)
    except UnicodeEncodeError:
        encoding = output.encoding or "ascii"
        output.write(text.encode(encoding, "backslashreplace").decode(encoding))
    output.flush()


class LogWriter:
    """The one writer of a run's log."""

    def __init__(self, output: TextIO | None, width: int, clock: Callable[[], float] = time.time) -> None:
        """Write to `output`, or read and forget; actors' names are padded to `width`."""
        self._output = output
        self._width = width
        self._clock = clock
        self._queue: deque[str] = deque()
        self._queued = threading.Condition()
        self._closing = False
        self.dropped = 0
        self._selector = selectors.DefaultSelector()
        self._wake_out, self._wake_in = os.pipe()
        self._selector.register(self._wake_out, selectors.EVENT_READ)
        self._new: deque[_Source] = deque()
        self._reader = threading.Thread(target=self._read, name="steady-mp log reader", daemon=True)
        self._writer = threading.Thread(target=self._write, name="steady-mp log writer", daemon=True)
        self._reader.start()
        self._writer.start()

    def add(self, fd: int, actor: str, generation: int) -> None:
        """Read lines from `fd` until its end; it is closed then."""
        os.set_blocking(fd, False)
        label = actor if generation == 1 else f"{actor}#{generation}"
        self._new.append(_Source(fd, label))
        os.write(self._wake_in, b"\0")

    def write(self, label: str, level: int, text: str) -> None:
        """Write one entry; its further lines are indented. Never blocks."""
        stamp = self._clock()
        moment = time.strftime("%H:%M:%S", time.localtime(stamp)) + f".{int(stamp % 1 * 1000):03d}"
        mark = "" if level < logging.WARNING else f"{logging.getLevelName(level)}: "
        shown = label.replace("\n", "\\n")
        first, *more = (mark + text).splitlines() or [""]
        lines = [f"{moment} {shown:<{self._width}} {first}", *(f"{'':<{self._width + 13}} {line}" for line in more)]
        with self._queued:
            if len(self._queue) + len(lines) > _MOST_QUEUED:
                self.dropped += len(lines)
                return
            self._queue.extend(lines)
            self._queued.notify()

    def close(self, timeout: float) -> None:
        """Read all pipes to their ends, write what is queued, and stop, within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        self._closing = True
        os.write(self._wake_in, b"\0")
        self._reader.join(max(0.0, deadline - time.monotonic()))
        with self._queued:
            self._queued.notify()
        self._writer.join(max(0.0, deadline - time.monotonic()))
        if not self._reader.is_alive():
            os.close(self._wake_in)
            os.close(self._wake_out)
            self._selector.close()

    def _read(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fd == self._wake_out:
                    os.read(self._wake_out, _CHUNK)
                else:
                    self._drain(key.data)
            while self._new:
                source = self._new.popleft()
                self._selector.register(source.fd, selectors.EVENT_READ, source)
            if self._closing and not self._new and len(self._selector.get_map()) == 1:
                return

    def _drain(self, source: _Source) -> None:
        lines, open_still = source.read()
        for line in lines:
            level, text = _unmark(line)
            self.write(source.label, level, text)
        if not open_still:
            self._selector.unregister(source.fd)
            os.close(source.fd)

    def _write(self) -> None:
        said = 0
        while True:
            with self._queued:
                while not self._queue and (not self._closing or self._reader.is_alive()):
                    self._queued.wait()
                lines = list(self._queue)
                self._queue.clear()
                dropped = self.dropped
            if not lines and dropped == said:
                return
            if dropped > said:
                lines.append(f"… {dropped - said} lines dropped: the output was too slow for them")
                said = dropped
            # A reader that went away (head, a closed terminal) must not end the run.
            if self._output is None:
                continue
            with contextlib.suppress(OSError, ValueError):
                _put(self._output, "\n".join(lines) + "\n")
