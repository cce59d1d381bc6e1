"""The words of the command that began a durable run, kept for those that resume it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady_mp.cli import again

if TYPE_CHECKING:
    from pathlib import Path


def test_target_and_options_stay_and_what_was_for_that_time_goes(tmp_path: Path) -> None:
    words = ["a:b", "--durable", "folder", "--rate", "5", "--fresh", "--sync", "--no-telemetry", "--fresh-state=x"]
    again.note(words, tmp_path)
    resumed = ["--resume", str(tmp_path), "--rate", "6"]
    assert again.complete(resumed) == ["a:b", "--rate", "5", "--no-telemetry", *resumed]


def test_whether_each_commit_goes_to_the_disk_is_for_the_folder_to_say(tmp_path: Path) -> None:
    """Else the end of it, `--resume DIR --no-sync`, would itself end with the next plain `--resume DIR`."""
    for word in ("--sync", "--no-sync"):
        again.note(["a:b", word, "--durable=folder"], tmp_path)
        assert again.complete(["--resume", str(tmp_path)]) == ["a:b", "--resume", str(tmp_path)]


def test_words_that_resume_nothing_or_another_kind_of_folder_are_left_alone(tmp_path: Path) -> None:
    for words in (["a:b", "--rate", "5"], ["a:b", f"--resume={tmp_path}"], ["--resume"]):
        assert again.complete(words) == words
