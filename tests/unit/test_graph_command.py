from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from steady_mp import ExitCode
from steady_mp.cli.graph import graph
from steady_mp.cli.main import main
from steady_mp.telemetry.svg import render

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """See test_drawing.py."""
    render("digraph {}")


def test_the_example_is_drawn_without_running_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert graph([], {}) == ExitCode.DRAINED
    drawn = capsys.readouterr().out
    assert drawn.startswith("digraph G {\nrankdir=LR;\n")
    assert drawn.count(" -> ") == 3
    assert '"generator" -> "worker" [label="Capacity: 64\n"' in drawn


@pytest.mark.parametrize(("words", "environ"), [(["--format", "svg"], {}), ([], {"STEADY_MP_GRAPH_FORMAT": "svg"})])
def test_as_svg(words: list[str], environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert graph(words, environ) == ExitCode.DRAINED
    drawn = ET.fromstring(capsys.readouterr().out.encode())  # noqa: S314 - our own
    titles = [element.text for element in drawn.iter() if element.tag.endswith("title")]
    assert "worker->logger" in titles


def test_options_of_the_target_are_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "some.toml"
    file.write_text("[run]\nlog_level = 'debug'\n[args]\nrate = 7\n")
    assert graph(["actors:build_graph", "--beats", "3", "--config", str(file)], {}) == ExitCode.DRAINED
    assert main(["graph", "--beats", "none"]) == ExitCode.BAD_CONFIGURATION
    assert main(["graph", "--format", "png"]) == ExitCode.BAD_CONFIGURATION
    assert main(["graph", "--speed", "3"]) == ExitCode.BAD_CONFIGURATION
    assert capsys.readouterr().err.count("\n") == 3


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "--help"]) == ExitCode.DRAINED
    shown = capsys.readouterr().out
    assert "Draw a graph without running it" in shown
    assert "--shutdown-timeout" not in shown
