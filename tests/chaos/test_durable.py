"""A durable run loses all of its processes, again and again, and goes on exactly once."""

from __future__ import annotations

import contextlib
import random
import re
import signal
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from actors import Args, build_graph, check_report
from steady_mp import ExitCode, Graph
from steady_mp.cli.main import main as cli
from steady_mp.errors import ConfigurationError
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping
from tests.support.gates import Lines
from tests.support.hosts import Process, all_gone
from tests.support.waiting import eventually, let_pass

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = [pytest.mark.chaos, pytest.mark.timeout(60)]

SHORT = Args(rate=2, beats=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def host(folder: Path, *words: str) -> Process:
    return Process(sys.executable, "-m", "tests.support.durable_host", str(folder), *words)


def kill_all(process: Process, dice: random.Random) -> None:
    """Kill every process of the run, in any order."""
    everybody = [psutil.Process(process.pid), *process.family()]
    dice.shuffle(everybody)
    for each in everybody:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    assert all_gone(everybody, 10.0)


def sent(folder: Path) -> int:
    """Return how many messages of the second channel were sent so far."""
    channel = Mapping(folder / "channel-1", read_only=True)
    try:
        return channel.words[layout.TAIL]
    finally:
        channel.close()


def kill_again_and_again(folder: Path, times: int) -> None:
    dice = random.Random(times)
    for _ in range(times):
        with host(folder) as process:
            if awaited := dice.choice(("started", "started", "started", "up", "")):
                process.wait_line(awaited)
            let_pass(dice.uniform(0.0, 0.2))  # the times of the kills are what is tried
            kill_all(process, dice)
    with host(folder) as process:
        process.wait_line("up")
        assert eventually(lambda: sent(folder) > times, 20.0)  # the lives before may all have been too short to send
        process.send(signal.SIGTERM)
        assert process.wait() == ExitCode.DRAINED, process.output
        report = process.report()
    assert report["clean"]
    assert report["wrong"] == []
    assert max(report["generations"]) > 1  # how many lives there were in time is the machine's to say
    assert report["sent"][1] > times


def test_all_processes_are_killed_at_random_times(folder: Path) -> None:
    kill_again_and_again(folder, 12)


def test_so_are_those_of_one_that_survives_a_loss_of_power_too(folder: Path) -> None:
    """Each time when it has got on: to put everything on the disk takes its time."""
    reached = 0
    for last in (False, False, False, True):
        with host(folder, "sync") as process:
            process.wait_line("up")
            assert eventually(lambda before=reached: sent(folder) > before + 3, 20.0)  # type: ignore[misc]
            if not last:
                kill_all(process, random.Random(reached))
                reached = sent(folder)
                continue
            process.send(signal.SIGTERM)
            assert process.wait() == ExitCode.DRAINED, process.output
            report = process.report()
    assert (report["clean"], report["wrong"]) == (True, [])
    assert min(report["generations"]) > 1
    assert (folder / "sync").exists()


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_all_processes_are_killed_a_hundred_times(folder: Path) -> None:
    kill_again_and_again(folder, 100)


# In this process: what a folder may hold


def start(folder: Path, args: Args = SHORT, *, resume: bool = True, graph: Graph | None = None) -> list[str]:
    """Run the pipeline to its end in `folder`; return what is wrong with the result."""
    graph = graph or Graph("durable", log_level="error")
    build_graph(graph, args)
    place = {"resume": folder} if resume else {"durable": folder}
    with graph.start(**place, output=Lines()) as run:  # type: ignore[arg-type]
        return check_report(run.block_until_stopped(30.0))


class Narrow(Graph):
    """A graph whose channels hold half of what is asked for."""

    def channel(self, capacity: int = 64, **options: Any) -> Any:
        return super().channel(capacity // 2, **options)


def test_a_run_that_has_finished_says_so_again(folder: Path) -> None:
    assert start(folder, resume=False) == []
    assert start(folder) == []
    assert (folder / "durable").exists()


def test_it_is_not_begun_over_another(folder: Path) -> None:
    start(folder, resume=False)
    with pytest.raises(ConfigurationError, match=f"holds a run: go on with it by --resume {folder}"):
        start(folder, resume=False)


def test_a_folder_with_other_things_in_it_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigurationError, match="is not empty"):
        start(folder, resume=False)
    assert (folder / "thesis.txt").read_text() == "years of work"


def test_what_never_began_can_t_be_resumed_and_can_be_begun(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no durable run: begin one with --durable"):
        start(folder)
    folder.mkdir()
    (folder / "unfinished").touch()
    (folder / "channel-0").write_bytes(b"half of it")
    assert start(folder, resume=False) == []


def test_another_graph_is_refused_with_what_differs(folder: Path) -> None:
    start(folder, resume=False)
    with pytest.raises(ConfigurationError, match="another graph: channel heartbeat→worker: capacity 32 instead of 64"):
        start(folder, graph=Narrow("durable"))
    assert start(folder) == []


def test_a_run_that_is_alive_is_refused(folder: Path) -> None:
    with host(folder) as process:
        process.wait_line("up")
        with pytest.raises(ConfigurationError, match="is alive: its supervisor holds the folder"):
            start(folder)
        process.send(signal.SIGTERM)
        assert process.wait() == ExitCode.DRAINED


def test_the_command_goes_on_with_its_own_words(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--rate", "2", "--beats", "10", "--no-telemetry", "--log-level", "error"]
    assert cli([*words, "--durable", str(folder)]) == ExitCode.DRAINED
    capfd.readouterr()
    assert cli(["run", "--resume", str(folder)]) == ExitCode.DRAINED
    assert re.search(r"heartbeat→worker +10 +10 ", capfd.readouterr().out)
    assert cli(["run", "--resume", str(folder), "--durable", str(folder)]) == ExitCode.BAD_CONFIGURATION
    assert "give one of them" in capfd.readouterr().err
