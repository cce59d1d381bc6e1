"""What an entry of the log looks like: for people, and as JSON."""

from __future__ import annotations

import dataclasses
import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp.log_format import JsonFormat, LogEntry, TextFormat, wants_colors

ENTRY = LogEntry(
    time=1_700_000_000.125, level=logging.INFO, actor="worker", generation=2, pid=77, seq=5, message="first\nsecond"
)


def without_colors(text: str) -> str:
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m"):
        text = text.replace(code, "")
    return text


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_json_has_every_fact_in_one_line() -> None:
    (line,) = JsonFormat().lines(ENTRY)
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.125000Z",
        "level": "INFO",
        "actor": "worker",
        "generation": 2,
        "pid": 77,
        "seq": 5,
        "message": "first\nsecond",
    }


def test_json_says_how_many_lines_are_missing_where_some_are() -> None:
    (line,) = JsonFormat().lines(dataclasses.replace(ENTRY, dropped=3, pid=None))
    assert json.loads(line)["dropped"] == 3
    assert json.loads(line)["pid"] is None


@given(st.text(), st.text(min_size=1))
def test_any_text_is_one_line_that_can_be_read_back(message: str, actor: str) -> None:
    form = JsonFormat()
    entry = dataclasses.replace(ENTRY, message=message, actor=actor)
    (line,) = form.lines(entry)
    assert line.isascii()
    assert line.splitlines() == [line]
    assert form.count(entry) == 1
    read = json.loads(line)
    assert (read["message"], read["actor"]) == (message, actor)


@pytest.mark.parametrize(
    ("level", "code"), [(logging.INFO, ""), (logging.WARNING, "\x1b[33m"), (logging.ERROR, "\x1b[31m")]
)
def test_colors_change_nothing_but_the_looks(level: int, code: str) -> None:
    entry = dataclasses.replace(ENTRY, level=level)
    plain = TextFormat(10).lines(entry)
    colored = TextFormat(10, colors=True).lines(entry)
    assert [without_colors(line) for line in colored] == plain
    assert all(code in line for line in colored)
    assert all(line.count("\x1b[0m") == line.count("\x1b[") - line.count("\x1b[0m") for line in colored)
    assert "\x1b" not in "".join(plain)


@given(st.text())
def test_the_count_is_that_of_the_lines(message: str) -> None:
    form = TextFormat(4)
    entry = dataclasses.replace(ENTRY, message=message)
    assert form.count(entry) == len(form.lines(entry))


def test_colors_are_for_a_terminal_that_has_them_and_nobody_who_asks_for_none() -> None:
    assert wants_colors(Screen(), {"TERM": "xterm"})
    assert not wants_colors(io.StringIO(), {"TERM": "xterm"})
    assert not wants_colors(Screen(), {"TERM": "xterm", "NO_COLOR": "1"})
    assert wants_colors(Screen(), {"TERM": "xterm", "NO_COLOR": ""})  # as no-color.org has it
    assert not wants_colors(Screen(), {"TERM": "dumb"})
    assert not wants_colors(Screen(), {})


def test_an_output_that_only_writes_or_is_closed_gets_no_colors() -> None:
    class Writes:
        def write(self, text: str) -> int:
            return len(text)

    closed = io.StringIO()
    closed.close()
    for output in (Writes(), closed):
        assert not wants_colors(output, {"TERM": "xterm"})  # type: ignore[arg-type]
