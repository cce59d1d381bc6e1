"""What is put on the disk: a folder with all that is in it, and the way to it as far as that can be asked for."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, NoReturn

import pytest

from steady_mp.memory import disk

if TYPE_CHECKING:
    from pathlib import Path


def refuse(monkeypatch: pytest.MonkeyPatch, at: Path, number: int) -> None:
    """Let one folder not be synced."""
    settle = disk.settle

    def refusing(path: Path) -> None:
        if path == at:
            raise OSError(number, os.strerror(number))
        settle(path)

    monkeypatch.setattr(disk, "settle", refusing)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EINVAL, errno.EROFS])
def test_a_folder_above_that_can_t_be_synced_was_made_by_somebody_else(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with monkeypatch.context() as patch:
        refuse(patch, tmp_path, number)
        disk.settle_folder(folder)
    with monkeypatch.context() as patch:
        refuse(patch, folder, number)
        with pytest.raises(OSError, match=os.strerror(number)):  # but the run's own has to be
            disk.settle_folder(folder)


def test_a_disk_that_fails_is_told_wherever_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    refuse(monkeypatch, tmp_path, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        disk.settle_folder(folder)


def test_what_the_disk_does_not_take_leaves_no_draft_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "letter"
    disk.replace(file, b"old")

    def refuse_to_sync(_fd: int) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse_to_sync)
    with pytest.raises(OSError, match="No space left on device"):
        disk.replace(file, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]
    assert file.read_bytes() == b"old"
