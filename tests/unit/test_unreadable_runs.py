"""What shows a run that can't be read as one: a line that names it, never a traceback."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from steady_mp.cli.main import main
from steady_mp.errors import ExitCode
from steady_mp.memory.status import STATUS_FILE
from steady_mp.plan import PLAN_FILE, RUN_FILE, actor_file, channel_file
from steady_mp.telemetry import __main__ as telemetry
from tests.support.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A file of the run, and what it holds instead.
WRONG = [
    (STATUS_FILE, b"{}"),
    (STATUS_FILE, b"[]"),
    (STATUS_FILE, b"\xff"),
    (PLAN_FILE, b"[]"),
    (PLAN_FILE, b'{"graph": 3'),
    (RUN_FILE, b""),
    (actor_file(0, "control"), b"\0" * 8),
    (actor_file(1, "control"), b"\0" * 7),
    (channel_file(0), b"\0" * 8),
]


@pytest.fixture(params=WRONG, ids=lambda wrong: f"{wrong[0]}-{len(wrong[1])}")
def unreadable(request: pytest.FixtureRequest) -> Iterator[Path]:
    name, content = request.param
    with Simulated() as simulated:
        (simulated.run.path / name).unlink()
        (simulated.run.path / name).write_bytes(content)
        yield simulated.run.path


def only_line_of(error: str) -> str:
    assert error.count("\n") == 1, error
    return error


@pytest.mark.parametrize("words", [["top"], ["top", "--once"]], ids=" ".join)
def test_top(unreadable: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, str(unreadable)]) == ExitCode.BAD_CONFIGURATION
    told = only_line_of(capsys.readouterr().err)
    assert told.startswith(f"steady-mp: {unreadable} can't be read as a run: ")


def test_telemetry_by_hand(
    unreadable: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["telemetry", str(unreadable), "--port", "0"])
    assert telemetry.main() == ExitCode.BAD_CONFIGURATION
    told = only_line_of(capsys.readouterr().err)
    assert told.startswith(f"steady-mp telemetry: {unreadable} can't be read as a run: ")
