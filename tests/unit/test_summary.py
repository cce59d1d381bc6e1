from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from steady_mp.cli import summary

FULL = Path("/dev/full")
FACTS: dict[str, Any] = {
    "graph": "shop",
    "clean": True,
    "why": [],
    "exit_code": 0,
    "wall_time": 12.34,
    "actors": [
        {
            "name": "worker",
            "generation": 4,
            "restarts": 3,
            "deaths": ["SIGKILL", "exit code 3", "SIGKILL"],
            "finished": True,
            "state": {"beats": 1},
        },
        {
            "name": "logger",
            "generation": 2,
            "restarts": 1,
            "deaths": ["ValueError: [bold]one\ntwo"],
            "finished": False,
            "state": None,
        },
    ],
    "channels": [
        {
            "name": "generator→worker",
            "from": "generator",
            "to": "worker",
            "capacity": 64,
            "sent": 123456,
            "taken": 123400,
            "in_flight": 56,
        },
        {
            "name": "results",
            "from": "worker",
            "to": "logger",
            "capacity": 8,
            "sent": 1,
            "taken": 1,
            "in_flight": 0,
        },
    ],
}


def shown(facts: dict[str, Any]) -> list[list[str]]:
    """The words of each line, empty ones left out."""
    stream = io.StringIO()
    summary.show(facts, Console(file=stream))
    return [line.split() for line in stream.getvalue().splitlines() if line.strip()]


def test_the_tables_say_what_the_report_says() -> None:
    assert shown(FACTS) == [
        ["actor", "generation", "restarts", "causes"],
        ["worker", "4", "3", "SIGKILL", "x2,", "exit", "code", "3"],
        ["logger", "(not", "finished)", "2", "1", "ValueError:", "[bold]one", "two"],
        ["channel", "sent", "taken", "in", "flight", "capacity"],
        ["generator→worker", "123,456", "123,400", "56", "64"],
        ["results", "(worker→logger)", "1", "1", "0", "8"],
        ["drained", "(after", "12.3", "s)"],
    ]


@pytest.mark.parametrize(
    ("exit_code", "why", "line"),
    [
        (0, [], "drained (after 12.3 s)"),
        (1, ["worker: 3 orders\nunpaid", "56 queued"], "unclean: worker: 3 orders unpaid; 56 queued (after 12.3 s)"),
        (3, ["worker died 5 times"], "gave up: worker died 5 times (after 12.3 s)"),
        (130, ["a second signal"], "interrupted: a second signal (after 12.3 s)"),
        (77, [], "exit status 77 (after 12.3 s)"),
    ],
)
def test_the_verdict_is_the_last_line(exit_code: int, why: list[str], line: str) -> None:
    facts = {**FACTS, "exit_code": exit_code, "why": why, "clean": exit_code == 0}
    assert summary.verdict(facts).plain == line


def test_nobody_reading_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as closed:
        monkeypatch.setattr("sys.stdout", closed)
        summary.show(FACTS)


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with FULL.open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stdout", full)
        summary.show(FACTS)
    assert capsys.readouterr().err == "steady-mp: can't show how the run ended: No space left on device\n"


def test_no_name_moves_the_cursor_at_the_end_of_a_run() -> None:
    evil = "\x1b]0;owned\x07\u202e\n→"
    actor = {**FACTS["actors"][0], "name": evil, "deaths": [f"exit {evil}"]}
    channel = {**FACTS["channels"][1], "name": evil, "from": evil, "to": "x"}
    strikes = {evil: {"kills": 1, "freezes": 0}}
    chaos = {"actors": strikes, "kills": 1, "freezes": 0, "freeze": 0, "seed": 7, "exact": False}
    facts = {**FACTS, "actors": [actor], "channels": [channel], "why": [f"{evil} died"], "exit_code": 3}
    facts |= {"clean": False, "chaos": chaos, "dead_letters": 1, "letters": f"/kept/{evil}"}
    stream = io.StringIO()
    summary.show(facts, Console(file=stream))
    out = stream.getvalue()
    assert all(line.isprintable() for line in out.splitlines())
    assert out.count(r"\u001b]0;owned\u0007\u202e") == 7
    assert "gave up: \\u001b]0;owned\\u0007\\u202e → died" in out
