"""What is shown of a run that is over: nobody in it lives, whatever its files said last."""

from __future__ import annotations

import dataclasses
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.cli import ps, state, top
from steady_mp.cli.runs import open_status
from steady_mp.events import ActorFinished, RunStopped
from steady_mp.memory.status import EVENTS_FILE, STATUS_FILE, read_status, write_status
from steady_mp.telemetry.state import describe
from tests.support.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def run() -> Iterator[Simulated]:
    """Give a run in which eat has finished and feed works."""
    with Simulated(graph="odd") as made:
        made.now = time.monotonic() - 5.0  # the commands look by the real clock
        made.start()
        made.now += 5.0
        made.begin(0)
        made.begin(1)
        made.record(ActorFinished(actor="eat", generation=1))
        yield made


def kill(directory: Path) -> None:
    """Let the supervisor be gone: who has its pid now is somebody else."""
    status = read_status(directory)
    write_status(directory, dataclasses.replace(status, born=status.born + 1, url="http://127.0.0.1:9900"))


def drain(run: Simulated) -> None:
    run.wall += 6.0
    run.record(RunStopped(clean=True, exit_code=0, seconds=6.0))


def shown(run: Simulated, capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, str]]:
    """Return the head of `top --once`, and the states of the actors in it."""
    assert top.top(str(run.run.path), once=True) == 0
    lines = capsys.readouterr().out.splitlines()
    return lines[0], {words[0]: words[1] for words in map(str.split, lines) if words and words[0] in {"feed", "eat"}}


def test_top_shows_a_living_run(run: Simulated, capsys: pytest.CaptureFixture[str]) -> None:
    head, states = shown(run, capsys)
    assert head.startswith("odd  running, up ")
    assert states == {"feed": "running", "eat": "finished"}


def test_top_shows_a_run_dead_whose_supervisor_was_killed(run: Simulated, capsys: pytest.CaptureFixture[str]) -> None:
    kill(run.run.path)
    head, states = shown(run, capsys)
    assert head == f"odd  dead  its supervisor {run.sampler.sample().status.pid} is gone"
    assert states == {"feed": "dead", "eat": "finished"}


def test_top_shows_a_run_that_has_ended_as_such(run: Simulated, capsys: pytest.CaptureFixture[str]) -> None:
    drain(run)
    head, states = shown(run, capsys)
    assert head == "odd  ended"
    assert states == {"feed": "dead", "eat": "finished"}


def test_what_was_swept_between_two_looks_has_ended(run: Simulated) -> None:
    run.tick()
    run.run.path.joinpath(STATUS_FILE).unlink()
    run.tick()
    assert run.board.sample is not None
    assert top.how_over(run.board.sample, run.run.path) == "ended"


def seen(run: Simulated) -> tuple[dict[str, Any], str]:
    """Return what ps has of the run, as JSON and as the head that is drawn."""
    found = open_status(run.run.path)
    looked = ps.look(found)
    return looked, str(ps._draw(looked, found.status.pid)[0])


def test_ps_shows_who_supervises_a_living_run(run: Simulated) -> None:
    looked, head = seen(run)
    assert (looked["phase"], looked["pid"]) == ("running", os.getpid())
    assert looked["uptime"] > 0
    assert f"supervisor {os.getpid()}" in head


@pytest.mark.parametrize("jump", [-1e9, 1e9])
def test_how_long_a_run_is_up_is_no_matter_of_the_time_of_day(run: Simulated, jump: float) -> None:
    """Which is set when the network has come, long after a small machine has started its runs."""
    status = read_status(run.run.path)
    write_status(run.run.path, dataclasses.replace(status, started=time.time() + jump))
    assert 5.0 <= seen(run)[0]["uptime"] < 60
    run.tick(7.0)
    assert 12.0 <= describe(run.board)["uptime"] < 60


def test_ps_counts_the_time_of_a_drained_run_up_to_its_end(run: Simulated) -> None:
    run.record(RunStopped(clean=True, exit_code=0, seconds=2.0))  # of the session before
    drain(run)
    kill(run.run.path)
    looked, head = seen(run)
    assert (looked["phase"], looked["pid"], looked["url"], looked["uptime"]) == ("stopped", None, None, 6.0)
    assert head == f"odd  stopped  after 6 s  {run.run.path.name}"


def test_ps_does_not_guess_when_a_run_ended_that_has_not_said_so(run: Simulated) -> None:
    drain(run)
    (run.run.path / EVENTS_FILE).unlink()
    looked, head = seen(run)
    assert (looked["phase"], looked["uptime"]) == ("stopped", None)
    assert head == f"odd  stopped  {run.run.path.name}"
    status = read_status(run.run.path)
    write_status(run.run.path, dataclasses.replace(status, phase="running"))
    kill(run.run.path)
    looked, head = seen(run)
    assert (looked["phase"], looked["pid"], looked["url"], looked["uptime"]) == ("dead", None, None, None)
    assert head.startswith(f"odd  dead  its supervisor {os.getpid()} is gone; ")


def test_state_says_that_an_actor_is_dead_with_its_run(run: Simulated, capsys: pytest.CaptureFixture[str]) -> None:
    def life(actor: str) -> str:
        state.state(actor, str(run.run.path), as_json=False)
        return capsys.readouterr().out.splitlines()[0]

    assert (life("feed"), life("eat")) == (
        "feed as of commit 0 (life 1, running)",
        "eat as of commit 0 (life 1, finished)",
    )
    kill(run.run.path)
    assert (life("feed"), life("eat")) == (
        "feed as of commit 0 (life 1, dead)",
        "eat as of commit 0 (life 1, finished)",
    )
