"""Where the log goes: a terminal and a file beside each other, neither of which waits for the other."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ConfigurationError, LogSettings, log_output
from steady_mp.log_output import _File, _Stream
from steady_mp.logs import LogWriter

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PATIENCE = 20.0


def lose_all(lines: list[str]) -> int:
    return len(lines)


def silent(_text: str) -> None:
    pytest.fail("nothing went wrong")


def filled(path: Path, settings: dict[str, Any], lines: list[str]) -> list[Path]:
    """Write lines to a file and return all files there are then, the newest first."""
    file = _File(LogSettings(file=path, **settings), silent)
    for line in lines:
        assert file.put([line]) == 0
    file.close()
    return sorted(path.parent.iterdir())


def test_a_file_is_put_aside_before_it_gets_too_large(tmp_path: Path) -> None:
    lines = [f"line {number:04d} {'x' * 90}" for number in range(100)]
    files = filled(tmp_path / "log", {"file_size": 1000, "file_count": 3}, lines)
    assert [file.name for file in files] == ["log", "log.1", "log.2", "log.3"]
    assert all(file.stat().st_size <= 1000 for file in files)
    kept = [line for file in reversed(files) for line in file.read_text().splitlines()]
    assert kept == lines[-len(kept) :]  # in order, nothing missing between two files, the oldest gone
    assert len(kept) >= 27


@pytest.mark.parametrize("at_once", [1, 50])
def test_the_size_of_a_file_is_in_bytes(at_once: int, tmp_path: Path) -> None:
    lines = [f"{number:04d} {'€' * 90} \udc80" for number in range(50)]
    file = _File(LogSettings(file=tmp_path / "log", file_size=1000, file_count=100), silent)
    for start in range(0, len(lines), at_once):
        assert file.put(lines[start : start + at_once]) == 0
    file.close()
    assert all(file.stat().st_size <= 1000 for file in tmp_path.iterdir())


def test_lines_that_come_together_are_cut_at_their_ends(tmp_path: Path) -> None:
    lines = [f"line {number:04d} {'x' * 90}" for number in range(50)]
    file = _File(LogSettings(file=tmp_path / "log", file_size=1000, file_count=100), silent)
    assert file.put(lines) == 0
    file.close()
    files = sorted(tmp_path.iterdir(), key=lambda path: int(path.suffix[1:] or 0), reverse=True)
    assert len(files) > 5
    assert [line for each in files for line in each.read_text().splitlines()] == lines


def test_a_file_goes_on_behind_what_stands_in_it(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("of the last run\n")
    filled(path, {}, ["of this one", "\udc80 and ä"])
    assert path.read_text(encoding="utf-8") == "of the last run\nof this one\n\\udc80 and ä\n"


def test_a_file_that_cant_be_opened_is_refused_in_a_line(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "no" / "log", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigurationError, match=f"{path}: can't write the log there: {reason}"):
            LogWriter(None, 1, settings=LogSettings(file=path))


@pytest.mark.timeout(10)
def test_a_fifo_that_nobody_reads_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "log"
    os.mkfifo(path)
    with pytest.raises(ConfigurationError, match=f"{path}: can't write the log there: nobody reads this FIFO"):
        LogWriter(None, 1, settings=LogSettings(file=path))


@pytest.mark.timeout(10)
def test_the_reader_of_a_fifo_gets_the_log_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    filled(path, {}, ["one", "two"])
    with os.fdopen(reader, encoding="utf-8") as lines:
        assert lines.read() == "one\ntwo\n"


@pytest.mark.parametrize("named", ["log", "{folder}/log"])
def test_a_full_disk_leaves_whole_lines_and_a_count(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the disk took of a line is cut off again, and later lines go on behind the last whole one."""
    said: list[str] = []
    path = tmp_path / "log"
    (elsewhere := tmp_path / "elsewhere").mkdir()
    (strange := elsewhere / "log").touch()
    monkeypatch.chdir(tmp_path)
    named = named.format(folder=tmp_path)
    file = _File(LogSettings(file=Path(named)), said.append)
    monkeypatch.chdir(elsewhere)  # as a daemon does
    assert file.put(["before"]) == 0
    stream = file._handler.stream
    assert stream is not None
    whole, half = stream.write, "half of a li"

    def full(_text: str) -> int:
        whole(half)
        stream.flush()
        strange.write_text("what another program writes meanwhile")
        raise OSError(errno.ENOSPC, "No space left on device")

    stream.write = full  # type: ignore[method-assign]
    assert file.put(["half of a line", "another"]) == 2
    assert path.read_text() == "before\n"
    assert file.put(["behind"]) == 0
    file.close()
    assert path.read_text() == "before\nbehind\n"
    assert strange.read_text() == "what another program writes meanwhile"
    assert said == [f"{named}: can't write the log there: No space left on device; its lines are dropped and counted"]


def test_what_a_file_has_lost_is_said_in_it_once_it_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "log"
    screen = io.StringIO()
    writer = LogWriter(screen, 1, settings=LogSettings(format="json", file=path))
    file = writer._outputs[1]._target
    put, full, seen = file.put, threading.Event(), threading.Event()

    def fragile(lines: list[str]) -> int:
        if full.is_set():
            seen.set()
            return len(lines)
        return put(lines)

    file.put = fragile  # type: ignore[method-assign]
    full.set()
    writer.write("a", logging.INFO, "lost")
    assert seen.wait(PATIENCE)
    full.clear()
    writer.write("a", logging.INFO, "kept")
    writer.close(PATIENCE)
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert [entry["message"] for entry in entries if entry["actor"] == "a"][-1] == "kept"
    assert sum(entry.get("dropped", 0) for entry in entries) == writer.dropped > 0
    (said,) = [entry["message"] for entry in entries if "dropped" in entry]
    assert said == f"… {writer.dropped} lines dropped: the output could not be written"
    assert [json.loads(line)["message"] for line in screen.getvalue().splitlines()] == ["lost", "kept"]


def test_a_writer_comes_to_its_end_when_nothing_can_be_written(tmp_path: Path) -> None:
    writer = LogWriter(None, 1, settings=LogSettings(file=tmp_path / "log"))
    writer._outputs[1]._target.put = lose_all  # type: ignore[method-assign]
    writer.write("a", logging.INFO, "lost")
    writer.close(PATIENCE)
    assert not writer._outputs[1]._thread.is_alive()
    assert writer.dropped == 1


class OnlyWrites:
    """Something of the program's that takes text, and has no other method of a file."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


class Busy(OnlyWrites):
    """A widget, say, that can't be written from every thread at every moment, or one that will not block."""

    def __init__(self, refusal: Exception) -> None:
        super().__init__()
        self.refusal = refusal
        self.refused = threading.Event()

    def write(self, text: str) -> None:
        if not self.refused.is_set():
            self.refused.set()
            raise self.refusal
        super().write(text)

    def flush(self) -> None:
        raise RuntimeError


def test_an_output_that_only_writes_is_one() -> None:
    output: Any = OnlyWrites()
    writer = LogWriter(output, 1, settings=LogSettings(format="json"))
    for message in ("one", "two"):
        writer.write("a", logging.INFO, message)
    writer.close(PATIENCE)
    assert [json.loads(line)["message"] for line in output.text.splitlines()] == ["one", "two"]
    assert writer.dropped == 0


@pytest.mark.parametrize("refusal", [RuntimeError("widget is busy"), BlockingIOError(errno.EAGAIN, "it is full", 0)])
def test_an_output_that_raises_anything_loses_what_it_refuses_and_says_so(refusal: Exception) -> None:
    output: Any = Busy(refusal)
    writer = LogWriter(output, 1, settings=LogSettings(format="json"))
    writer.write("a", logging.INFO, "lost")
    assert output.refused.wait(PATIENCE)
    writer.write("a", logging.INFO, "kept")
    writer.close(PATIENCE)
    entries = [json.loads(line) for line in output.text.splitlines()]
    assert [entry["message"] for entry in entries if entry["actor"] == "a"] == ["kept"]
    assert [entry["dropped"] for entry in entries if "dropped" in entry] == [1] == [writer.dropped]


class Pipe(io.FileIO):
    """The writing end of one that does not block, as the parent of this process has made it."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd, "w")
        os.set_blocking(fd, False)
        self.full = threading.Event()

    def write(self, data: ReadableBuffer) -> int:
        taken: int | None = super().write(data)
        if taken is None:
            self.full.set()
        return taken  # type: ignore[return-value]  # as `io.RawIOBase.write` has it


@pytest.mark.parametrize("width", [1, 100, 100_000])
def test_a_pipe_that_does_not_block_is_waited_for(width: int) -> None:
    out, into = os.pipe()
    raw = Pipe(into)
    said = [f"{number} {'ä' * width} \udc80" for number in range(400_000 // width)][:40_000]
    read: list[bytes] = []

    def read_all() -> None:
        assert raw.full.wait(PATIENCE)
        while data := os.read(out, 1 << 16):
            read.append(data)

    reader = threading.Thread(target=read_all)
    reader.start()
    with io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8") as output:
        output.write("of the program's own\n")
        stream = _Stream(output)
        assert sum(stream.put(said[start : start + 1000]) for start in range(0, len(said), 1000)) == 0
    reader.join(PATIENCE)
    os.close(out)
    assert b"".join(read).decode().splitlines() == ["of the program's own", *(line[:-1] + "\\udc80" for line in said)]


class Stalled(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        assert self.go_on.wait(PATIENCE)
        return super().write(text)


def test_a_stalled_terminal_keeps_nothing_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_output, "_MOST_LINES", 100)
    screen = Stalled()
    path = tmp_path / "log"
    writer = LogWriter(screen, 1, settings=LogSettings(format="json", file=path))
    written = threading.Event()
    put = writer._outputs[1]._target.put

    def watched(lines: list[str]) -> int:
        lost = put(lines)
        written.set()
        return lost

    writer._outputs[1]._target.put = watched  # type: ignore[method-assign]
    for number in range(500):
        written.clear()
        writer.write("a", logging.INFO, str(number))
        assert written.wait(PATIENCE)
        assert screen.reached.wait(PATIENCE)
    screen.go_on.set()
    writer.close(PATIENCE)
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == list(range(1, 501))
    shown = [json.loads(line) for line in screen.getvalue().splitlines()]
    assert (
        sum(entry.get("dropped", 0) for entry in shown) == writer.dropped == 399
    )  # one is on its way, and a hundred wait
    assert sum("dropped" not in entry for entry in shown) + writer.dropped == 500


def test_few_long_lines_fill_a_queue_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_output, "_MOST_CHARACTERS", 1000)
    screen = Stalled()
    writer = LogWriter(screen, 1)
    for _ in range(10):
        writer.write("a", logging.INFO, "x" * 400)
    assert writer.dropped >= 10 - 2 - 2  # two in the queue; one or two were on their way already
    screen.go_on.set()
    writer.close(PATIENCE)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"format": "xml"}, "log format 'xml': must be text or json"),
        ({"file": 5}, "log file 5: must be a path"),
        ({"file_size": 10}, "log file_size 10: must be a whole number from 1000 up"),
        ({"file_size": "1M"}, "log file_size '1M': must be a whole number from 1000 up"),
        ({"file_count": 0}, "log file_count 0: must be a whole number from 1 up"),
        ({"file_count": True}, "log file_count True: must be a whole number"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        LogSettings(**wrong)
