"""The words of the command that began a durable run, kept for those that resume it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from steady_mp import Actor, Graph
from steady_mp.cli import again
from steady_mp.cli.main import main
from steady_mp.cli.run import merge_run
from steady_mp.config import ConfigurationFile, RunSettings, read_file
from steady_mp.errors import ConfigurationError, ExitCode
from steady_mp.supervisor.contents import first_contents


def alone(_actor: Actor) -> None: ...


def note(words: list[str], folder: Path) -> None:
    for name, content in again.note(words).items():
        (folder / name).write_bytes(content)


def test_target_and_options_stay_and_what_was_for_that_time_goes(tmp_path: Path) -> None:
    words = ["a:b", "--durable", "folder", "--rate", "5", "--fresh", "--sync", "--no-telemetry", "--fresh-state=x"]
    note(words, tmp_path)
    resumed = ["--resume", str(tmp_path), "--rate", "6"]
    assert again.complete(resumed, {}) == ["a:b", "--rate", "5", "--no-telemetry", *resumed]


def test_whether_each_commit_goes_to_the_disk_is_for_the_folder_to_say(tmp_path: Path) -> None:
    """Else the end of it, `--resume DIR --no-sync`, would itself end with the next plain `--resume DIR`."""
    for word in ("--sync", "--no-sync"):
        note(["a:b", word, "--durable=folder"], tmp_path)
        assert again.complete(["--resume", str(tmp_path)], {}) == ["a:b", "--resume", str(tmp_path)]


def test_words_that_resume_nothing_or_another_kind_of_folder_are_left_alone(tmp_path: Path) -> None:
    for words in (["a:b", "--rate", "5"], ["a:b", f"--resume={tmp_path}"], ["--resume"]):
        assert again.complete(words, {}) == words


@pytest.mark.parametrize("kept", [["a:b", "--rate", "5"], ["--rate", "5", "--dry", "a:b"]], ids=["first", "last"])
def test_a_target_that_is_named_anew_takes_the_place_of_the_old_one(kept: list[str], tmp_path: Path) -> None:
    note(kept, tmp_path)
    rest = [word for word in kept if word != "a:b"]
    for resumed in (["c:d", "--resume", str(tmp_path)], ["--resume", str(tmp_path), "--rate", "6", "c:d"]):
        assert again.complete(resumed, {}) == [*rest, *resumed]
    # What follows an option that is not known here is its value, as ever, and no target.
    resumed = ["--resume", str(tmp_path), "--via", "c:d"]
    assert again.complete(resumed, {}) == [*kept, *resumed]


def test_a_word_that_nobody_has_typed_is_refused_as_one_of_the_first_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note(["a:b", "--fizz", "5"], tmp_path)
    assert main(["run", "--resume", str(tmp_path), "actors.pipeline:build_graph"]) == ExitCode.BAD_CONFIGURATION
    (line,) = capsys.readouterr().err.splitlines()
    assert "--fizz" in line
    assert line.endswith("; the command that began the run had --fizz 5: resume it with its own target")
    note(["a:b", "--rate", "5"], tmp_path)
    assert main(["run", "--resume", str(tmp_path), "actors.pipeline:build_graph", "--fizz", "6"])
    assert "began the run" not in capsys.readouterr().err


def test_the_environment_can_name_the_folder(tmp_path: Path) -> None:
    note(["a:b", "--rate", "5"], tmp_path)
    environ = {"STEADY_MP_RESUME": str(tmp_path)}
    assert again.complete(["--rate", "6"], environ) == ["a:b", "--rate", "5", "--rate", "6"]
    for words in (["--durable", "other"], ["--resume", "other"]):
        assert again.complete(words, environ) == words


def test_the_command_is_in_the_folder_before_the_run_has_begun(tmp_path: Path) -> None:
    """Whoever is killed right behind the beginning leaves a run whose target is known."""
    graph = Graph("flow")
    graph.actor("alone", alone)
    graph.beside = again.note(["a:b", "--durable", "x"])
    contents = first_contents(graph.plan(), graph.packed, graph.beside, tmp_path, None)
    assert json.loads(contents["command.json"]) == {"words": ["a:b"]}


@pytest.mark.parametrize("given", [["--token", "open sesame"], ["--token=open sesame"]], ids=["word", "value"])
def test_a_token_is_not_kept_and_has_to_be_given_again(given: list[str], tmp_path: Path) -> None:
    """Without it the same pages would be open to everybody on the machine."""
    note(["a:b", *given, "--rate", "5", "--durable", "folder"], tmp_path)
    assert "sesame" not in (tmp_path / "command.json").read_text()
    resumed = ["--resume", str(tmp_path)]
    assert again.complete(resumed, {}) == ["a:b", "--rate", "5", *resumed]
    with pytest.raises(ConfigurationError, match="began with a token, which is not kept: give it again"):
        again.refuse_without_token(RunSettings(resume=tmp_path))
    for settings in ({"token": "open sesame"}, {"telemetry": "False"}):
        again.refuse_without_token(merge_run({"resume": str(tmp_path), **settings}, {}, None))
    note(["a:b", "--durable", "folder"], tmp_path)
    again.refuse_without_token(RunSettings(resume=tmp_path))


def test_nothing_is_asked_of_a_run_that_no_command_began_or_that_is_none(tmp_path: Path) -> None:
    again.refuse_without_token(RunSettings())
    again.refuse_without_token(RunSettings(resume=tmp_path))
    (tmp_path / "command.json").write_text("[")  # whoever reads the words of it says so
    again.refuse_without_token(RunSettings(resume=tmp_path))


def toml(folder: Path, *lines: str) -> ConfigurationFile:
    path = folder / "run.toml"
    path.write_text("\n".join(["[run]", *lines]))
    return read_file(path)


def test_resume_goes_before_what_the_file_or_the_environment_began_with(tmp_path: Path) -> None:
    """A service whose configuration says `durable` could never be resumed else."""
    file = toml(tmp_path, 'durable = "a"', "fresh = true", "port = 0")
    for environ, place in (({}, file), ({"STEADY_MP_DURABLE": "a", "STEADY_MP_FRESH": "1"}, None)):
        found = merge_run({"resume": "b"}, environ, place)
        assert (found.durable, found.resume, found.fresh) == (None, Path("b"), False)
    found = merge_run({}, {"STEADY_MP_RESUME": "b"}, file)
    assert (found.durable, found.resume, found.fresh, found.port) == (None, Path("b"), False, 0)


def test_durable_goes_before_a_resume_of_the_file_or_the_environment(tmp_path: Path) -> None:
    file = toml(tmp_path, 'resume = "b"')
    for environ, place in (({}, file), ({"STEADY_MP_RESUME": "b"}, None)):
        found = merge_run({"durable": "a", "fresh": "True"}, environ, place)
        assert (found.durable, found.resume, found.fresh) == (Path("a"), None, True)


def test_what_one_place_says_twice_is_refused(tmp_path: Path) -> None:
    for values, environ, place in (
        ({"durable": "a", "resume": "b"}, {}, None),
        ({}, {"STEADY_MP_DURABLE": "a", "STEADY_MP_RESUME": "b"}, None),
        ({}, {}, toml(tmp_path, 'durable = "a"', 'resume = "b"')),
    ):
        with pytest.raises(ConfigurationError, match="give one of them"):
            merge_run(values, environ, place)
    with pytest.raises(ConfigurationError, match="--fresh begins a run anew"):
        merge_run({"resume": "b", "fresh": "True"}, {}, None)
