"""Durable runs with `--sync`, in real processes.

What a loss of power does is in `tests/unit/test_durability.py`, and kills are in `tests/chaos/test_durable.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph, Report
from steady_mp.cli.main import main as cli
from steady_mp.errors import ConfigurationError
from tests.support import failing_disk
from tests.support.gates import Lines

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

WORDS = ["run", "--rate", "2", "--beats", "5", "--no-telemetry", "--log-level", "warning"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def live(*, durable: Path | None = None, resume: Path | None = None, sync: bool | None = None) -> tuple[Report, str]:
    """Run the giver and the taker to their end; return the report and all lines."""
    graph = Graph("failing", log_level="info")
    failing_disk.fill(graph)
    lines = Lines()
    with graph.start(output=lines, durable=durable, resume=resume, sync=sync) as run:
        report = run.block_until_stopped(30.0)
    return report, "\n".join(lines.all())


def got(report: Report) -> list[int]:
    kept: list[int] = next(actor.state["got"] for actor in report.actors if actor.name == "taker")
    return kept


def test_a_commit_that_the_disk_does_not_take_is_none(folder: Path) -> None:
    report, lines = live(durable=folder, sync=True)
    assert not report.clean
    assert "a commit can't be written to the disk: Input/output error" in lines
    assert report.channels[0].sent == failing_disk.TAKEN
    report, _ = live(resume=folder)
    assert report.clean
    assert got(report) == list(range(failing_disk.MESSAGES))
    assert (folder / "sync").exists()


def test_without_it_no_commit_asks_the_disk(folder: Path) -> None:
    report, _ = live(durable=folder)
    assert report.clean
    assert got(report) == list(range(failing_disk.MESSAGES))


def test_a_resumed_run_goes_on_with_it_and_can_begin_or_end_it(folder: Path) -> None:
    for sync, expected in ((None, False), (True, True), (None, True), (False, False), (None, False)):
        live(**{"resume" if folder.exists() else "durable": folder}, sync=sync)
        assert (folder / "sync").exists() == expected


def test_the_command(folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli([*WORDS, "--sync"]) == ExitCode.BAD_CONFIGURATION
    assert "--sync does nothing without --durable DIR: name a folder on a disk" in capfd.readouterr().err
    with pytest.raises(ConfigurationError, match="sync does nothing without durable"):
        live(sync=True)
    monkeypatch.setenv("STEADY_MP_SYNC", "true")
    assert cli([*WORDS, "--durable", str(folder)]) == ExitCode.DRAINED
    monkeypatch.delenv("STEADY_MP_SYNC")
    assert (folder / "sync").exists()
    assert cli(["run", "--resume", str(folder)]) == ExitCode.DRAINED
    assert (folder / "sync").exists()
    assert cli(["run", "--resume", str(folder), "--no-sync"]) == ExitCode.DRAINED
    assert not (folder / "sync").exists()
