from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

import pytest

from steady_mp.cli import report_file
from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_report_is_there_whole_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("an older one, and longer than the one that is to come: " + "." * 1000, encoding="utf-8")
    report_file.check(path)
    report_file.write({"clean": True, "why": ["été"]}, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"clean": True, "why": ["été"]}
    assert [each.name for each in tmp_path.iterdir()] == ["report.json"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "latest.json"
    link.symlink_to(tmp_path / "first.json")
    report_file.write({}, link)
    assert link.is_symlink()
    assert (tmp_path / "first.json").read_text(encoding="utf-8") == "{}\n"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        report_file.write({"clean": True}, pipe)
        assert json.loads(os.read(reader, 1000)) == {"clean": True}
        assert pipe.is_fifo()
    finally:
        os.close(reader)


def test_what_json_can_not_say_is_said_in_words(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    report_file.write({"state": tmp_path}, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"state": str(tmp_path)}


def test_a_full_disk_leaves_the_older_report_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "report.json"
    path.write_text("older", encoding="utf-8")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        report_file.write({}, path)
    assert [each.name for each in tmp_path.iterdir()] == ["report.json"]
    assert path.read_text(encoding="utf-8") == "older"


def test_a_folder_that_is_not_there_is_refused_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no folder .*/none; make it first"):
        report_file.check(tmp_path / "none" / "report.json")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is a folder; name a file in it"):
        report_file.check(tmp_path)


def test_a_folder_that_can_not_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # what root sees nowhere
    with pytest.raises(ConfigurationError, match="can't be written; take another one"):
        report_file.check(tmp_path / "report.json")


def test_text_that_no_encoding_has_is_written_as_an_escape(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    facts = {"why": ["half a pair: \ud800, and a whole letter: é"]}
    report_file.write(facts, path)
    assert json.loads(path.read_text(encoding="utf-8")) == facts


def test_a_link_that_leads_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "loop", tmp_path / "loop" / "report.json"):
        with pytest.raises(ConfigurationError, match="take another one"):
            report_file.check(path)
