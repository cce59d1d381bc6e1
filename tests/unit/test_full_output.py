"""An output that can't be written is one line, whatever command it was for; one that nobody reads is no failure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from steady_mp.cli.main import main
from steady_mp.errors import ExitCode
from steady_mp.telemetry.svg import render

FULL = Path("/dev/full")
#: What writes without `show`.
WORDS = ["--version", "graph", "graph --format svg", "systemd-unit"]
#: What typer writes.
HELP = ["", "--help", "ps --help", "run --help", "graph --help", "dead-letters --help"]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """See test_drawing.py."""
    render("digraph {}")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("line", [*WORDS, *HELP])
@pytest.mark.parametrize("buffering", [-1, 1], ids=["block", "line"])
def test_a_full_disk(
    line: str, buffering: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FULL.open("w", buffering, encoding="utf-8") as full:  # which fails at its end where something is left in it
        monkeypatch.setattr("sys.stdout", full)
        assert main(line.split()) == ExitCode.UNCLEAN
    told = capsys.readouterr().err
    assert told.count("\n") == 1, told
    assert told.startswith("steady-mp: ")
    assert told.endswith("can't be written: No space left on device\n")


@pytest.mark.parametrize("line", WORDS)
def test_an_output_that_nobody_reads(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as closed:
        monkeypatch.setattr("sys.stdout", closed)
        assert main(line.split()) == ExitCode.DRAINED
    assert capsys.readouterr().err == ""
