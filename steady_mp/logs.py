"""Log lines: from the actors through pipes to one writer.

An actor's descriptors 1 and 2 are one pipe. `print` and anything below it write plain lines there;
`logging` writes records, one line each, marked and with their line breaks escaped. The supervisor's
process reads all pipes on one thread, so that no actor waits for a terminal; each output writes on
another (`log_output.py`).
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import selectors
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, TextIO

from steady_mp.log_format import SELF, LogEntry
from steady_mp.log_output import LogSettings, join_while_it_moves, outputs

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK: Final = "\x1e"
_RECORD: Final = re.compile(_MARK + r"([0-9]{1,9}) ")
_ESCAPED: Final = re.compile(r"\\[\\n]")
_MEANT: Final = {r"\\": "\\", r"\n": "\n"}
#: The first thing in a pipe: which process speaks.
_GREETING: Final = re.compile(_MARK + r"@([0-9]{1,9})")
_CHUNK: Final = 1 << 16
_LONGEST_LINE: Final = 1 << 20
#: Entries of a life that are remembered, and characters of each.
_LAST_LINES: Final = 200
#: Lives of an actor that are remembered where nobody asks.
_MOST_LIVES: Final = 8
#: Looks at the pipe of a life that is over: something that it has left behind may go on writing.
_MOST_READS: Final = 64
LONGEST_LAST: Final = 500


class PipeHandler(logging.Handler):
    """Writes each record of this process as one marked line to descriptor 2."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`. Blocks only while the supervisor's process is stopped."""
        try:
            say(record.levelno, self.format(record))
        except Exception:  # noqa: BLE001 - what logging.Handler asks for
            self.handleError(record)


def say(level: int, text: str) -> None:
    """Write an entry of this process, of however many lines, as one marked line to descriptor 2. Raises OSError."""
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    line = f"{_MARK}{level} {text}\n".encode(errors="backslashreplace")
    while line:
        line = line[os.write(2, line) :]


def take_standard() -> int:
    """Open nothing at the standard descriptors that are closed, so that what is opened later gets other numbers.

    A process that is handed such a number takes it for one of its streams, or puts one in its place. Returns one more
    that is open to nothing. Raises OSError without a descriptor.
    """
    while (nobody := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004
        pass
    return nobody


def capture_output(log_fd: int, level: int) -> None:
    """Send this process's standard streams and its logging to `log_fd`; for a fresh actor process."""
    _speak_by_lines()
    connect_output(log_fd)
    _make_streams(level)


def prepare_output(level: int) -> None:
    """Do all of `capture_output` but for the pipe, which `connect_output` has; until then nobody is told anything.

    Only the descriptor 2 stays as it is, for what Python itself may have to say. Raises OSError without a descriptor.
    """
    with contextlib.ExitStack() as after:
        nobody = take_standard()
        after.callback(os.close, nobody)
        terminal = os.dup(2)
        after.callback(os.close, terminal)
        for fd in (pipe := os.pipe()):
            after.callback(os.close, fd)
        _speak_by_lines()
        after.callback(os.dup2, terminal, 2)
        after.callback(os.dup2, nobody, 1)
        for fd in (1, 2):  # a stream looks at what it is made upon: a file would be sought in
            os.dup2(pipe[1], fd)
        _make_streams(level)


def connect_output(log_fd: int) -> None:
    """Make `log_fd` what the descriptors 1 and 2 stand for, and say whose it is."""
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)
    os.write(2, f"{_MARK}@{os.getpid()}\n".encode())
    if log_fd > 2:  # noqa: PLR2004
        os.close(log_fd)


def _make_streams(level: int) -> None:
    """Say by lines what is said to the standard streams, and log to the descriptor 2."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        stream = open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.addHandler(PipeHandler())
    root.setLevel(level)


def _speak_by_lines() -> None:
    """Have a line arrive at once that is said through the standard output of before.

    A module that was imported in the fork server may have kept that, in a default argument say. What it has not written
    out by now was said there, to nobody, and is dropped: it would be said again in each life.
    """
    with contextlib.suppress(OSError):
        nobody = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nobody, 1)
        os.close(nobody)
        for stream in {sys.stdout, sys.__stdout__}:
            if isinstance(stream, io.TextIOWrapper):
                with contextlib.suppress(ValueError):  # closed, or taken apart
                    stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _apart(line: str) -> list[str]:
    """Return the entries of a line: what had no end yet when another one was written is one of its own."""
    record = _RECORD.search(line)
    return [line[: record.start()], line[record.start() :]] if record and record.start() else [line]


def _unmark(line: str) -> tuple[int, str]:
    """Return level and text of a line from an actor's pipe."""
    record = _RECORD.match(line)
    if record is None:
        return logging.INFO, line
    return int(record[1]), _ESCAPED.sub(lambda found: _MEANT[found[0]], line[record.end() :])


class _Voice:
    """Somebody who speaks: a life of an actor, or the run itself."""

    __slots__ = ("actor", "generation", "pid", "said", "tail")

    def __init__(self, actor: str, generation: int, pid: int | None) -> None:
        self.actor = actor
        self.generation = generation
        self.pid = pid
        self.said = 0
        #: What it has said last.
        self.tail: deque[str] = deque(maxlen=_LAST_LINES)


class _Asked(NamedTuple):
    """Somebody wants to know what a life that is over has said last."""

    actor: str
    generation: int
    text: str
    done: Callable[[list[str]], None]


class _Source:
    """One pipe: its bytes, cut into lines."""

    __slots__ = ("dry", "fd", "rest", "voice")

    def __init__(self, fd: int, voice: _Voice) -> None:
        self.fd = fd
        self.voice = voice
        self.rest = b""
        #: Nothing was in the pipe at the last look, or nothing will ever be.
        self.dry = False

    def read(self) -> tuple[list[str], bool]:
        """Return the lines that are whole now, and whether the pipe goes on."""
        try:
            data = os.read(self.fd, _CHUNK)
        except BlockingIOError:
            self.dry = True
            return [], True
        self.dry = not data
        *lines, self.rest = (self.rest + data).split(b"\n")
        if self.rest and (not data or len(self.rest) > _LONGEST_LINE):
            lines.append(self.rest)
            self.rest = b""
        return [line.decode(errors="backslashreplace") for line in lines], bool(data)


class LogWriter:
    """The one writer of a run's log."""

    def __init__(
        self,
        output: TextIO | None,
        width: int,
        clock: Callable[[], float] = time.time,
        settings: LogSettings | None = None,
    ) -> None:
        """Write to `output` (or read and forget) and where `settings` say; actors' names are padded to `width`.

        Raises ConfigurationError when the file of the settings can't be opened, and OSError without a descriptor.
        """
        self._clock = clock
        self._closing = False
        #: Reads of pipes: who waits for the end sees whether the reader gets on.
        self._moves = 0
        self._speaking = threading.Lock()
        self._others: dict[str, _Voice] = {}
        with contextlib.ExitStack() as failed:
            self._selector = failed.enter_context(selectors.DefaultSelector())
            self._wake_out, self._wake_in = os.pipe()
            for fd in (self._wake_out, self._wake_in):
                failed.callback(os.close, fd)
            self._selector.register(self._wake_out, selectors.EVENT_READ)
            self._outputs = outputs(  # the last: each has a thread from here on
                output,
                settings or LogSettings(),
                width=width,
                environ=os.environ,
                clock=clock,
                complain=lambda text: self.write(SELF, logging.ERROR, text),
            )
            failed.pop_all()
        self._new: deque[_Source] = deque()
        self._asked: deque[_Asked] = deque()
        #: By actor and generation, until somebody has asked for their last words.
        self._voices: dict[tuple[str, int], _Voice] = {}
        self._reader = threading.Thread(target=self._read, name="steady-mp log reader", daemon=True)
        self._reader.start()

    @property
    def dropped(self) -> int:
        """Lines that are missing, in all outputs together."""
        return sum(output.dropped for output in self._outputs)

    def add(self, fd: int, actor: str, generation: int, *, is_actor: bool = True) -> None:
        """Read lines from `fd` until its end; it is closed then. Nobody asks for the last words of what is no actor."""
        os.set_blocking(fd, False)
        voice = _Voice(actor, generation, None)
        if is_actor:
            self._voices[actor, generation] = voice
            self._voices.pop((actor, generation - _MOST_LIVES), None)
        self._new.append(_Source(fd, voice))
        os.write(self._wake_in, b"\0")

    def last_words(self, actor: str, generation: int, text: str, done: Callable[[list[str]], None]) -> None:
        """Hand the lines that a life has said last to `done`, on the reader's thread, once its pipe is read.

        Behind them `text` is written in its name, where there is any. Returns at once.
        """
        self._asked.append(_Asked(actor, generation, text, done))
        os.write(self._wake_in, b"\0")

    def write(self, actor: str, level: int, text: str) -> None:
        """Write an entry of this process; in text its further lines are indented. Never blocks."""
        with self._speaking:
            voice = self._others.setdefault(actor, _Voice(actor, 1, os.getpid()))
            self._say(voice, level, text)

    def _say(self, voice: _Voice, level: int, text: str) -> None:
        voice.said += 1
        entry = LogEntry(
            time=self._clock(),
            level=level,
            actor=voice.actor,
            generation=voice.generation,
            pid=voice.pid,
            seq=voice.said,
            message=text,
        )
        for output in self._outputs:
            output.put(entry)

    def close(self, patience: float) -> None:
        """Read all pipes to their ends, write what is queued, and stop.

        Blocks as long as lines move, and gives up on a pipe that somebody holds, or an output that stalls, after
        `patience` seconds without one.
        """
        self._closing = True
        os.write(self._wake_in, b"\0")
        whole = join_while_it_moves(self._reader, lambda: self._moves, patience)
        for output in self._outputs:
            output.finish()
        for output in self._outputs:
            output.join(patience)
        if whole:
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
            while self._asked:
                self._answer(self._asked.popleft())
            if self._closing and not self._new and not self._asked and len(self._selector.get_map()) == 1:
                return

    def _answer(self, asked: _Asked) -> None:
        voice = self._voices.pop(asked[:2], None) or _Voice(asked.actor, asked.generation, None)
        for key in list(self._selector.get_map().values()):
            source = key.data
            if source is not None and source.voice is voice:
                for _ in range(_MOST_READS):
                    self._drain(source)
                    if source.dry:
                        break
        lines = list(voice.tail)
        if asked.text:
            self._say(voice, logging.CRITICAL, asked.text)
        asked.done(lines)

    def _drain(self, source: _Source) -> None:
        lines, open_still = source.read()
        self._moves += 1
        voice = source.voice
        if lines and not voice.said and voice.pid is None and (greeting := _GREETING.fullmatch(lines[0])):
            voice.pid = int(greeting[1])
            del lines[0]
        for line in (part for whole in lines for part in _apart(whole)):
            level, text = _unmark(line)
            voice.tail.append(text[:LONGEST_LAST])
            self._say(voice, level, text)
        if not open_still:
            self._selector.unregister(source.fd)
            os.close(source.fd)
