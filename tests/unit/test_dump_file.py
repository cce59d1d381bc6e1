"""The archive of `steady-mp dump`: for its owner only, whole or not there at all; and what goes into it."""

from __future__ import annotations

import errno
import json
import os
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING, NoReturn

import psutil
import pytest

from steady_mp.cli import dump
from steady_mp.cli.runs import Found, Opened
from steady_mp.memory import layout
from steady_mp.memory.owner import Owner
from tests.support.simulated import Simulated

if TYPE_CHECKING:
    from pathlib import Path

PARTS = {"summary.txt": b"all is well\n"}


def read(path: Path) -> bytes:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as zipped:
            return zipped.read("dumped/summary.txt")
    with tarfile.open(path) as tarred:
        file = tarred.extractfile("dumped/summary.txt")
        assert file is not None
        return file.read()


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_what_lies_beside_it_decides_nothing(tmp_path: Path, name: str) -> None:
    """Whoever else can write there has made what an earlier version took for its draft."""
    beside = tmp_path / f"{name}.new"
    beside.write_text("somebody's")
    beside.chmod(0o644)
    dump._write(tmp_path / name, "dumped", PARTS)
    assert read(tmp_path / name) == PARTS["summary.txt"]
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert beside.read_text() == "somebody's"
    assert len(list(tmp_path.iterdir())) == 2


def test_an_older_archive_that_all_could_read_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_text("older")
    path.chmod(0o644)
    dump._write(path, "dumped", PARTS)
    assert read(path) == PARTS["summary.txt"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_beside_it_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "a.zip.new").symlink_to(precious)
    dump._write(tmp_path / "a.zip", "dumped", PARTS)
    assert precious.read_text() == "precious"
    assert not (tmp_path / "a.zip").is_symlink()


def test_a_folder_of_its_name_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.zip").mkdir()
    with pytest.raises(IsADirectoryError):
        dump._write(tmp_path / "a.zip", "dumped", PARTS)
    assert [each.name for each in tmp_path.iterdir()] == ["a.zip"]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: zipfile.ZipFile, _name: str, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OSError, match="No space left"):
        dump._write(tmp_path / "a.zip", "dumped", PARTS)
    assert not list(tmp_path.iterdir())


# What goes into it


def test_a_report_that_is_not_in_its_place_yet_keeps_its_message(tmp_path: Path) -> None:
    """Its supervisor was killed between the draft and the name."""
    told = {"cause": "SIGKILL", "in_hand": {"channel": "orders", "first": 0, "last": 0, "value": "'hush-hush'"}}
    for name in ("actor-1.died-1", "actor-1.died-2.new"):
        (tmp_path / name).write_text(json.dumps(told))
    (tmp_path / "actor-1.died-3.new").write_text(json.dumps(told)[:-9])
    found = dict(dump._files(tmp_path, payloads=False))
    assert not [name for name, data in found.items() if b"hush" in data]
    assert b"SIGKILL" in found["actor-1.died-2.new"]


def test_an_actor_that_dies_while_it_is_looked_at_takes_no_summary_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(pid: int) -> NoReturn:
        raise psutil.NoSuchProcess(pid)

    with Simulated() as run:
        me = Owner.me()
        for index, words in enumerate(run.actors):
            run.begin(index)
            words[layout.PID], words[layout.BORN] = me.pid, me.started
        with Opened(run.run.path) as opened, monkeypatch.context() as patch:
            patch.setattr(psutil, "Process", gone)
            summary = dump._summary(opened, Found(opened.directory, opened.status))
    assert summary.startswith("graph simulated, ")
