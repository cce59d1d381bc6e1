"""`steady-mp run actors.performant` with real processes, and kills at random."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode
from steady_mp.cli import main as cli

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(90)]


def test_it_is_exact_under_kills(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    words = "run actors.performant --rate 20 --beats 40 --capacity 65536 --no-telemetry --chaos 30 --seed 6"
    status = cli.main([*words.split(), "--report", str(path)])
    report = json.loads(path.read_text(encoding="utf-8"))
    assert (status, report["chaos"]["exact"], report["chaos"]["wrong"]) == (ExitCode.DRAINED, True, [])
    assert report["chaos"]["kills"] > 0
    assert report["actors"][2]["state"]["messages"] == report["channels"][2]["sent"] > 65536
    assert capfd.readouterr().out.splitlines()[-1].startswith("exact: ")
