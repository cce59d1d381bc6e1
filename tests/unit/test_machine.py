"""Where steady-mp does not run, its import says so in one line."""

from __future__ import annotations

import ast
import importlib
import platform
import sys

import pytest

import steady_mp.machine
from tests.unit.source import ROOT


@pytest.mark.parametrize(
    ("system", "machine"), [("win32", "AMD64"), ("linux", "riscv64"), ("darwin", "i386"), ("freebsd14", "x86_64")]
)
def test_another_machine_is_refused_by_name(system: str, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(
        ImportError, match=rf"^steady-mp runs on Linux and macOS, x86-64 and AArch64; this is {system} on {machine}$"
    ):
        importlib.reload(steady_mp.machine)


def test_a_python_without_waitid_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(platform, "python_version", lambda: "3.12.1")
    monkeypatch.setattr(sys, "version_info", (3, 12, 1, "final", 0))
    with pytest.raises(ImportError, match=r"^steady-mp needs Python 3\.13 on macOS, .*; this is 3\.12\.1$"):
        importlib.reload(steady_mp.machine)
    monkeypatch.setattr(sys, "version_info", (3, 13, 0, "final", 0))
    importlib.reload(steady_mp.machine)


def test_that_comes_before_what_could_not_be_imported_there() -> None:
    body = ast.parse((ROOT / "steady_mp" / "__init__.py").read_text(encoding="utf-8")).body
    first = next(line for line in body if isinstance(line, ast.Import | ast.ImportFrom))
    assert ast.unparse(first) == "import steady_mp.machine"
    tree = ast.parse((ROOT / "steady_mp" / "machine.py").read_text(encoding="utf-8"))
    names = {name.name for line in tree.body if isinstance(line, ast.Import) for name in line.names}
    assert names == {"platform", "sys"}
