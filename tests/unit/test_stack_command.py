"""The exit status of `steady-mp stack` where no actor has a process that could answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from steady_mp.cli.main import main
from steady_mp.errors import ExitCode
from steady_mp.memory.status import read_status, write_status
from tests.support.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def run() -> Iterator[Simulated]:
    """Make a run of this process whose actors have all finished."""
    with Simulated() as simulated:
        status = read_status(simulated.run.path)
        for actor in status.actors:
            actor.status = "finished"
        write_status(simulated.run.path, status)
        yield simulated


@pytest.mark.parametrize("change", [{"born": 1}, {"namespace": 1}], ids=["supervisor is gone", "another container"])
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["lines", "json"])
def test_a_run_that_nobody_can_be_asked_of_is_a_failure(
    run: Simulated, change: dict[str, int], form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = read_status(run.run.path)
    for name, value in change.items():
        setattr(status, name, value)
    write_status(run.run.path, status)
    words = ["stack", "--run", str(run.run.path), *form]
    assert main(words) == ExitCode.UNCLEAN
    told = capsys.readouterr()
    answers = json.loads(told.out) if form else told.out.splitlines()
    assert len(answers) == 2
    assert told.err == ""


def test_actors_that_have_finished_are_none(run: Simulated, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stack", "--run", str(run.run.path)]) == ExitCode.DRAINED
    assert capsys.readouterr().out.splitlines() == [
        f"{name}: has no process at present: it is finished" for name in ("feed", "eat")
    ]
