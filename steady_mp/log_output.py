"""Where the log goes: the terminal, a file that is rotated, or both; each with a queue and a thread of its own.

So a terminal that has stalled keeps neither an actor nor the file waiting. What an output is too slow for is dropped,
counted, and said in it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import select
import threading
from collections import deque
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NoReturn, Protocol, TextIO, get_args

from steady_mp.errors import ConfigurationError
from steady_mp.log_format import SELF, JsonFormat, LogEntry, LogFormat, TextFormat, wants_colors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: What may wait for one output.
_MOST_LINES: Final = 100_000
_MOST_CHARACTERS: Final = 64 << 20
#: Lines that an output is handed at once.
_PIECE_LINES: Final = 1000
#: How often somebody who waits for the end of the log renews their patience.
_MOST_PATIENCES: Final = 12
#: Bytes that go to a file in one piece, so that its size is looked at once for all of them.
_PIECE: Final = 1 << 16

FORMATS = Literal["text", "json"]
DEFAULT_SIZE: Final = 10_000_000
LEAST_SIZE: Final = 1000
DEFAULT_COUNT: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """How the log of a run is written, and where besides `output`.

    `format` is `text` or `json`. With a `file` the log goes there as well, behind what stands in it already; before it
    gets larger than `file_size` bytes it becomes FILE.1, FILE.1 becomes FILE.2, and so on up to `file_count`.

    Raises ConfigurationError for another format, what is no path, a size below 1000 and a count below 1.
    """

    format: FORMATS = "text"
    file: str | os.PathLike[str] | None = None
    file_size: int = DEFAULT_SIZE
    file_count: int = DEFAULT_COUNT

    def __post_init__(self) -> None:
        """Refuse what can't be meant."""
        if self.format not in get_args(FORMATS):
            raise ConfigurationError(f"log format {self.format!r}: must be text or json")
        if self.file is not None and not isinstance(self.file, str | os.PathLike):
            raise ConfigurationError(f"log file {self.file!r}: must be a path")
        for name, least in (("file_size", LEAST_SIZE), ("file_count", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigurationError(f"log {name} {value!r}: must be a whole number from {least} up")


class Target(Protocol):
    """What takes lines."""

    def put(self, lines: list[str]) -> int:
        """Write the lines; return how many could not be. May block."""

    def close(self) -> None:
        """Let go of it, unless it is the caller's."""


class _Stream:
    """A stream of the caller's."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def put(self, lines: list[str]) -> int:
        try:
            self._write("\n".join(lines) + "\n")
        except BlockingIOError:
            return len(lines)  # how much of them it has taken, nobody knows
        except (OSError, ValueError):
            return 0  # a reader that went away (head, a closed terminal) must not end the run, and misses nothing
        except Exception:  # noqa: BLE001 - what a program has made for itself may raise anything
            return len(lines)
        with contextlib.suppress(Exception):  # they are written; it may have write() only
            self._output.flush()
        return 0

    def _write(self, text: str) -> None:
        """Write `text`, with escapes for the characters that the output does not know."""
        try:
            _say(self._output, text)
        except UnicodeEncodeError:
            encoding = self._output.encoding or "ascii"
            _say(self._output, text.encode(encoding, "backslashreplace").decode(encoding))

    def close(self) -> None:
        """Leave it to its owner."""


def _say(output: TextIO, text: str) -> None:
    """Write `text`; block until it is taken, also where the descriptor does not, as whoever shares it may want it."""
    if not isinstance(output, io.TextIOWrapper) or (fd := _impatient(output)) is None:
        output.write(text)
        return
    data = text.encode(output.encoding, output.errors or "strict")
    _insist(fd, output.flush)
    while data:
        try:
            output.buffer.write(data)
            break
        except BlockingIOError as full:
            data = data[full.characters_written :]
            _wait_for_room(fd)
    _insist(fd, output.flush)


def _impatient(output: io.TextIOWrapper) -> int | None:
    """Return the descriptor of an output that does not block; None where it does, or has none."""
    with contextlib.suppress(OSError, ValueError):
        return None if os.get_blocking(output.fileno()) else output.fileno()
    return None


def _insist(fd: int, flush: Callable[[], None]) -> None:
    while True:
        try:
            return flush()
        except BlockingIOError:
            _wait_for_room(fd)


def _wait_for_room(fd: int) -> None:
    room = select.poll()
    room.register(fd, select.POLLOUT)
    room.poll()


class _Nothing:
    """Nobody who reads."""

    def put(self, _lines: list[str]) -> int:
        return 0

    def close(self) -> None:
        """See `Target.close`."""


class _Rotating(RotatingFileHandler):
    """The standard library's handler, which tells its caller what went wrong instead of the standard error."""

    def handleError(self, record: logging.LogRecord) -> NoReturn:  # noqa: ARG002, N802 - the name is logging's
        raise  # noqa: PLE0704 - called where the error is handled

    def shouldRollover(self, record: logging.LogRecord) -> int:  # noqa: N802 - the name is logging's
        """See `RotatingFileHandler.shouldRollover`, which counts characters."""
        text = self.format(record)
        return super().shouldRollover(logging.makeLogRecord({"msg": "x" * _bytes(text)}))


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="backslashreplace"))


@contextlib.contextmanager
def _reader_of(path: Path) -> Iterator[None]:
    """Make sure that to open `path` does not wait for the reader of a FIFO; raises OSError where it has none.

    It is held meanwhile: the first writer that goes is the end for its reader.
    """
    if not path.is_fifo():
        yield
        return
    held = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield
    finally:
        os.close(held)


class _File:
    """A file that is put aside before it gets too large."""

    def __init__(self, settings: LogSettings, complain: Callable[[str], None]) -> None:
        """Open it; `complain` is called with a sentence when it can't be written, once until it can be again."""
        self._path = Path(settings.file or "")
        self._complain = complain
        self._broken = False
        self._piece = min(_PIECE, settings.file_size // 2)
        try:
            with _reader_of(self._path):
                self._handler = _Rotating(
                    self._path,
                    maxBytes=settings.file_size,
                    backupCount=settings.file_count,
                    encoding="utf-8",
                    errors="backslashreplace",
                )
        except OSError as error:
            reason = "nobody reads this FIFO; begin to read it first" if error.errno == errno.ENXIO else error.strerror
            raise ConfigurationError(f"{self._path}: can't write the log there: {reason}") from None

    def put(self, lines: list[str]) -> int:
        return sum(self._emit(piece) for piece in self._pieces(lines))

    def _pieces(self, lines: list[str]) -> list[list[str]]:
        pieces: list[list[str]] = [[]]
        size = 0
        for line in lines:
            more = _bytes(line)
            if size + more > self._piece and pieces[-1]:
                pieces.append([])
                size = 0
            pieces[-1].append(line)
            size += more + 1
        return [piece for piece in pieces if piece]

    def _emit(self, lines: list[str]) -> int:
        before = self._extent()
        try:
            self._handler.emit(logging.makeLogRecord({"msg": "\n".join(lines)}))
        except (OSError, ValueError) as error:
            self._take_back(before)
            if not self._broken:
                self._broken = True
                reason = getattr(error, "strerror", None) or error
                self._complain(f"{self._path}: can't write the log there: {reason}; its lines are dropped and counted")
            return len(lines)
        self._broken = False
        return 0

    def _extent(self) -> tuple[int, int]:
        """Return which file it is, and its size."""
        try:
            found = Path(self._handler.baseFilename).stat()  # the program may have gone elsewhere since
        except OSError:
            return 0, 0
        return found.st_ino, found.st_size

    def _take_back(self, before: tuple[int, int]) -> None:
        """Leave no half a line in the file: cut off what a full disk took of it. The next `emit` opens it again."""
        with contextlib.suppress(OSError, ValueError):
            self._handler.close()
        inode, size = self._extent()
        whole = before[1] if inode == before[0] else 0  # it may be the next file already
        if size > whole:
            with contextlib.suppress(OSError):
                os.truncate(self._handler.baseFilename, whole)

    def close(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._handler.close()


def join_while_it_moves(thread: threading.Thread, moves: Callable[[], int], patience: float) -> bool:
    """Wait for the end of a thread; tell whether it has come, and not `patience` seconds without a move.

    One that moves for ever is waited for `_MOST_PATIENCES` times as long.
    """
    for _ in range(_MOST_PATIENCES):
        before = moves()
        thread.join(patience)
        if not thread.is_alive() or moves() == before:
            break
    return not thread.is_alive()


class LogOutput:
    """One output of the log: its queue, its thread, and how much of the log it has missed."""

    def __init__(self, target: Target, form: LogFormat, clock: Callable[[], float]) -> None:
        """Write entries to `target` in their order, as `form` has them."""
        self._target = target
        self._form = form
        self._clock = clock
        self._queue: deque[LogEntry] = deque()
        self._lines = 0
        self._characters = 0
        self._queued = threading.Condition()
        self._closing = False
        #: Lines that are not in it.
        self.dropped = 0
        #: Pieces that it has taken: who waits for its end sees whether it gets on.
        self.moves = 0
        self._thread = threading.Thread(target=self._write, name="steady-mp log writer", daemon=True)
        self._thread.start()

    def put(self, entry: LogEntry) -> None:
        """Queue an entry, or drop it where too much waits. Never blocks."""
        lines = self._form.count(entry)
        with self._queued:
            full = self._lines + lines > _MOST_LINES or self._characters + len(entry.message) > _MOST_CHARACTERS
            if full:
                self.dropped += lines
                return
            self._queue.append(entry)
            self._lines += lines
            self._characters += len(entry.message)
            self._queued.notify()

    def finish(self) -> None:
        """Stop once everything that is queued now is written; `join` waits for that."""
        with self._queued:
            self._closing = True
            self._queued.notify()

    def join(self, patience: float) -> bool:
        """Wait for the end; tell whether it has come, and not `patience` seconds in which nothing was written."""
        return join_while_it_moves(self._thread, lambda: self.moves, patience)

    def _write(self) -> None:
        said = 0
        unwritable = False
        while True:
            with self._queued:
                while not self._queue and not self._closing:
                    self._queued.wait()
                entries = list(self._queue)
                self._queue.clear()
                self._lines = self._characters = 0
                dropped = self.dropped
            if not entries and dropped == said:
                break
            lost = self._put([line for entry in entries for line in self._form.lines(entry)])
            unwritable = unwritable or lost > 0
            if dropped > said and not self._target.put(self._form.lines(self._miss(dropped - said, unwritable))):
                said = dropped
                unwritable = lost > 0
            elif self._closing and not entries:
                break  # not even that can be written
            if lost:
                with self._queued:
                    self.dropped += lost
        self._target.close()

    def _put(self, lines: list[str]) -> int:
        lost = 0
        for start in range(0, len(lines), _PIECE_LINES):
            lost += self._target.put(lines[start : start + _PIECE_LINES])
            self.moves += 1
        return lost

    def _miss(self, count: int, unwritable: bool) -> LogEntry:  # noqa: FBT001 - used once
        """Say what is missing, in the place of those lines."""
        why = "could not be written" if unwritable else "was too slow for them"
        text = f"… {count} lines dropped: the output {why}"
        return LogEntry(
            time=self._clock(),
            level=logging.WARNING,
            actor=SELF,
            generation=1,
            pid=os.getpid(),
            seq=0,
            message=text,
            dropped=count,
        )


def outputs(  # noqa: PLR0913 - made in one place
    stream: TextIO | None,
    settings: LogSettings,
    *,
    width: int,
    environ: Mapping[str, str],
    clock: Callable[[], float],
    complain: Callable[[str], None],
) -> list[LogOutput]:
    """Open all outputs of a log: `stream`, or nobody, and the file. Raises ConfigurationError when that can't be."""

    def form(*, colors: bool) -> LogFormat:
        return JsonFormat() if settings.format == "json" else TextFormat(width, colors=colors)

    file = _File(settings, complain) if settings.file is not None else None
    first = _Stream(stream) if stream is not None else _Nothing()
    colors = stream is not None and wants_colors(stream, environ)
    made = [LogOutput(first, form(colors=colors), clock)]
    if file is not None:
        made.append(LogOutput(file, form(colors=False), clock))
    return made
