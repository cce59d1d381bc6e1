"""A run's log for programs: objects with every fact, on the standard output and in a file, and nothing else there."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ConfigurationError, ExitCode, Graph, LogSettings, RestartPolicy
from steady_mp.events import ActorStarted
from tests.support import speech
from tests.support.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

RUN = [sys.executable, "-c", "import sys; from steady_mp.cli.main import main; sys.exit(main())", "run"]
EXAMPLE = ["--rate", "10", "--beats", "3", "--no-telemetry"]


def test_the_last_words_before_a_sigkill_with_the_life_that_said_them() -> None:
    graph = Graph("last", log_level="debug")
    graph.actor("speaker", speech.last_words, graph.state())
    output = io.StringIO()
    watch = Watch()
    with graph.start(output=output, on_event=watch, log=LogSettings(format="json")) as run:
        assert run.block_until_stopped(30).exit_code is ExitCode.DRAINED
    entries = [json.loads(line) for line in output.getvalue().splitlines()]
    said = [entry for entry in entries if entry["actor"] == "speaker"]
    assert [(entry["level"], entry["message"]) for entry in said] == [
        ("INFO", "printed"),
        ("INFO", "to stderr"),
        ("ERROR", "logged by a library"),
        ("INFO", "below Python"),
        ("INFO", "by a child"),
        ("INFO", r"\n stays \n, ä stays ä, \udc80 does not break it"),
        ("INFO", "logged last"),
        ("INFO", "without an end"),
    ]
    first = watch.wait_for(ActorStarted, generation=1)
    assert {(entry["generation"], entry["pid"]) for entry in said} == {(1, first.pid)}
    assert [entry["seq"] for entry in said] == list(range(1, 9))
    mine = [entry for entry in entries if entry["actor"] == "steady-mp"]
    assert {entry["pid"] for entry in mine} == {os.getpid()}
    assert [entry["seq"] for entry in mine] == list(range(1, len(mine) + 1))
    assert any(entry["level"] == "WARNING" and "SIGKILL" in entry["message"] for entry in mine)


def test_an_exception_is_text_in_one_entry() -> None:
    graph = Graph("fails")
    graph.actor("speaker", speech.recite, 100, graph.state())
    output = io.StringIO()
    with graph.start(output=output, log=LogSettings(format="json")) as run:
        assert run.block_until_stopped(30).exit_code is ExitCode.DRAINED
    entries: list[dict[str, Any]] = [json.loads(line) for line in output.getvalue().splitlines()]
    failed = [entry for entry in entries if entry["level"] == "ERROR"]
    assert len(failed) == 17
    for entry in failed:
        assert entry["message"].startswith("<")
        assert "Traceback (most recent call last)" in entry["message"]
        assert "ValueError: no " in entry["message"].splitlines()[-1]


def test_an_exception_that_ends_a_life_is_one_entry_and_an_error() -> None:
    graph = Graph("fails")
    graph.actor("speaker", speech.fail, restart=RestartPolicy(threshold=0))
    output = io.StringIO()
    with graph.start(output=output, log=LogSettings(format="json")) as run:
        assert run.block_until_stopped(30).exit_code is ExitCode.GAVE_UP
    entries: list[dict[str, Any]] = [json.loads(line) for line in output.getvalue().splitlines()]
    said = [(entry["level"], entry["message"]) for entry in entries if entry["actor"] == "speaker"]
    assert said[:2] == [("INFO", "reading…"), ("ERROR", "in the middle of a line")]
    ((level, text),) = said[2:]
    assert level == "ERROR"
    assert text.startswith("Traceback (most recent call last):\n")
    assert "KeyError: 'NO SUCH VARIABLE'\n" in text
    assert text.endswith("\nValueError: no good")


def test_a_file_that_cant_be_written_is_refused_before_anything_starts(tmp_path: Path, run_root: Path) -> None:
    graph = Graph("refused")
    graph.actor("speaker", speech.talk, "x", 1, graph.state())
    file = tmp_path / "missing" / "log"
    with pytest.raises(ConfigurationError, match=f"{file}: can't write the log there: No such file or directory"):
        graph.start(telemetry=True, log=LogSettings(file=file))
    assert not list(run_root.iterdir())


def test_the_command_writes_nothing_but_objects(tmp_path: Path) -> None:
    """The figures for people at the end go to the standard error."""
    file = tmp_path / "run.log"
    words = [*RUN, *EXAMPLE, "--log-format", "json", "--log-file", str(file)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=50)  # noqa: S603
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(entry["message"].startswith("drained after") for entry in entries)
    assert {"steady-mp", "logger"} <= {entry["actor"] for entry in entries}
    assert file.read_text(encoding="utf-8") == done.stdout
    assert "drained (after" in done.stderr
    assert "worker→logger" in done.stderr


def test_the_command_in_a_file_and_the_environment(tmp_path: Path) -> None:
    settings = tmp_path / "run.toml"
    settings.write_text(
        f'[run]\nlog_format = "json"\nlog_file = "{tmp_path}/log"\nlog_file_size = 1000\n', encoding="utf-8"
    )
    environ = {**os.environ, "STEADY_MP_LOG_FORMAT": "text", "STEADY_MP_LOG_FILE_COUNT": "1", "STEADY_MP_LOG": "debug"}
    words = [*RUN, *EXAMPLE, "--beats", "60", "--config", str(settings)]  # beats alone are more than one file holds
    subprocess.run(words, check=True, capture_output=True, timeout=50, env=environ)  # noqa: S603
    assert {path.name for path in tmp_path.iterdir()} == {"run.toml", "log", "log.1"}
    assert " steady-mp drained after " in (tmp_path / "log").read_text(encoding="utf-8")


@pytest.mark.parametrize("option", ["--log-file-size", "--log-file-count"])
def test_an_option_that_does_nothing_is_refused(option: str) -> None:
    words = [*RUN, *EXAMPLE, option, "5000"]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=50)  # noqa: S603
    assert done.returncode == 2
    assert f"{option} does nothing without --log-file FILE; add it, like --log-file run.log" in done.stderr


@pytest.mark.parametrize("refused", [False, True], ids=["colors", "NO_COLOR"])
def test_colors_on_a_terminal_only(tmp_path: Path, *, refused: bool) -> None:
    file = tmp_path / "run.log"
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    if refused:
        environ["NO_COLOR"] = "1"
    leader, terminal = pty.openpty()
    words = [*RUN, *EXAMPLE, "--log-file", str(file)]
    with subprocess.Popen(words, stdout=terminal, stderr=terminal, env=environ) as process:  # noqa: S603
        os.close(terminal)
        shown = b""
        while chunk := read(leader):
            shown += chunk
        assert process.wait(50) == 0
    os.close(leader)
    assert ("\x1b[1msteady-mp\x1b[0m" in shown.decode()) is not refused
    assert "steady-mp" in shown.decode()
    assert "\x1b" not in file.read_text(encoding="utf-8")


def read(fd: int) -> bytes:
    """Read from a terminal's other side; an error is its end."""
    try:
        return os.read(fd, 1 << 16)
    except OSError:
        return b""
