"""Errands: what a command asks of a supervisor is done once, whatever the actors commit meanwhile."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from steady_mp.cli.errand import ask
from steady_mp.errors import SteadyError
from steady_mp.memory import files, layout
from steady_mp.memory.doorbell import Doorbell
from steady_mp.memory.letters import Letter, Letters, Suspect
from steady_mp.plan import SUPERVISOR_BELL
from steady_mp.supervisor.errands import Errands


def letter(position: int) -> Letter:
    return Letter(channel="numbers", index=0, position=position, actor="sink", policy="dead_letter", time=0.0)


class Quarantine:
    """One whose receiver commits that it has taken its letters, at the moment that the test chooses."""

    def __init__(self, directory: Path) -> None:
        self.letters = Letters(directory)
        self.committed = 0
        self.commits_behind_settling = 0

    def settle(self, seat: object) -> None:
        del seat
        self.letters.settle(0, self.committed)
        self.committed += self.commits_behind_settling

    def done(self, seat: object, channel: int) -> int:
        del seat, channel
        return self.committed


class Said:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, _actor: str, _level: int, text: str) -> None:
        self.texts.append(text)


def errands_of(directory: Path, log: Any) -> Errands:
    """Return those of a run that is being stopped, so that all are refused."""
    supervisor: Any = SimpleNamespace(killing=True)
    return Errands(directory, supervisor, log)


def refuse_to_scan(_path: Path) -> NoReturn:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_a_folder_that_can_t_be_read_ends_no_run_and_is_named_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Said()
    errands = errands_of(tmp_path, log)
    errands.look()
    assert log.texts == []  # nobody has asked for anything
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse_to_scan)
        errands.look()
        errands.look()
    assert log.texts == [f"errands in {tmp_path}/errands can't be done: Permission denied"]


def test_a_file_where_the_folder_should_be_ends_no_run(tmp_path: Path) -> None:
    log = Said()
    (tmp_path / "errands").write_text("")
    errands_of(tmp_path, log).look()
    assert log.texts == [f"errands in {tmp_path}/errands can't be done: Not a directory"]


def test_an_answer_that_finds_no_room_ends_no_run_and_is_given_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Said()
    folder = tmp_path / "errands"
    folder.mkdir()
    (folder / "1.asked").write_text("[]")
    errands = errands_of(tmp_path, log)

    def full(path: Path, _content: bytes) -> NoReturn:
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(files, "write", full)
        errands.look()
    assert log.texts == [f"errands in {folder} can't be done: No space left on device"]
    assert [path.name for path in folder.iterdir()] == ["1.asked"]
    errands.look()
    assert not json.loads((folder / "1.answered").read_text())["done"]


def test_a_question_that_nobody_understands_ends_no_run(tmp_path: Path) -> None:
    folder = tmp_path / "errands"
    folder.mkdir()
    deep = "[" * 100_000
    for number, text in enumerate((deep, "", '{"errand": "dance"}', "3")):
        (folder / f"{number}.asked").write_text(text)
    supervisor: Any = SimpleNamespace(killing=False)
    log: Any = Said()
    Errands(tmp_path, supervisor, log).look()
    answers = [json.loads((folder / f"{number}.answered").read_text()) for number in range(4)]
    assert [answer["done"] for answer in answers] == [False] * 4
    assert answers[0]["text"].startswith("it can't be done: RecursionError")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may ask of somebody else's run")
def test_what_root_asks_of_somebody_else_s_run_can_be_read_by_its_supervisor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(tmp_path, 4321, 4321)
    Doorbell.create(tmp_path / SUPERVISOR_BELL)
    owner = SimpleNamespace(is_foreign=False, is_dead=lambda: True)
    run = SimpleNamespace(is_alive=True, status=SimpleNamespace(owner=owner, graph="graph", pid=1))
    monkeypatch.setattr("steady_mp.cli.errand.open_status", lambda _directory: run)
    asked: list[tuple[int, int]] = []
    unlink = Path.unlink

    def look_and_unlink(path: Path, *, missing_ok: bool = False) -> None:
        asked.append(owner_of(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", look_and_unlink)
    with pytest.raises(SteadyError, match="does not answer"):
        ask(tmp_path, "revive", actor=0, skip_head=False)
    assert owner_of(tmp_path / "errands") == (4321, 4321)
    assert asked == [(4321, 4321)]


def owner_of(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_uid, facts.st_gid


def replay(directory: Path, quarantine: Quarantine, *positions: int) -> dict[str, Any]:
    """Have letters replayed; gives the answer."""
    seat = SimpleNamespace(name="sink", is_over=False, renew=lambda: None)
    supervisor: Any = SimpleNamespace(
        killing=False,
        quarantine=quarantine,
        seats=[seat],
        plan=SimpleNamespace(channels=[SimpleNamespace(name="numbers", consumer=0)]),
    )
    log: Any = Said()
    folder = directory / "errands"
    folder.mkdir(exist_ok=True)
    (folder / "1.asked").write_text(json.dumps({"errand": "replay", "channel": 0, "positions": positions}))
    Errands(directory, supervisor, log).look()
    answer: dict[str, Any] = json.loads((folder / "1.answered").read_text())
    return answer


def test_a_letter_that_is_taken_while_its_replay_is_asked_for_is_not_delivered_again(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    for position in (30, 70):
        quarantine.letters.put(letter(position))
    assert replay(tmp_path, quarantine, 30)["done"]
    assert quarantine.letters.orders(0) == [30]
    quarantine.commits_behind_settling = 1
    told = replay(tmp_path, quarantine, 30)
    assert quarantine.letters.orders(0) == [30], told
    assert "on their way already" in told["text"]
    assert "no dead letter" in replay(tmp_path, quarantine, 30)["text"]
    assert quarantine.letters.orders(0) == [30]


def test_a_letter_that_is_named_twice_is_delivered_once(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    for position in (30, 70):
        quarantine.letters.put(letter(position))
    told = replay(tmp_path, quarantine, 70, 30, 70)
    assert quarantine.letters.orders(0) == [70, 30]
    assert told["text"] == "2 dead letters of numbers go to sink, before anything else it takes"


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (3, 3, "message 3 of numbers"),
        (3, 5, "messages 3 to 5 of numbers"),
        (layout.LETTER + 3, layout.LETTER + 3, "message 3 of numbers"),
    ],
)
def test_what_was_skipped_is_named_by_its_positions(tmp_path: Path, first: int, last: int, told: str) -> None:
    """A letter that is replayed has a number of its own, beyond all positions."""
    quarantine = SimpleNamespace(heads=lambda _: [Suspect(0, first, last, ())], put_aside=lambda *_: None)
    plan = SimpleNamespace(channels=[SimpleNamespace(name="numbers")])
    supervisor: Any = SimpleNamespace(quarantine=quarantine, plan=plan)
    seat: Any = SimpleNamespace(name="sink")
    log: Any = Said()
    assert Errands(tmp_path, supervisor, log)._skip_heads(seat) == [told]


def test_a_question_that_is_taken_back_before_it_is_read_leaves_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks gives up after a while; nobody would ever take that answer away."""
    folder = tmp_path / "errands"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"{number}.asked").write_text("{}")
    read = Path.read_bytes

    def give_up_and_read(path: Path) -> bytes:
        if path.name == "1.asked":
            path.unlink()
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", give_up_and_read)
    log = Said()
    errands_of(tmp_path, log).look()
    assert [path.name for path in folder.iterdir()] == ["2.answered"]
    assert log.texts == []
