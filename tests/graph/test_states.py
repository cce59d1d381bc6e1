"""A state that can't be saved or read back stops its actor with the reason; it never starts empty by itself."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph
from steady_mp.memory.rundir import RunDir
from steady_mp.supervisor.keepsake import keep_snapshot
from tests.support import keepers
from tests.support.gates import Lines
from tests.support.runs import Outcome, complete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def keepsakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give snapshots that can't be read a folder of their own."""
    folder = tmp_path / "keepsakes"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def hopeless(behavior: Callable[..., None], *args: object) -> Outcome:
    """Run an actor that is given up at its first failure with its state: the next life would only repeat it."""
    graph = Graph("states", log_level="error")
    graph.actor("keeper", behavior, *args, graph.state())
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.GAVE_UP
    assert not outcome.report.clean
    assert outcome.report.why[0].endswith(outcome.actor("keeper").deaths[-1])
    return outcome


def test_a_state_that_cant_be_pickled() -> None:
    (cause,) = hopeless(keepers.lock_up).actor("keeper").deaths
    assert "StateError: the state tests.support.keepers:Locked can't be pickled: cannot pickle '_thread.lock'" in cause


def test_a_snapshot_that_was_damaged_is_kept(keepsakes: Path) -> None:
    deaths = hopeless(keepers.damage).actor("keeper").deaths
    assert deaths[0] == "SIGKILL"
    assert "StateError: snapshot in" in deaths[1]
    assert "is damaged: " in deaths[1]
    (kept,) = keepsakes.iterdir()
    assert deaths[1].endswith(f"; a copy of it is in {kept}")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert b"eepers:Growing" in kept.read_bytes()


def test_a_snapshot_of_another_version() -> None:
    deaths = hopeless(keepers.change).actor("keeper").deaths
    assert deaths[0] == "SIGKILL"
    assert "the snapshot holds tests.support.keepers:Growing version 7, the code has " in deaths[1]


def test_a_state_that_takes_most_of_the_time_is_said_in_the_log_once() -> None:
    graph = Graph("states")
    graph.actor("hoarder", keepers.hoard, 1 << 20, graph.state())
    output = Lines()
    with graph.start(output=output) as run:
        said = output.wait_for("saving its state takes ")
        run.request_shutdown()
        assert run.block_until_stopped(30).exit_code is ExitCode.DRAINED
    assert re.search(
        r" hoarder +WARNING: saving its state takes \d+ % of the time .* \(1,048,\d{3} bytes the last", said
    )
    assert sum("saving its state takes" in line for line in output.all()) == 1


def test_a_snapshot_of_an_older_version_is_migrated_once() -> None:
    graph = Graph("states", log_level="error")
    graph.actor("keeper", keepers.modernize, 0, graph.state())
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    assert outcome.actor("keeper").state == {"total": 12, "lives": [1, 2, 3]}


def test_a_migration_that_fails_stops_the_actor_with_the_reason_and_keeps_the_file(keepsakes: Path) -> None:
    outcome = hopeless(keepers.modernize, 1)
    deaths = outcome.actor("keeper").deaths
    assert len(deaths) == 2
    assert "keepers:Modern version 1, the code has tests.support.keepers:Modern version 2" in deaths[1]
    assert "and its migrate(1, data) raised LookupError: nobody remembers version 1" in deaths[1]
    assert outcome.actor("keeper").state.startswith("unreadable: the snapshot holds ")
    (kept,) = keepsakes.iterdir()
    assert f"a copy of it is in {kept}" in deaths[1]
    heading, _, _ = kept.read_bytes().partition(b"\n")
    assert heading.startswith(b'[[0, "tests.support.keepers:Modern", 1, ')


@pytest.mark.parametrize("name", ["gone", "keepers/../.."])
def test_where_nothing_can_be_kept_it_is_said(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    said = keep_snapshot(RunDir(tmp_path), tmp_path / name, 1, "a graph", "../an actor")
    assert f"it could not be copied to {tmp_path}/steady-mp-a-graph--an-actor-{os.getpid()}.snapshot: " in said


def test_a_durable_run_keeps_its_own(tmp_path: Path) -> None:
    (tmp_path / "durable").touch()
    said = keep_snapshot(RunDir(tmp_path), tmp_path / "snapshot", 1, "graph", "actor")
    assert said == f"it stays in {tmp_path}/snapshot; --resume with --fresh-state actor begins with a new one"


@pytest.fixture
def small_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a run root with 3 MiB of room."""
    root = tmp_path / "small"
    root.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(root)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:  # noqa: S603
        pytest.skip("needs the right to mount a tmpfs")
    monkeypatch.setenv("STEADY_MP_ROOT", str(root))
    yield root
    left = list(root.iterdir())
    subprocess.run(["umount", str(root)], check=True)  # noqa: S603, S607
    assert not left


@pytest.mark.usefixtures("small_root")
def test_a_state_that_outgrows_the_file_system() -> None:
    """No SIGBUS: the commit fails with the reason, and what was committed before is what remains."""
    outcome = hopeless(keepers.grow, 100_000)
    (cause,) = outcome.actor("keeper").deaths
    assert "can't be written to" in cause
    assert "No space left on device" in cause
    state = outcome.actor("keeper").state
    assert state["rounds"] > 2


@pytest.mark.usefixtures("small_root")
def test_a_commit_that_failed_is_not_taken_for_done() -> None:
    """A behavior that goes on after such a failure commits its state of then, not the one before the failure."""
    graph = Graph("states", log_level="error")
    graph.actor("keeper", keepers.grow_and_shrug, 400_000, graph.state())
    outcome = complete(graph)
    assert outcome.report.exit_code is ExitCode.DRAINED
    state = outcome.actor("keeper").state
    assert f"rounds: {state['rounds']}" in outcome.log
    assert state["data"] == repr(b"")
