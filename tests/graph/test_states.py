"""A state that can't be saved or read back stops its actor with the reason; it never starts empty by itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode, Graph
from tests.support import keepers
from tests.support.runs import Outcome, complete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)


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


def test_a_snapshot_that_was_damaged() -> None:
    deaths = hopeless(keepers.damage).actor("keeper").deaths
    assert deaths[0] == "SIGKILL"
    assert "StateError: snapshot in" in deaths[1]
    assert "is damaged: " in deaths[1]


def test_a_snapshot_of_another_version() -> None:
    deaths = hopeless(keepers.change).actor("keeper").deaths
    assert deaths[0] == "SIGKILL"
    assert "the snapshot holds tests.support.keepers:Growing version 7, the code has " in deaths[1]


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
