"""A durable folder of which a file is damaged: `--resume` names it before any process starts, and leaves it alone."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from steady_mp import Actor, ConfigurationError, Graph, Rx, Tx
from steady_mp.memory.rundir import RunDir
from steady_mp.plan import PLAN_FILE, RUN_FILE, actor_file, channel_file
from steady_mp.supervisor.contents import first_contents
from steady_mp.supervisor.durable import go_on
from tests.support.begun import begin
from tests.support.gates import Lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTROL = actor_file(1, "control")
CHANNEL = channel_file(0)
MEND = "put it back from a copy, or begin anew with --durable {folder} --fresh"


def give(_actor: Actor, _numbers: Tx[int]) -> None: ...


def take(_actor: Actor, _numbers: Rx[int]) -> None: ...


def declared() -> Graph:
    graph = Graph("flow")
    tx, rx = graph.channel(64, name="numbers")
    graph.actor("giver", give, tx)
    graph.actor("taker", take, rx)
    return graph


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a run that has begun, and no process."""
    begin(folder := tmp_path / "run", declared())
    return folder


def resume(folder: Path) -> str:
    """Return why the run is not resumed."""
    with pytest.raises(ConfigurationError) as refused:
        declared().start(resume=folder, output=Lines())
    RunDir.reopen(folder).remove()  # nobody holds it
    return str(refused.value)


def goes_on(folder: Path) -> None:
    graph = declared()
    plan = graph.plan()
    run, _ = go_on(folder, plan, first_contents(plan, graph.packed, {}, None, None), (), sync=None)
    run.remove()


def whole(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "0 bytes of {size}"),
    "seven bytes": (lambda data: data[:7], "7 bytes of {size}"),
    "a page less": (lambda data: data[:-4096], "{less} bytes of {size}"),
    "a page more": (lambda data: data + bytes(4096), "{more} bytes of {size}"),
    "zeros": (lambda data: bytes(len(data)), "it does not begin as one of this version does"),
    "noise": (lambda data: b"\x13" * len(data), "it does not begin as one of this version does"),
}


@pytest.mark.parametrize("name", [CONTROL, CHANNEL])
@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_file_is_named_with_what_mends_it(name: str, kind: str, folder: Path) -> None:
    damage, why = DAMAGES[kind]
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(damage(data))
    before = whole(folder)
    size = len(data)
    why = why.format(size=size, less=size - 4096, more=size + 4096)
    assert resume(folder) == f"{folder / name} is damaged ({why}): {MEND.format(folder=folder)}"
    assert whole(folder) == before
    (folder / name).write_bytes(data)
    goes_on(folder)


@pytest.mark.parametrize("name", [CONTROL, CHANNEL, RUN_FILE])
def test_a_missing_one_is_named_likewise(name: str, folder: Path) -> None:
    (folder / name).unlink()
    assert resume(folder) == f"{folder / name} is missing: {MEND.format(folder=folder)}"


def test_the_file_of_the_run_has_a_size_only(folder: Path) -> None:
    (folder / RUN_FILE).write_bytes(bytes(4096))
    goes_on(folder)
    (folder / RUN_FILE).write_bytes(b"")
    assert resume(folder) == f"{folder / RUN_FILE} is damaged (0 bytes of 4096): {MEND.format(folder=folder)}"


def test_what_can_t_be_read_is_said_so(folder: Path) -> None:
    (folder / CONTROL).unlink()
    (folder / CONTROL).symlink_to(folder / CONTROL)
    assert re.fullmatch(rf"{folder / CONTROL} can't be read: .*symbolic links.*", resume(folder))


def test_one_of_another_layout_is_refused_as_that(folder: Path) -> None:
    plan = json.loads((folder / PLAN_FILE).read_text())
    plan["layout_version"] -= 1
    (folder / PLAN_FILE).write_text(json.dumps(plan))
    (folder / CONTROL).write_bytes(b"")
    assert "holds another graph: layout" in resume(folder)


def test_bells_are_made_anew(folder: Path) -> None:
    assert not list(folder.glob("*.bell"))
    goes_on(folder)
