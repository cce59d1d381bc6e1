"""The folder of the letters, where it can't be read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import pytest

from steady_mp.memory.letters import Letter, Letters, Mail, rescue

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
