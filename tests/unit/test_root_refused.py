"""A folder of runs that can't be read is no folder without runs: each command says so, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steady_mp.cli import completion
from steady_mp.cli.main import main
from steady_mp.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = ["ps", "top", "stop", "why", "state worker", "dump", "clean"]


@pytest.fixture
def no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "root"
    root.write_text("")
    monkeypatch.setenv("STEADY_MP_ROOT", str(root))
    monkeypatch.setenv("STEADY_MP_KEPT", str(tmp_path / "kept"))
    monkeypatch.chdir(tmp_path)
    return root


@pytest.mark.parametrize("words", COMMANDS)
def test_each_command_says_that_it_can_not_be_read(
    words: str, no_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == ExitCode.BAD_CONFIGURATION
    assert capfd.readouterr() == ("", f"steady-mp: {no_folder} can't be read: Not a directory\n")


def test_the_probe_says_so_as_its_reason(no_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["health"]) == ExitCode.UNCLEAN
    assert capfd.readouterr().out == f"{no_folder} can't be read: Not a directory\n"


@pytest.mark.usefixtures("no_folder")
def test_the_tab_key_offers_nothing_then() -> None:
    assert completion.runs_like("") == completion.actors_like("") == completion.channels_like("") == []


def test_a_folder_that_is_not_there_yet_holds_no_run(no_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    no_folder.unlink()
    assert main(["ps"]) == ExitCode.DRAINED
    assert "can't be read" not in "".join(capfd.readouterr())
