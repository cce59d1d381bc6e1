"""The folder of a durable run: whose it is, what may be in it when one begins, and who may look into it."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import Actor, ConfigurationError, Graph, NoSpace
from steady_mp.events import RunStarted
from steady_mp.memory import disk
from steady_mp.memory.deaths import DeathReport, write_report
from steady_mp.memory.layout import PAGE
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.rundir import RunDir
from steady_mp.supervisor.contents import first_contents
from steady_mp.supervisor.note import Note
from steady_mp.supervisor.recorder import Recorder
from tests.support import begun
from tests.support.gates import Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def keep(folder: Path) -> RunDir:
    return RunDir.create_durable(folder, {"run": PAGE, "channel-0": PAGE}, {"graph.json": b"{}", "beside": b"x"})


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("way", ["name", "name/../name", "real/../name"])
def test_a_folder_has_one_name_by_whatever_way_it_is_reached(tmp_path: Path, way: str) -> None:
    (real := tmp_path / "real").mkdir()
    (tmp_path / "name").symlink_to(real, target_is_directory=True)
    run = keep(tmp_path / way)
    assert run.path == real
    run.begin()
    run.remove()
    run = RunDir.reopen(tmp_path / way)
    assert run.path == real
    run.remove()


def test_a_link_that_leads_to_itself_is_no_folder_for_a_run(folder: Path) -> None:
    folder.symlink_to(folder)
    with pytest.raises(ConfigurationError, match="can't hold a durable run: "):
        keep(folder)
    with pytest.raises(ConfigurationError, match="holds no durable run"):
        RunDir.reopen(folder)
    with pytest.raises(ConfigurationError, match="can't hold a durable run: "):
        declared().start(durable=folder, fresh=True, output=Lines())


# What is there before


def marked_by_a_folder(folder: Path) -> None:
    (folder / "unfinished").mkdir()


def marked_by_a_page(folder: Path) -> None:
    (folder / "unfinished").write_text("a draft of mine")


def marked_by_a_link(folder: Path) -> None:
    (folder / "unfinished").symlink_to(folder / "thesis.txt")


def marked(folder: Path) -> None:
    (folder / "unfinished").touch()


@pytest.mark.parametrize("mark", [marked_by_a_folder, marked_by_a_page, marked_by_a_link, marked])
def test_a_strangers_files_are_left_alone_whatever_is_called_unfinished(
    mark: Callable[[Path], None], folder: Path
) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    mark(folder)
    before = names(folder)
    with pytest.raises(ConfigurationError, match="is not empty: name a folder that is"):
        keep(folder)
    assert names(folder) == before


@pytest.mark.parametrize("make", [marked_by_a_folder, marked_by_a_page])
def test_nothing_else_makes_a_marker_of_what_is_none(make: Callable[[Path], None], folder: Path) -> None:
    folder.mkdir()
    make(folder)
    with pytest.raises(ConfigurationError, match="is not empty"):
        keep(folder)
    assert names(folder) == ["unfinished"]


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_a_name_of_ours_is_no_excuse_for_what_is_no_file(kind: str, folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "unfinished").touch()
    (folder / "run").mkdir() if kind == "folder" else (folder / "run").symlink_to(tmp_path)
    with pytest.raises(ConfigurationError, match="is not empty"):
        keep(folder)
    assert names(folder) == ["run", "unfinished"]


def test_one_that_never_began_is_begun_anew_whatever_of_it_is_there(folder: Path) -> None:
    """Also that of another graph, and what a supervisor has written before its first fork server was there."""
    folder.mkdir()
    left = ["unfinished", "run", "channel-17", "actor-3.control", "actor-3.args", "graph.json", "status.json", "sync"]
    left += ["main", "log-file", "command.json", "beside", "events.jsonl", "status.json.new", "events.jsonl.new"]
    for name in left:
        (folder / name).touch()
    for name in ("supervisor.bell", "actor-3.bell"):
        os.mkfifo(folder / name)
    keep(folder).remove()
    assert names(folder) == ["beside", "channel-0", "graph.json", "run", "unfinished"]
    run = keep(folder)
    run.begin()
    run.remove()
    with pytest.raises(ConfigurationError, match="holds a run"):
        keep(folder)


# Who holds it when a start is refused: nobody, though the error is still there, and all that its traceback knows


def alone(_actor: Actor) -> None: ...


def declared(name: str = "alone") -> Graph:
    graph = Graph("flow")
    graph.actor(name, alone)
    return graph


def begin(folder: Path) -> None:
    """Leave a durable run in a folder, with no process."""
    begun.begin(folder, declared())


def refuse(*_: Any, **__: Any) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "begun over another": ({"where": "durable"}, "holds a run"),
    "another graph": ({"name": "other"}, "holds another graph"),
    "no such actor": ({"fresh_states": ["nobody"]}, "no actor 'nobody'"),
    "no sync": ({"sync": True}, "can't be synced: Input/output error"),
    "no map": ({}, "Input/output error"),
    "no plan": ({}, "can't be read: graph.json"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refused_start_lets_go_of_the_folder(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(folder)
    options, why = REFUSALS[kind]
    options = dict(options)
    graph = declared(options.pop("name", "alone"))
    options[options.pop("where", "resume")] = folder
    match kind:
        case "no sync":
            monkeypatch.setattr(disk, "settle_folder", refuse)
        case "no map":
            monkeypatch.setattr(Mapping, "__init__", refuse)
        case "no plan":
            (folder / "graph.json").unlink()
    with pytest.raises((ConfigurationError, OSError), match=why) as refused:
        graph.start(output=Lines(), **options)
    RunDir.reopen(folder).remove()
    del refused  # so long has somebody had the error


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"telemetry": 9900}, r"graph 'flow': telemetry 9900: give it Telemetry\(…\)"),
        ({"log": Path("x")}, r"graph 'flow': log .*: give it LogSettings\(…\)"),
        ({"durable": "x"}, r"graph 'flow': durable 'x': give it Path\(…\)"),
        ({"resume": "x"}, r"graph 'flow': resume 'x': give it Path\(…\)"),
        ({"root": "x"}, r"graph 'flow': root 'x': give it Path\(…\)"),
        ({"sync": True}, "sync does nothing without durable"),
        ({"fresh": True}, "fresh begins a durable run anew"),
        ({"fresh": True, "resume": Path("x")}, "fresh begins a durable run anew"),
        ({"durable": Path("x"), "fresh_states": ["alone"]}, "fresh_states does nothing without resume"),
        ({"durable": Path("x"), "resume": Path("y")}, "give one of them"),
    ],
)
def test_options_of_a_start_that_make_no_sense_are_refused(
    options: dict[str, Any], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=why):
        declared().start(output=Lines(), **options)
    assert not list(tmp_path.iterdir())


def test_so_does_one_that_finds_strangers_files(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").touch()
    with pytest.raises(ConfigurationError, match="is not empty") as refused:
        keep(folder)
    (folder / "thesis.txt").unlink()
    keep(folder).remove()
    del refused


# Begun anew in vain


def is_full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("left", [False, True])
def test_a_run_that_was_put_aside_for_one_that_fails_is_put_back(
    left: bool,  # noqa: FBT001 - a parameter of the test
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin(folder)
    before = folder.stat().st_ino
    with monkeypatch.context() as patch:
        if left:  # nothing is left of what was made, unless not even that can be removed
            patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        patch.setattr(os, "posix_fallocate", is_full)
        with pytest.raises(NoSpace, match=r"the graph needs \S+ MiB: .*, or take a folder with room$"):
            declared().start(durable=folder, fresh=True, output=Lines())
    assert [entry.name for entry in folder.parent.iterdir() if entry.name.startswith("run")] == ["run"]
    assert folder.stat().st_ino == before
    RunDir.reopen(folder).remove()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No room"), KeyboardInterrupt()])
def test_one_that_can_t_be_put_back_is_named(
    error: BaseException, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(folder)

    def fail(*_: Any) -> None:
        monkeypatch.setattr(Path, "rename", refuse)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", fail)
        with pytest.raises((NoSpace, KeyboardInterrupt)) as refused:
            declared().start(durable=folder, fresh=True, output=Lines())
    told = [str(refused.value), *getattr(refused.value, "__notes__", [])]
    kept = folder.with_name("run.kept-1")
    assert told[-1].endswith(f"the run that was in {folder} is kept in {kept}")
    RunDir.reopen(kept).remove()
    keep(folder).remove()


def test_a_link_that_leads_in_a_circle_is_refused(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for fresh in (False, True):
        with pytest.raises(ConfigurationError, match="loop can't hold a durable run"):
            declared().start(durable=loop, fresh=fresh, output=Lines())


def test_one_whose_name_has_no_room_for_more_is_not_put_aside(folder: Path) -> None:
    folder = folder.with_name("x" * 250)
    begin(folder)
    with pytest.raises(ConfigurationError, match=r"can't be put aside as x+\.kept-1: File name too long; move it"):
        declared().start(durable=folder, fresh=True, output=Lines())
    RunDir.reopen(folder).remove()


# Who may look into it


DEATH = DeathReport(
    actor="alone", generation=1, pid=None, at=0.0, cause="SIGKILL", detail="", kind="SIGKILL", status=-9
)


@pytest.fixture
def open_to_all(folder: Path) -> Iterator[Path]:
    """A folder that everybody can look into, as one that was made for the run may be."""
    before = os.umask(0o022)
    folder.mkdir(mode=0o755)
    yield folder
    os.umask(before)


def test_nobody_else_reads_what_is_written_there(open_to_all: Path) -> None:
    graph = declared()
    plan = graph.plan()
    contents = first_contents(plan, graph.packed, {"command.json": b"{}"}, None, None)
    run = RunDir.create_durable(open_to_all, plan.files(), contents)
    run.doorbell("supervisor.bell", create=True).close()
    run.replace("graph.json", plan.to_json().encode())
    Recorder(run.path, plan, print)(RunStarted(graph="flow", actors=1, directory=str(run.path)))
    write_report(run.path, 0, DEATH)
    Note.of_error(ValueError("with a secret in it")).write(run.path / "actor-0.death")
    run.begin()
    run.sync(on=True)
    run.remove()
    modes = {entry.name: entry.stat().st_mode & 0o777 for entry in open_to_all.iterdir()}
    assert {"actor-0.args", "command.json", "status.json", "events.jsonl", "actor-0.death"} < set(modes)
    assert not {name: oct(mode) for name, mode in modes.items() if mode != 0o600}
    assert open_to_all.stat().st_mode & 0o777 == 0o755
