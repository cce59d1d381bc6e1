"""The one writer of a run's log: whole lines in order, and nobody waits for a slow terminal."""

from __future__ import annotations

import errno
import io
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from steady_mp import ConfigurationError, LogSettings, log_output
from steady_mp.logs import LogWriter
from tests.support.waiting import let_pass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOON = 1_700_000_000.125
STAMP = len("12:00:00.123 ")
PATIENCE = 20.0


class Gate(io.StringIO):
    """An output that takes nothing until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.opened = threading.Event()

    def write(self, text: str) -> int:
        self.entered.set()
        assert self.opened.wait(PATIENCE)
        return super().write(text)


class Slow(io.StringIO):
    """An output that takes its time over each piece."""

    def write(self, text: str) -> int:
        let_pass(0.05)
        return super().write(text)


class Broken(io.StringIO):
    """A terminal that went away."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


Made = tuple[LogWriter, io.StringIO]


@pytest.fixture
def make() -> Iterator[Callable[..., Made]]:
    writers: list[LogWriter] = []

    def make(output: io.StringIO | None = None, width: int = 6) -> Made:
        output = io.StringIO() if output is None else output
        writers.append(LogWriter(output, width, clock=lambda: NOON))
        return writers[-1], output

    yield make
    for writer in writers:
        if not writer._closing:
            writer.close(PATIENCE)


def lines_of(output: io.StringIO) -> list[str]:
    return [line[STAMP:] for line in output.getvalue().splitlines()]


def write_all(fd: int, data: bytes) -> None:
    os.write(fd, data)
    os.close(fd)


def test_lines_of_one_actor_come_in_order_and_with_its_name(make: Callable[..., Made]) -> None:
    writer, output = make()
    out, held = os.pipe()
    writer.add(out, "worker", 1)
    write_all(held, b"".join(b"line %d\n" % number for number in range(2000)))
    writer.close(PATIENCE)
    assert lines_of(output) == [f"worker line {number}" for number in range(2000)]


def test_each_line_begins_with_the_time(make: Callable[..., Made]) -> None:
    writer, output = make(width=3)
    writer.write("a", logging.INFO, "text")
    writer.close(PATIENCE)
    assert output.getvalue() == time.strftime("%H:%M:%S", time.localtime(NOON)) + ".125 a   text\n"


def test_later_lives_carry_their_number(make: Callable[..., Made]) -> None:
    writer, output = make(width=1)
    for generation in (1, 2):
        out, held = os.pipe()
        writer.add(out, "a", generation)
        write_all(held, b"hello\n")
    writer.close(PATIENCE)
    assert sorted(lines_of(output)) == ["a hello", "a#2 hello"]


def test_a_record_keeps_its_level_and_its_further_lines_are_indented(make: Callable[..., Made]) -> None:
    writer, output = make(width=4)
    out, held = os.pipe()
    writer.add(out, "a", 1)
    write_all(held, b"\x1e40 one\\ntwo \\\\n\nplain\n\x1e30 careful\n")
    writer.close(PATIENCE)
    assert lines_of(output) == ["a    ERROR: one", "     two \\n", "a    plain", "a    WARNING: careful"]


def test_the_last_words_need_no_line_end(make: Callable[..., Made]) -> None:
    writer, output = make(width=1)
    out, held = os.pipe()
    writer.add(out, "a", 1)
    write_all(held, b"killed in the mid")
    writer.close(PATIENCE)
    assert lines_of(output) == ["a killed in the mid"]


def test_the_last_words_of_an_actor_are_not_those_of_a_helper_of_its_name(make: Callable[..., Made]) -> None:
    writer, _ = make(width=9)
    heard: list[list[str]] = []
    for text, is_actor in ((b"of the actor\n", True), (b"of the helper\n", False)):
        out, held = os.pipe()
        writer.add(out, "telemetry", 1, is_actor=is_actor)
        write_all(held, text)
    writer.last_words("telemetry", 1, "", heard.append)
    writer.close(PATIENCE)
    assert heard == [["of the actor"]]


def test_a_stalled_output_stops_nobody_and_what_it_missed_is_counted(
    make: Callable[..., Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_output, "_MOST_LINES", 10)
    gate = Gate()
    writer, _ = make(gate, width=1)
    writer.write("a", logging.INFO, "first")
    assert gate.entered.wait(PATIENCE)
    for number in range(15):
        writer.write("a", logging.INFO, str(number))
    assert writer.dropped == 5
    gate.opened.set()
    writer.close(PATIENCE)
    assert lines_of(gate)[:11] == ["a first", *(f"a {number}" for number in range(10))]
    assert lines_of(gate)[11:] == ["steady-mp WARNING: … 5 lines dropped: the output was too slow for them"]


def test_an_entry_is_dropped_as_a_whole(make: Callable[..., Made], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_output, "_MOST_LINES", 2)
    gate = Gate()
    writer, _ = make(gate, width=1)
    writer.write("a", logging.INFO, "first")
    assert gate.entered.wait(PATIENCE)
    writer.write("a", logging.INFO, "1\n2\n3")
    writer.write("a", logging.INFO, "short")
    gate.opened.set()
    writer.close(PATIENCE)
    assert lines_of(gate)[:2] == ["a first", "a short"]
    assert writer.dropped == 3


def test_a_pipe_is_read_while_the_output_stalls(make: Callable[..., Made]) -> None:
    """An actor writes far more than a pipe holds, and is not kept from it."""
    gate = Gate()
    writer, _ = make(gate, width=1)
    out, held = os.pipe()
    writer.add(out, "a", 1)
    line = b"x" * 1023 + b"\n"
    for _ in range(1000):
        os.write(held, line)
    os.close(held)
    gate.opened.set()
    writer.close(PATIENCE)
    assert len(lines_of(gate)) == 1000


def test_an_output_that_is_gone_ends_nothing(make: Callable[..., Made]) -> None:
    writer, _ = make(Broken())
    writer.write("a", logging.INFO, "text")
    writer.close(PATIENCE)
    assert not writer._outputs[0]._thread.is_alive()


def test_without_an_output_pipes_are_read_all_the_same() -> None:
    writer = LogWriter(None, 1)
    out, held = os.pipe()
    writer.add(out, "a", 1)
    write_all(held, b"into the void\n")
    writer.close(PATIENCE)
    assert not writer._reader.is_alive()


@pytest.mark.parametrize("text", ["", "\n", "\x0b"])
def test_an_empty_entry_is_a_line_too(text: str, make: Callable[..., Made]) -> None:
    writer, output = make(width=1)
    writer.write("a", logging.INFO, text)
    writer.close(PATIENCE)
    assert len(lines_of(output)) == 1


def test_a_name_with_a_line_break_stays_on_its_line(make: Callable[..., Made]) -> None:
    writer, output = make(width=1)
    writer.write("a\nb", logging.INFO, "text")
    writer.close(PATIENCE)
    assert lines_of(output) == ["a\\nb text"]


def test_the_end_waits_for_an_output_that_is_only_slow(
    make: Callable[..., Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives up where nothing moves for so long, and not where much is left."""
    monkeypatch.setattr(log_output, "_PIECE_LINES", 1)
    writer, output = make(Slow())
    for number in range(25):
        writer.write("a", logging.INFO, f"line {number}")
    writer.close(1.0)  # less than all of it takes, and far more than a piece of it
    assert lines_of(output) == [f"a      line {number}" for number in range(25)]


def test_one_that_gets_no_descriptor_leaves_neither_a_thread_nor_its_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    threads, descriptors = set(threading.enumerate()), set(Path("/dev/fd").iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(os, "pipe", refuse)
        with pytest.raises(OSError, match="Too many open files"):
            LogWriter(None, 6, settings=LogSettings(file=tmp_path / "log"))
    with pytest.raises(ConfigurationError, match="can't write the log there"):
        LogWriter(None, 6, settings=LogSettings(file=tmp_path))
    assert set(threading.enumerate()) == threads
    assert set(Path("/dev/fd").iterdir()) == descriptors
