"""The program in a process of its own: how it is called, and what a Ctrl-C does that comes before it is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from tests.unit.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MODULE = (sys.executable, "-m", "steady_mp")
#: In a process that has it on its path, the module that is named is never found: a Ctrl-C comes first.
INTERRUPTED = """\
import signal
import sys


class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            signal.raise_signal(signal.SIGINT)


sys.meta_path.insert(0, Finder())
"""


def script() -> tuple[str, ...]:
    """Return what an installer makes of the entry in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, function = project["scripts"]["steady-mp"].partition(":")
    return sys.executable, "-c", f"import sys; from {module} import {function}; sys.exit({function}())"


def outcome(command: tuple[str, ...], *words: str, path: Path = ROOT) -> tuple[int, str, str]:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), str(ROOT)])}
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False, env=environ)  # noqa: S603
    return done.returncode, done.stdout, done.stderr


def test_the_package_is_the_program_too() -> None:
    status, shown, said = outcome(MODULE, "graph", "actors")
    assert (status, shown.startswith("digraph"), said) == (0, True, "")
    status, shown, said = outcome(MODULE, "run", "--help")
    assert (status, "Usage: steady-mp run " in shown, said) == (0, True, "")
    status, shown, said = outcome(MODULE, "no-command")
    assert (status, shown, said.startswith("steady-mp: No such command 'no-command'")) == (2, "", True)


@pytest.mark.parametrize(
    "loaded", ["steady_mp.cli.main", "steady_mp.supervisor.run", "typer", "pydantic", "steady_mp.cli.top"]
)
@pytest.mark.parametrize("command", [script(), MODULE], ids=["script", "module"])
def test_a_ctrl_c_while_the_program_is_loaded_ends_it_by_one_line(
    command: tuple[str, ...], loaded: str, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED.format(name=loaded))
    assert outcome(command, "ps", path=tmp_path) == (130, "", "steady-mp: interrupted\n")


def test_a_ctrl_c_that_the_shell_keeps_off_is_kept_off_while_it_is_loaded_too(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED.format(name="steady_mp.cli.main"))
    ignoring = ("/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *script())
    assert outcome(ignoring, "--version", path=tmp_path) == (0, f"steady-mp {version('steady-mp')}\n", "")


def test_too_little_memory_to_load_the_program_is_one_line(tmp_path: Path) -> None:
    raising = INTERRUPTED.replace("signal.raise_signal(signal.SIGINT)", "raise MemoryError")
    (tmp_path / "sitecustomize.py").write_text(raising.format(name="steady_mp.supervisor.run"))
    said = "steady-mp: no memory to load the program: raise the limit (ulimit -v), or free some memory\n"
    assert outcome(MODULE, "ps", path=tmp_path) == (1, "", said)


@pytest.mark.parametrize("words", [("--help",), ("run", "--help")])
def test_a_width_of_the_terminal_that_is_none_is_named(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "wide")
    said = "steady-mp: TERMINAL_WIDTH='wide': must be a number of columns; set one, or unset it\n"
    assert outcome(MODULE, *words) == (2, "", said)
    status, _, said = outcome(MODULE, "graph", "actors")
    assert (status, said) == (0, "")
