"""`steady-mp run --chaos` with real processes: what it reports is what happened, and the result does not change."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ExitCode
from steady_mp.cli import main as cli
from tests.support.hosts import Process

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(90)]

PIPELINE = "run --rate 5 --beats 200 --no-telemetry"
COMMAND = (sys.executable, "-c", "import sys; from steady_mp.cli.main import main; sys.exit(main())", "run")


def run(words: str, folder: Path) -> tuple[int, dict[str, Any]]:
    """Run the command; give its exit status and its report."""
    path = folder / "report.json"
    status = cli.main([*words.split(), "--report", str(path)])
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert report["exit_code"] == status
    return status, report


def strikes(report: dict[str, Any]) -> dict[str, int]:
    """How often each actor was killed; what chaos and the actors say of it is the same."""
    killed = {name: toll["kills"] for name, toll in report["chaos"]["actors"].items()}
    assert killed == {actor["name"]: actor["deaths"].count("chaos") for actor in report["actors"]}
    assert sum(killed.values()) == report["chaos"]["kills"]
    assert sum(toll["freezes"] for toll in report["chaos"]["actors"].values()) == report["chaos"]["freezes"]
    return killed


def test_the_pipeline_is_exact(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, report = run(f"{PIPELINE} --chaos 50 --freeze 0.25 --seed 7", tmp_path)
    assert status == ExitCode.DRAINED
    chaos = report["chaos"]
    assert (chaos["rate"], chaos["freeze"], chaos["seed"]) == (50.0, 0.25, 7)
    assert (chaos["exact"], chaos["wrong"]) == (True, [])
    killed = strikes(report)
    assert chaos["kills"] > 0
    assert {cause for actor in report["actors"] for cause in actor["deaths"]} == {"chaos"}
    assert {actor["name"]: actor["restarts"] for actor in report["actors"]} == killed
    lines = capfd.readouterr().out.splitlines()
    assert sum("steady-mp chaos killed " in line for line in lines) == chaos["kills"]
    assert sum("steady-mp chaos froze " in line for line in lines) == chaos["freezes"]
    assert lines[-1].startswith("exact: ")


def test_actors_that_are_only_frozen_live_one_life(tmp_path: Path) -> None:
    status, report = run(f"{PIPELINE} --chaos 20 --freeze 1 --seed 7 --log-level error", tmp_path)
    assert (status, report["chaos"]["exact"]) == (ExitCode.DRAINED, True)
    assert report["chaos"]["freezes"] > 0
    assert not any(strikes(report).values())
    assert [actor["generation"] for actor in report["actors"]] == [1, 1, 1, 1]


def test_a_result_that_the_check_finds_wrong_is_no_success(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = "run tests.support.alone --total 999 --chaos 20 --no-telemetry"
    status, report = run(words, tmp_path)
    line = "alone has counted to 999 and not to 1000"
    assert status == ExitCode.WRONG_RESULT
    assert (report["chaos"]["exact"], report["chaos"]["wrong"]) == (False, [line])
    assert (report["clean"], report["why"]) == (False, [line])
    assert capfd.readouterr().out.splitlines()[-1].startswith(f"wrong result: {line} (after ")


def test_without_chaos_nothing_is_checked(tmp_path: Path) -> None:
    status, report = run("run tests.support.alone --total 999 --no-telemetry", tmp_path)
    assert (status, report["clean"], report["chaos"]) == (ExitCode.DRAINED, True, None)


@pytest.mark.parametrize("rate", [0.1, 1000])
@pytest.mark.parametrize("total", [0, 1000])
def test_one_actor_comes_to_its_end_at_any_rate(rate: float, total: int, tmp_path: Path) -> None:
    """With the restart policy of every actor: what chaos kills does not count as failure."""
    _, report = run(f"run tests.support.alone --total {total} --chaos {rate} --no-telemetry", tmp_path)
    assert report["actors"][0]["finished"]
    assert report["chaos"]["exact"] is (total == 1000)
    strikes(report)


def test_the_monkey_goes_on_beside_telemetry(tmp_path: Path) -> None:
    status, report = run("run --rate 5 --beats 200 --chaos 50 --log-level error --port 0", tmp_path)
    assert (status, report["chaos"]["exact"]) == (ExitCode.DRAINED, True)
    assert sum(strikes(report).values()) > 0


# Signals


def test_ctrl_c_in_the_middle_drains_and_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    words = f"--rate 5 --beats 1000000 --chaos 50 --freeze 0.2 --no-telemetry --report {path}"
    with Process(*COMMAND, *words.split(), terminal=True) as process:
        process.wait_line("chaos killed")
        process.wait_line("chaos froze")
        process.press(b"\x03")
        assert process.wait(30) == ExitCode.DRAINED
        assert "exact: " in process.output
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["chaos"]["exact"]
    assert sum(strikes(report).values()) > 0


def test_the_second_term_ends_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    words = f"tests.support.alone --stays --chaos 50 --freeze 0.5 --no-telemetry --report {path}"
    with Process(*COMMAND, *words.split()) as process:
        process.wait_line("chaos killed")
        process.send(signal.SIGTERM)
        process.wait_line("draining")
        process.send(signal.SIGTERM)
        assert process.wait(20) == ExitCode.INTERRUPTED
        assert "not checked: the run did not drain" in process.output
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["chaos"]["exact"] is None
    strikes(report)
