"""The folder of the letters, where it can't be read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import pytest

from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock, Cursor, Journal
from steady_mp.memory.letters import Letter, Letters, Mail, rescue
from steady_mp.memory.mapping import Mapping
from steady_mp.testing.rig import pair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def put(letters: Letters, position: int) -> None:
    letters.put(
        Letter(
            channel="numbers",
            index=0,
            position=position,
            actor="sink",
            policy="dead_letter",
            time=0.0,
            together=1,
            deaths=[],
            shown="7",
            message=b"seven",
        )
    )


@contextmanager
def unreadable() -> Iterator[None]:
    def refuse(_: Path) -> NoReturn:
        raise OSError(24, "Too many open files")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pathlib.Path.iterdir", refuse)
        yield


def test_a_life_that_can_not_know_what_was_put_aside_does_not_begin(tmp_path: Path) -> None:
    letters = Letters(tmp_path)
    assert letters.mail(0, 1) == Mail()
    put(letters, 3)
    assert letters.mail(0, 1).holes == {3}
    with unreadable():
        with pytest.raises(OSError, match="Too many open files"):
            letters.mail(0, 1)
        assert letters.holes(0) == frozenset()  # who only counts goes on


def test_nothing_is_removed_before_its_letters_are_safe(tmp_path: Path) -> None:
    put(Letters(tmp_path), 3)
    with unreadable(), pytest.raises(OSError, match="Too many open files"):
        rescue(tmp_path)


def dead_run(directory: Path) -> Letters:
    """Leave the directory of a killed supervisor behind; letter 3 was replayed, and the receiver has committed it."""
    directory.mkdir()
    (directory / "graph.json").write_text(pair()[0].plan().to_json())
    (directory / "actor-1.control").write_bytes(bytes(layout.control_bytes(1)))
    control = ControlBlock(Mapping(directory / "actor-1.control"), 1)
    control.format()
    control.write_journal(1, Journal(0, 0, 0, 0, 0, (Cursor(9, 0, 1 << layout.CLOSED_BITS),)).words().tobytes())
    control.put_in_force(1)
    control.close()
    letters = Letters(directory)
    put(letters, 3)
    letters.order(0, [3])
    return letters


def kept(directory: Path) -> list[int]:
    place = rescue(directory)
    return [] if place is None else [letter.position for letter in Letters(place).all()]


@pytest.fixture
def _kept_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steady_mp.memory.letters.letters_root", lambda: tmp_path / "kept")


@pytest.mark.usefixtures("_kept_here")
def test_what_was_delivered_is_no_letter_that_is_left(tmp_path: Path) -> None:
    """The supervisor was killed before it had marked it as done; the receiver's journal says that it has it."""
    letters = dead_run(tmp_path / "run")
    assert rescue(tmp_path / "run") is None
    assert not (tmp_path / "kept").exists()
    put(letters, 4)
    assert kept(tmp_path / "run") == [4]


@pytest.mark.usefixtures("_kept_here")
@pytest.mark.parametrize("damage", ["graph.json", "actor-1.control"])
def test_where_nobody_can_tell_what_was_delivered_all_is_kept(tmp_path: Path, damage: str) -> None:
    dead_run(tmp_path / "run")
    (tmp_path / "run" / damage).write_bytes(b"")
    assert kept(tmp_path / "run") == [3]


@pytest.mark.usefixtures("_kept_here")
def test_a_folder_of_somebody_else_gets_none(tmp_path: Path) -> None:
    """The temporary folder is everybody's: a link that somebody has put there first may lead anywhere."""
    letters = dead_run(tmp_path / "run")
    put(letters, 4)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "kept").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="kept belongs to somebody else"):
        rescue(tmp_path / "run")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.usefixtures("_kept_here")
def test_nor_does_the_journal_of_another_version_tell_it(tmp_path: Path) -> None:
    dead_run(tmp_path / "run")
    mapping = Mapping(tmp_path / "run" / "actor-1.control")
    mapping.words[layout.CB_MAGIC] = layout.MAGIC - 1
    mapping.close()
    assert kept(tmp_path / "run") == [3]
