"""Which run a command means, and which letter; when it is over; and where what it writes goes."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from steady_mp import ConfigurationError
from steady_mp.cli import dead_letters, facts, report_file, runs, stop
from steady_mp.cli.main import main
from steady_mp.errors import ExitCode, SteadyError
from steady_mp.events import RunStopped
from steady_mp.memory.letters import Letter
from steady_mp.memory.owner import Owner
from tests.support.simulated import Simulated


class Status:
    """As much of a status as finding a run takes."""

    def __init__(self, graph: str, owner: Owner) -> None:
        self.graph, self.owner, self.phase = graph, owner, "running"


def found(graph: str, *, alive: bool) -> runs.Found:
    me = Owner.me()
    owner = me if alive else dataclasses.replace(me, started=me.started + 1)
    status: Any = Status(graph, owner)
    return runs.Found(Path(f"/root/{graph}.{alive}.{id(status)}"), status)


def there_are(monkeypatch: pytest.MonkeyPatch, *several: runs.Found) -> None:
    monkeypatch.setattr(runs, "all_runs", lambda: list(several))


def test_a_living_run_goes_before_the_dead_ones_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    alive, other = found("flow", alive=True), found("other", alive=True)
    there_are(monkeypatch, found("flow", alive=False), alive, found("flow", alive=False), other)
    assert runs.find_run("flow", dead=True) == alive.directory
    assert runs.find_run("flow") == alive.directory


def test_a_run_can_be_named_from_a_folder_that_is_closed_to_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """`sudo -u service steady-mp health flow`, typed in /root."""

    def closed(_self: Path, **_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    alive = found("flow", alive=True)
    there_are(monkeypatch, alive)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", closed)
        assert runs.find_run("flow") == alive.directory
        with pytest.raises(ConfigurationError, match=r"some/flow/.*: Permission denied"):
            runs.find_run("some/flow")


def test_of_several_none_is_chosen_for_the_asker(monkeypatch: pytest.MonkeyPatch) -> None:
    for alive in (True, False):
        there_are(monkeypatch, found("flow", alive=alive), found("flow", alive=alive))
        with pytest.raises(ConfigurationError, match="several runs could be meant") as refusal:
            runs.find_run("flow", dead=True)
        assert not isinstance(refusal.value, runs.NoSuchRun)


def test_a_link_that_leads_in_a_circle_is_no_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with Simulated() as run:
        (tmp_path / "run").symlink_to(run.run.path)
        monkeypatch.setattr(runs, "default_root", lambda: tmp_path)
        assert [each.directory for each in runs.all_runs()] == [run.run.path.resolve()]


def test_kept_letters_are_those_that_are_meant_only_where_there_is_no_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dead_letters, "_kept", lambda *_: tmp_path / "kept")
    there_are(monkeypatch)
    with pytest.raises(ConfigurationError, match="kept can't be read as a run"):
        dead_letters.open_box("flow")
    there_are(monkeypatch, found("flow", alive=True), found("flow", alive=True))
    with pytest.raises(ConfigurationError, match="several runs could be meant"):
        dead_letters.open_box("flow")


def letter(channel: str) -> Letter:
    return Letter(channel=channel, index=0, position=7, actor="a", policy="skip", time=0.0, shown="7", message=b"")


def box(folder: Path, *channels: str) -> dead_letters.Box:
    return dead_letters.Box(folder, "shop", [letter(each) for each in channels], is_alive=False, ordered=frozenset())


def test_a_letter_is_named_as_its_channel_was_declared_or_with_the_other_arrow(tmp_path: Path) -> None:
    assert box(tmp_path, "in->out").find("in->out@7").channel == "in->out"
    assert box(tmp_path, "in→out").find("in->out@7").channel == "in→out"
    both = box(tmp_path, "in→out", "in->out")
    assert [both.find(f"{name}@7").channel for name in ("in->out", "in→out")] == ["in->out", "in→out"]
    with pytest.raises(ConfigurationError, match="there is in→out@7, in->out@7"):
        both.find("in@7")


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "open_box", lambda _: box(tmp_path, "orders"))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert dead_letters.export(pipe, None, as_json=True) == 0
        assert json.loads(os.read(reader, 10_000))["channel"] == "orders"
        assert pipe.is_fifo()
        assert [each.name for each in tmp_path.iterdir()] == ["pipe"]
    finally:
        os.close(reader)


def test_letters_are_for_their_owner_only_and_a_link_stays_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "open_box", lambda _: box(tmp_path, "orders"))
    link, file = tmp_path / "link", tmp_path / "letters"
    link.symlink_to(file)
    assert dead_letters.export(link, None, as_json=True) == 0
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text(encoding="utf-8"))["name"] == "orders@7"


def test_a_report_can_go_to_the_standard_output_that_is_a_pipe() -> None:
    """`--report /dev/stdout | jq`: the place that the link leads to has no path of its own."""
    reader, writer = os.pipe()
    try:
        place = Path(f"/dev/fd/{writer}")
        report_file.check(place)
        report_file.write({"clean": True}, place)
        assert json.loads(os.read(reader, 1000)) == {"clean": True}
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("text", ["", "4:memory:/x\n", "1:name=systemd:/\n0::/a/b\n"])
def test_a_process_of_any_control_group_has_limits(text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/pids.max").write_text("7")
    monkeypatch.setattr(facts, "_CGROUP", tmp_path)
    read = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self: text if self.name == "cgroup" else read(self))
    lines = facts._of_cgroup(1)
    none = ["cgroup: no limits that could be read"]
    assert lines == ([f"cgroup {tmp_path}/a/b:", "  pids.max: 7"] if "0::" in text else none)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What `stop` would send to a supervisor that hears it: nobody gets it."""
    sent: list[int] = []

    def send(_run: object, number: int) -> bool:
        sent.append(number)
        return True

    monkeypatch.setattr(stop, "_facts", lambda _pid: (False, True))
    monkeypatch.setattr(stop, "_send", send)
    monkeypatch.setattr(stop, "_ANSWER", 0.1)
    monkeypatch.setattr(stop, "_MOMENT", 0.1)
    return sent


def test_a_run_that_says_that_it_is_over_is_over_though_its_directory_is_there() -> None:
    with Simulated() as run:
        seen = runs.open_status(run.run.path)
        assert not stop._has_gone(seen)
        run.record(RunStopped(clean=True, exit_code=0, seconds=1.0))
        assert stop._has_gone(seen)


def test_a_run_that_has_stopped_is_not_killed_while_its_log_stalls(
    sent: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Simulated() as run:
        note = stop._send

        def send(found: Any, number: int) -> bool:
            note(found, number)
            if len(sent) == 2:
                run.record(RunStopped(clean=False, exit_code=130, seconds=1.0))
            return True

        monkeypatch.setattr(stop, "_send", send)
        assert stop.stop(str(run.run.path), now=True, wait=True, timeout=60.0, as_json=False) == 0
    assert "exit code 130" in capsys.readouterr().out
    assert sent == [signal.SIGTERM, signal.SIGTERM]


@pytest.mark.parametrize(
    ("now", "words"), [(True, "killed with its supervisor"), (False, "gone without a word: killed, or no room")]
)
def test_one_that_ends_without_saying_how(
    *, now: bool, words: str, sent: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A drain may have ended well on a disk that is full: nobody can tell."""
    with Simulated() as run:
        monkeypatch.setattr(Owner, "is_dead", lambda _owner: bool(sent))
        status = stop.stop(str(run.run.path), now=now, wait=True, timeout=1.0, as_json=False)
    assert status == (ExitCode.DRAINED if now else ExitCode.UNCLEAN)
    assert words in capsys.readouterr().out


def test_an_end_to_the_patience_kills_nobody(sent: list[int]) -> None:
    with Simulated() as run, pytest.raises(SteadyError, match="goes on, although its supervisor"):
        stop.stop(str(run.run.path), now=True, wait=True, timeout=0.0, as_json=False)
    assert sent == [signal.SIGTERM, signal.SIGTERM]


def test_whoever_does_not_answer_is_killed_and_seen_to_die(
    sent: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """That takes a moment, also where the patience ends just then."""
    with Simulated() as run:
        looks = 0

        def is_dead(_owner: Owner) -> bool:
            nonlocal looks
            looks += signal.SIGKILL in sent
            return looks > 1

        monkeypatch.setattr(Owner, "is_dead", is_dead)
        monkeypatch.setattr(stop, "_MOMENT", 60.0)
        monkeypatch.setattr(stop, "_facts", lambda _pid: (True, True))
        assert stop.stop(str(run.run.path), now=True, wait=True, timeout=0.0, as_json=False) == 0
    assert "killed with its supervisor" in capsys.readouterr().out
    assert sent == [signal.SIGKILL]


@pytest.mark.parametrize("words", ["why --run nosuch", "stop nosuch", "peek orders --run nosuch"])
def test_what_was_asked_for_is_named_also_where_nothing_runs(
    words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ROOT", "KEPT"):
        monkeypatch.setenv(f"STEADY_MP_{name}", str(tmp_path / name))
    assert main(words.split()) == ExitCode.BAD_CONFIGURATION
    line = "steady-mp: no run 'nosuch': nothing runs on this machine that could be shown (looked in "
    assert capsys.readouterr().err.startswith(line)
