"""Log lines on their way from an actor's process to the one writer."""

from __future__ import annotations

import ast
import itertools
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp import logs
from steady_mp.logs import PipeHandler, _Source, _unmark, _Voice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

awkward = st.text(st.sampled_from("\\n\n\r\t \x1e\x000aä€\U0001f980\u2028"), max_size=30)


def said(text: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("actor", level, "file.py", 1, "%s", (text,), None)


def written(record: logging.LogRecord, most: int = 1 << 16) -> bytes:
    """Return what the handler writes of a record, by a descriptor that takes `most` bytes at a time."""
    pipe = bytearray()

    def write(fd: int, data: bytes) -> int:
        assert fd == 2
        pipe.extend(data[:most])
        return min(most, len(data))

    with mock.patch("os.write", write):
        PipeHandler().emit(record)
    return bytes(pipe)


def read(line: bytes) -> tuple[int, str]:
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    return _unmark(line[:-1].decode(errors="backslashreplace"))


# Records


@given(st.one_of(st.text(st.characters(exclude_categories=["Cs"])), awkward), st.integers(0, 100))
def test_a_record_arrives_with_its_level_and_its_text(text: str, level: int) -> None:
    assert read(written(said(text, level))) == (level, text)


@pytest.mark.parametrize(
    "text",
    ["C:\\new\\table", "\\", "\\\\n", "a\nb", "a\\\nb", "\\n", "ends with \\", "\n\n", "", "\x1e20 nested"],
    ids=repr,
)
def test_backslashes_and_line_breaks_survive(text: str) -> None:
    assert read(written(said(text))) == (logging.INFO, text)


def test_what_no_encoding_can_say_is_escaped() -> None:
    assert read(written(said("\ud800"))) == (logging.INFO, "\\ud800")


@pytest.mark.parametrize("most", [1, 7])
def test_a_pipe_that_takes_little_at_a_time_gets_it_all(most: int) -> None:
    assert read(written(said("a longer text"), most)) == (logging.INFO, "a longer text")


def test_an_exception_travels_in_one_line() -> None:
    record = said("failed", logging.ERROR)
    record.exc_info = (ValueError, ValueError("first\nsecond"), None)
    assert read(written(record)) == (logging.ERROR, "failed\nValueError: first\nsecond")


def test_a_record_that_cant_be_formatted_is_reported_and_not_raised(capsys: pytest.CaptureFixture[str]) -> None:
    PipeHandler().emit(logging.LogRecord("a", logging.INFO, "f", 1, "%d", ("text",), None))
    assert "Logging error" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    ["plain", "", "\\n stays", "20 no mark", "\x1e", "\x1e20", "\x1ex text", "\x1e² text", "\x1e" + "9" * 5000 + " x"],
)
def test_what_is_printed_stays_as_it_is(line: str) -> None:
    assert _unmark(line) == (logging.INFO, line)


# Bytes, cut into lines


@pytest.fixture
def source() -> Iterator[tuple[_Source, int]]:
    out, held = os.pipe()
    os.set_blocking(out, False)
    yield _Source(out, _Voice("actor", 1, None)), held
    os.close(out)


def feed(source: tuple[_Source, int], *chunks: bytes) -> list[list[str]]:
    """Write chunk by chunk and close; return the lines of each read."""
    got = []
    for chunk in chunks:
        os.write(source[1], chunk)
        lines, more = source[0].read()
        assert more
        got.append(lines)
    os.close(source[1])
    lines, more = source[0].read()
    assert not more
    return [*got, lines]


def test_lines_come_out_whole(source: tuple[_Source, int]) -> None:
    assert feed(source, b"one\ntw", b"o", b"\n\nth") == [["one"], [], ["two", ""], ["th"]]


def test_an_empty_pipe_goes_on(source: tuple[_Source, int]) -> None:
    assert source[0].read() == ([], True)
    os.close(source[1])


def test_a_letter_in_two_pieces_is_one(source: tuple[_Source, int]) -> None:
    first, second = "€".encode()[:1], "€".encode()[1:]
    assert feed(source, b"5 " + first, second + b"\n") == [[], ["5 €"], []]


def test_bytes_that_are_no_text_are_escaped(source: tuple[_Source, int]) -> None:
    assert feed(source, b"\xff\n") == [["\\xff"], []]


def test_a_line_without_end_is_cut(source: tuple[_Source, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_LONGEST_LINE", 10)
    assert feed(source, b"x" * 8, b"x" * 8, b"x\n") == [[], ["x" * 16], ["x"], []]


@given(
    st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=10),
    st.lists(st.integers(1, 9)),
)
def test_how_the_bytes_arrive_makes_no_difference(lines: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    out, held = os.pipe()
    os.set_blocking(out, False)
    chunks = []
    for cut in cuts:
        chunks.append(whole[:cut])
        whole = whole[cut:]
    got = feed((_Source(out, _Voice("", 1, None)), held), *filter(None, [*chunks, whole]))
    os.close(out)
    assert list(itertools.chain(*got)) == [line.decode(errors="backslashreplace") for line in lines]


# The streams of a process that gets its pipe later

#: Speaks before and behind that; its argument is the number of descriptors, from 2 down, that it begins without.
_SPEAKER = """
import logging, os, sys
for fd in range(2, 2 - int(sys.argv[1]), -1):
    os.close(fd)
from steady_mp.logs import connect_output, prepare_output
before = len(os.listdir("/dev/fd"))
prepare_output(logging.INFO)
opened = len(os.listdir("/dev/fd")) - before
print("said to nobody")
os.write(2, b"for the terminal;")
read, write = os.pipe()
connect_output(write)
print("printed")
logging.info("logged")
print("complained", file=sys.stderr)
data = os.read(read, 1000).replace(str(os.getpid()).encode(), b"PID")
told = [opened, sys.stdout.seekable(), sys.stderr.seekable(), data]
os.write(int(sys.argv[2]), repr(told).encode())
"""


@pytest.mark.parametrize("closed", [0, 1, 2, 3])
def test_streams_that_are_made_before_there_is_a_pipe_are_those_of_the_pipe(closed: int, tmp_path: Path) -> None:
    """Whatever the descriptors of before were: files in the middle of which somebody writes, or none at all."""
    read_fd, write_fd = os.pipe()
    terminal = tmp_path / "terminal"
    terminal.write_bytes(b"before;")
    with terminal.open("ab") as output:
        subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", _SPEAKER, str(closed), str(write_fd)],
            check=True,
            stdout=output,
            stderr=output,
            pass_fds=[write_fd],
        )
    os.close(write_fd)
    with os.fdopen(read_fd, "rb") as pipe:
        told = ast.literal_eval(pipe.read().decode())
    assert told == [closed, False, False, b"\x1e@PID\nprinted\n\x1e20 logged\ncomplained\n"]
    assert terminal.read_bytes() == (b"before;for the terminal;" if closed == 0 else b"before;")
