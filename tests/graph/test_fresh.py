"""Beginning anew in a durable folder: the whole run, or one actor's state. What there was is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ExitCode, Graph
from steady_mp.cli.main import main as cli
from steady_mp.errors import ConfigurationError
from tests.support import anew
from tests.support.gates import Lines

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

WORDS = ["run", "--rate", "2", "--beats", "5", "--no-telemetry", "--log-level", "warning"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def live(where: str, folder: Path, awaited: str, **options: Any) -> str:
    """Begin or resume the run, stop it at once when the awaited line has come, and return all lines."""
    graph = Graph("anew", log_level="warning")
    anew.fill(graph)
    lines = Lines()
    options[where] = folder
    with graph.start(output=lines, **options) as run:
        lines.wait_for(awaited)
        run.stop_now()
        run.block_until_stopped(20.0)
    return "\n".join(lines.all())


def damage(folder: Path) -> None:
    """Make the taker's state unreadable."""
    for snapshot in folder.glob("actor-1.snapshot-?"):
        snapshot.write_bytes(b"x" * snapshot.stat().st_size)


def test_one_actor_begins_with_a_new_state_where_it_stood(folder: Path) -> None:
    live("durable", folder, "seen 10 up to 10")
    damage(folder)
    with pytest.raises(ConfigurationError, match=f"begin with a new state with --resume {folder} --fresh-state taker"):
        live("resume", folder, "never")
    told = live("resume", folder, "seen 10 up to 20", fresh_states=["taker"])
    assert "taker begins with a new state, where it stood in its channels; what there was is kept in" in told
    (kept,) = folder.glob("actor-1.snapshot-*.kept-1")
    assert set(kept.read_bytes()) == {ord("x")}
    assert kept.stat().st_mode & 0o777 == 0o600
    told = live("resume", folder, "seen ")  # how far the giver came in the lives before is its own affair
    seen, place = map(int, re.findall(r"seen (\d+) up to (\d+)", told)[0])
    assert (seen, place % anew.ROUND) == (place - anew.ROUND, 0)
    assert "new state" not in told


@pytest.mark.parametrize(("name", "why"), [("nobody", "there are giver, taker"), ("taker, giver", "no actor")])
def test_a_state_that_is_not_there_is_refused_and_nothing_changes(folder: Path, name: str, why: str) -> None:
    live("durable", folder, "seen 10 up to 10")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(ConfigurationError, match=why):
        live("resume", folder, "never", fresh_states=["taker", name])
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    live("resume", folder, "seen 20 up to 20")
    assert not list(folder.glob("*.kept-*"))


def test_the_whole_run_begins_anew_and_the_old_one_can_be_resumed_where_it_is_kept(folder: Path) -> None:
    live("durable", folder, "seen 10 up to 10")
    told = live("durable", folder, "seen 10 up to 10", fresh=True)
    kept = folder.with_name("run.kept-1")
    assert f"begun anew; what there was is kept in {kept}" in told
    live("durable", folder, "seen 10 up to 10", fresh=True)
    assert folder.with_name("run.kept-2").exists()
    live("resume", kept, "seen 20 up to 20")


def test_a_damaged_run_is_refused_and_can_begin_anew(folder: Path) -> None:
    live("durable", folder, "seen 10 up to 10")
    (folder / "actor-1.control").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="begin anew with --durable"):
        live("resume", folder, "never")
    assert "begun anew" in live("durable", folder, "seen 10 up to 10", fresh=True)


def test_a_run_that_is_alive_is_not_put_aside(folder: Path) -> None:
    graph = Graph("anew", log_level="error")
    anew.fill(graph)
    with graph.start(output=Lines(), durable=folder), pytest.raises(ConfigurationError, match="is alive"):
        live("durable", folder, "never", fresh=True)
    assert folder.exists()


def test_the_command(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli([*WORDS, "--durable", str(folder), "--fresh"]) == ExitCode.DRAINED  # nothing is there yet
    assert cli([*WORDS, "--durable", str(folder)]) == ExitCode.BAD_CONFIGURATION
    assert "begin anew by --fresh" in capfd.readouterr().err
    assert cli([*WORDS, "--durable", str(folder), "--fresh"]) == ExitCode.DRAINED
    assert "begun anew; what there was is kept in" in capfd.readouterr().out
    assert cli(["run", "--resume", str(folder)]) == ExitCode.DRAINED  # which is not begun anew again
    assert len(list(folder.parent.iterdir())) == 2
    capfd.readouterr()
    for words, why in {
        ("--fresh",): "--fresh begins a run anew with --durable DIR",
        ("--fresh-state", "worker"): "--fresh-state does nothing without --resume DIR",
        ("--resume", str(folder), "--fresh-state", "worker"): "'worker' has finished",
    }.items():
        assert cli(["run", *words]) == ExitCode.BAD_CONFIGURATION
        assert why in capfd.readouterr().err
