"""Death reports, notes, stacks and the count of kills for want of memory, as files and text: no process dies here."""

from __future__ import annotations

import os
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import pytest

from steady_mp.memory.deaths import (
    MOST_LATEST,
    DeathReport,
    cut,
    read_reports,
    report_file,
    report_files,
    write_report,
)
from steady_mp.memory.kept import MOST_BYTES, MOST_RUNS, all_kept, forget, keep_reports, kept_root
from steady_mp.memory.rundir import sweep
from steady_mp.memory.status import CAUSES, EVENTS_FILE, STATUS_FILE
from steady_mp.supervisor.cause import cause_of
from steady_mp.supervisor.deaths import end_of_run, kind_of
from steady_mp.supervisor.note import Note
from steady_mp.supervisor.oom import OomKills
from steady_mp.supervisor.stacks import top_frame

if TYPE_CHECKING:
    from pathlib import Path

REPORT = DeathReport(
    actor="worker", generation=1, pid=7, at=1.0, cause="SIGKILL", detail="", kind="SIGKILL", status=-9, log=["a", "b"]
)


# Reports


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    report = replace(REPORT, in_hand={"channel": "a→b", "first": 1, "last": 2, "value": "'é'"}, stack="x\ny")
    write_report(tmp_path, 3, report)
    assert read_reports(tmp_path) == [report]
    assert [path.name for path in tmp_path.iterdir()] == ["actor-3.died-1"]


def test_the_first_and_the_latest_of_each_actor_stay(tmp_path: Path) -> None:
    for life in range(1, 51):
        for actor in (0, 1):
            write_report(tmp_path, actor, replace(REPORT, actor=f"number {actor}", generation=life, at=float(life)))
    assert len(report_files(tmp_path)) == 2 * (MOST_LATEST + 1)
    lives = [report.generation for report in read_reports(tmp_path) if report.actor == "number 1"]
    assert lives == [1, *range(51 - MOST_LATEST, 51)]


def test_what_is_no_report_is_left_out(tmp_path: Path) -> None:
    write_report(tmp_path, 0, REPORT)
    (tmp_path / report_file(0, 2)).write_text("{")
    (tmp_path / report_file(0, 3)).write_text('{"actor": 1}')
    (tmp_path / (report_file(0, 4) + ".new")).write_text(REPORT.to_json())
    assert read_reports(tmp_path) == [REPORT]
    assert read_reports(tmp_path / "gone") == []


def test_a_full_file_system_leaves_no_half_a_report(tmp_path: Path) -> None:
    (tmp_path / (report_file(0, 1) + ".new")).mkdir()
    with pytest.raises(OSError, match="directory"):
        write_report(tmp_path, 0, REPORT)
    assert read_reports(tmp_path) == []


def test_a_long_text_loses_its_middle() -> None:
    assert cut("abc", 3) == "abc"
    short = cut("a" * 500 + "b" * 500, 200)
    assert len(short) == 200
    assert short.startswith("aaa")
    assert short.endswith("bbb")
    assert "characters left out" in short


@pytest.mark.parametrize(
    ("status", "cause", "kind"),
    [
        (-9, "SIGKILL", "SIGKILL"),
        (-7, "SIGBUS", "signal"),
        (-40, "signal 40", "signal"),
        (3, "exit code 3", "exit code"),
        (0, "exit code 0 before its behavior had returned", "exit code"),
    ],
)
def test_what_an_exit_status_is_called(status: int, cause: str, kind: str) -> None:
    assert cause_of(status) == cause
    assert kind_of(cause) == kind
    assert kind in CAUSES


def test_whose_reason_ends_a_life_with_its_run() -> None:
    why = ["b did not stop in time: it is busy", "3 messages are still queued"]
    assert end_of_run("b", why)[:2] == ("end of the run", "b did not stop in time: it is busy")
    assert end_of_run("a", why)[1] == why[0]
    assert end_of_run("a", [])[1] == "the run ends"


# What is kept


RUN = "graph.1.2.3.{}"


def dead_run(root: Path, name: str, *reports: DeathReport) -> Path:
    directory = root / name
    directory.mkdir()
    (directory / STATUS_FILE).write_text("{}")
    (directory / EVENTS_FILE).write_text("")
    (directory / "channel-0").write_bytes(b"secret")
    for report in reports:
        write_report(directory, 0, report)
    return directory


def test_the_reports_of_a_run_are_kept_for_their_owner_only(tmp_path: Path) -> None:
    place = keep_reports(dead_run(tmp_path, RUN.format(0), REPORT))
    assert place == kept_root() / RUN.format(0)
    assert kept_root().stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in place.iterdir()) == ["actor-0.died-1", EVENTS_FILE, STATUS_FILE]
    assert read_reports(place) == [REPORT]


def test_nothing_is_kept_where_nobody_has_failed(tmp_path: Path) -> None:
    assert keep_reports(dead_run(tmp_path, "calm")) is None
    planned = [replace(REPORT, kind=kind, generation=n) for n, kind in enumerate(["chaos", "end of the run", "replay"])]
    assert keep_reports(dead_run(tmp_path, "planned", *planned)) is None
    assert not kept_root().exists()
    assert keep_reports(tmp_path / "planned", unclean=True) is not None
    assert keep_reports(tmp_path / "calm", unclean=True) is None


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    for number in range(MOST_RUNS + 3):
        place = keep_reports(dead_run(tmp_path, RUN.format(number), REPORT))
        assert place is not None
        os.utime(place, (number, number))
    assert [path.name for path in all_kept()] == [RUN.format(number) for number in range(MOST_RUNS + 2, 2, -1)]
    large = [replace(REPORT, generation=n, log=["x" * (MOST_BYTES // 4)]) for n in range(1, 8)]
    place = keep_reports(dead_run(tmp_path, RUN.format(99), *large))
    assert place is not None
    assert sum(path.stat().st_size for path in place.iterdir()) <= MOST_BYTES
    assert [report.generation for report in read_reports(place)] == [5, 6, 7]  # the latest
    assert len(forget()) == MOST_RUNS
    assert not kept_root().exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    kept_root().symlink_to(tmp_path / "elsewhere")
    try:
        assert keep_reports(dead_run(tmp_path, "run", REPORT)) is None
        assert not list((tmp_path / "elsewhere").iterdir())
    finally:
        kept_root().unlink()


def test_what_lies_beside_them_in_a_folder_for_many_things_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    monkeypatch.setenv("STEADY_MP_KEPT", str(shared))
    thesis = shared / "thesis"
    thesis.mkdir(parents=True)
    (thesis / STATUS_FILE).write_text("nearly done")
    (shared / "graph.1.2.3.7").mkdir()  # no run's: nothing says how it stands
    alive = dead_run(shared, "graph.1.2.3.8")
    (alive / "graph.json").write_text("{}")  # a run itself, not what was kept of one
    (shared / "graph.1.2.3.9").symlink_to(dead_run(tmp_path, "elsewhere", REPORT))
    (shared / "notes.txt").write_text("")
    for entry in shared.iterdir():
        os.utime(entry, (0, 0), follow_symlinks=False)
    before = sorted(shared.iterdir())
    for number in range(10, 10 + MOST_RUNS + 1):
        assert keep_reports(dead_run(tmp_path, RUN.format(number), REPORT)) is not None
    assert len(all_kept()) == MOST_RUNS
    assert len(forget()) == MOST_RUNS
    assert sorted(shared.iterdir()) == before


def test_the_folder_of_the_runs_themselves_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADY_MP_KEPT", str(tmp_path))
    directory = dead_run(tmp_path, RUN.format(0), REPORT)
    assert keep_reports(directory) is None
    assert (directory / "channel-0").exists()


def test_a_sweep_keeps_the_reports(run_root: Path) -> None:
    directory = dead_run(run_root, "graph.0.999999999.1.0", REPORT)
    # Its namespace is another one, so nobody's lock and its age say that it is abandoned.
    os.utime(directory, (1, 1))
    assert sweep(run_root) == [directory]
    assert not directory.exists()
    assert [path.name for path in all_kept()] == [directory.name]


# Notes


class Odd(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt


def raised(error: BaseException) -> BaseException:
    def somewhere() -> NoReturn:
        raise error

    try:
        somewhere()
    except BaseException as caught:  # noqa: BLE001 - whatever it is
        return caught


def test_a_note_of_an_error() -> None:
    note = Note.of_error(raised(ValueError("no good")))
    assert note.cause == "ValueError: no good"
    assert note.detail.startswith("at unit/test_deaths.py:")
    assert note.detail.endswith(" in somewhere")
    assert note.traceback.endswith("ValueError: no good\n")


def test_a_note_of_an_error_that_cant_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Odd" in Note.of_error(raised(Odd())).cause

    def fail(*_: object) -> NoReturn:
        raise RecursionError

    monkeypatch.setattr(traceback, "format_exception", fail)
    assert (
        Note.of_error(raised(ValueError("no good"))).cause
        == "an exception of type <class 'ValueError'> that can't be shown"
    )


def test_a_note_of_an_endless_error_is_bounded(tmp_path: Path) -> None:
    note = Note.of_error(raised(ValueError("x" * 10_000_000)))
    assert len(note.cause) + len(note.traceback) < 20_000
    note.write(tmp_path / "death")
    assert (tmp_path / "death").stat().st_size < 40_000


def test_a_note_is_taken_once_and_only_by_its_own_life(tmp_path: Path) -> None:
    path = tmp_path / "death"
    note = Note(7, "cause", "detail", "traceback")
    note.write(path)
    assert Note.take(path, 7) == note
    assert Note.take(path, 7) is None
    note.write(path)
    assert Note.take(path, 8) is None
    path.write_text("{")
    assert Note.take(path, 7) is None


# Stacks

DUMP = """\
Thread 0x00007f899cd3d6c0 (most recent call first):
  File "/lib/python3.11/threading.py", line 982 in run

Current thread 0x00007f899d87ab80 (most recent call first):
  File "/home/me/actors/worker.py", line 21 in run
  File "/home/me/actors/main.py", line 4 in <module>
"""


def test_the_top_frame_of_a_dump() -> None:
    assert top_frame(DUMP) == "actors/worker.py:21 in run"
    threads = DUMP.replace("Current thread", "Thread").replace("Thread", "Current thread", 1)
    assert top_frame(threads) == "actors/worker.py:21 in run"  # asked another thread, the main one comes last
    assert top_frame("Fatal Python error: Aborted\n\n" + threads) == "python3.11/threading.py:982 in run"
    assert top_frame("") == top_frame("Fatal Python error: Aborted\n") == ""


# Out of memory


@pytest.mark.parametrize("version", [1, 2])
def test_a_kill_that_the_kernel_has_counted(version: int, tmp_path: Path) -> None:
    mine = tmp_path / "cgroup"
    mine.write_text("4:memory:/job\n" if version == 1 else "0::/job\n")
    folder = tmp_path / ("memory/job" if version == 1 else "job")
    folder.mkdir(parents=True)
    events = folder / ("memory.oom_control" if version == 1 else "memory.events")
    events.write_text("low 0\noom_kill 3\n")
    now = [0.0]
    kills = OomKills(mine=mine, groups=tmp_path, machine=tmp_path / "none", clock=lambda: now[0])
    assert kills.explain() is None
    now[0] = 2.5
    events.write_text("low 0\noom_kill 5\n")
    said = kills.explain()
    assert said is not None
    assert "in the run's control group in the last 2.5 s (3 to 5): next to certain" in said
    assert kills.explain() is not None  # two were counted
    assert kills.explain() is None
    kills.close()
    assert kills.explain() is None  # nobody counts any more


def test_where_no_control_group_can_be_seen_the_machine_is_asked(tmp_path: Path) -> None:
    machine = tmp_path / "vmstat"
    machine.write_text("pgfault 1\noom_kill 0\n")
    kills = OomKills(mine=tmp_path / "none", groups=tmp_path, machine=machine)
    machine.write_text("pgfault 1\noom_kill 1\n")
    said = kills.explain()
    assert said is not None
    assert "on this machine" in said
    assert said.endswith("likely")
    machine.unlink()
    assert kills.explain() is None
    kills.close()
    nobody = OomKills(mine=tmp_path / "none", groups=tmp_path, machine=machine)
    assert nobody.explain() is None
    nobody.close()
