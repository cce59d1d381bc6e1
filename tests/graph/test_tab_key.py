"""The tab key in a real bash: the options of the commands that take a target, and those that the target brings."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.operator import Operator

    Offered = Callable[..., set[str]]
    Typed = Callable[[str, Path], str]

BASH: Final = shutil.which("bash") or "bash"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")

SHOP: Final = """
import os, sys
from dataclasses import dataclass
print("--rain")
os.write(1, b"--roof\\n")
os.write(2, b"--rope\\n")
sys.__stdout__.write("--rust\\n")
@dataclass(frozen=True)
class Args:
    rate: int = 1
    dry: bool = False
def build(graph, args): ...
def build_graph(graph, args): ...
"""


@pytest.fixture(scope="module")
def typed_in_bash(tmp_path_factory: pytest.TempPathFactory) -> Typed:
    """Runs lines of a bash that has `steady-mp` on its path, and gives what it writes."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "steady-mp"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m steady_mp "$@"\n')
    program.chmod(0o755)
    environ = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path)}
    environ.pop("PYTHONUNBUFFERED", None)  # what the module leaves in a buffer must not come out later

    def typed(lines: str, folder: Path) -> str:
        told = subprocess.run(  # noqa: S603 - the test's own command
            [BASH, "--norc", "-c", lines], cwd=folder, env=environ, capture_output=True, text=True, check=True
        )
        assert not told.stderr
        return told.stdout

    return typed


@pytest.fixture(scope="module")
def script(typed_in_bash: Typed, tmp_path_factory: pytest.TempPathFactory) -> str:
    return typed_in_bash('echo "$(steady-mp --show-completion)"', tmp_path_factory.getbasetemp())


@pytest.fixture
def offered(tmp_path: Path, typed_in_bash: Typed, script: str) -> Offered:
    """Gives what bash is offered for the last of the words, which stand as bash parts them, at ':' and '=' too."""
    (tmp_path / "shop.py").write_text(SHOP)

    def offer(*words: str) -> set[str]:
        line = shlex.join(["steady-mp", *words])
        lines = f"{script}\nCOMP_WORDS=({line}) COMP_CWORD={len(words)}\n_steady_mp_completion steady-mp\n"
        return set(typed_in_bash(lines + "printf '%s\\n' \"${COMPREPLY[@]}\"\n", tmp_path).split())

    return offer


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("run --re", {"--report", "--resume"}),
        ("run --he", {"--help"}),
        ("run --log-level debug --no-", {"--no-spare", "--no-telemetry", "--no-fresh", "--no-sync"}),
        ("run --report x --re", {"--resume"}),
        ("graph --", {"--format", "--config", "--help"}),
        ("systemd-unit --unit", {"--unit-user", "--unit-watchdog"}),
        ("run shop --r", {"--report", "--resume", "--rate"}),
        ("run shop : build --r", {"--report", "--resume", "--rate"}),
        ("run --seed = 5 shop : build --dr", {"--dry"}),
        ("graph shop --f", {"--format"}),
        ("graph shop --no-", {"--no-dry"}),
        ("systemd-unit shop --r", {"--report", "--resume", "--rate"}),
    ],
)
def test_the_options_of_a_command_and_of_its_target(offered: Offered, words: str, options: set[str]) -> None:
    assert offered(*words.split()) == options


@pytest.mark.parametrize(
    "trouble",
    [
        "raise ValueError(1)",
        "raise SystemExit('gone')",
        "import sys; input()",
        "def build_graph(graph):",
        "class Args: ...",
        "from dataclasses import dataclass\n@dataclass\nclass Args:\n    report: int\ndef build_graph(*_): ...",
    ],
)
def test_a_target_that_can_not_be_used_brings_none(offered: Offered, tmp_path: Path, trouble: str) -> None:
    (tmp_path / "broken.py").write_text(f"print('--rain')\n{trouble}\n")
    assert offered("run", "broken", "--re") == {"--report", "--resume"}


def test_nor_does_a_word_that_is_no_target(offered: Offered) -> None:
    assert offered("run", "no_such_module", "--re") == {"--report", "--resume"}
    assert offered("run", "../shop.py", "--re") == {"--report", "--resume"}


def test_a_description_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operator: Operator) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "_STEADY_MP_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": "steady-mp run actors:build_graph --",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        operator.types()
    lines = operator.read().splitlines()
    assert "--rate" in {line.partition("\t")[0] for line in lines}
    assert all(line.startswith("--") and "\t" in line for line in lines), lines
