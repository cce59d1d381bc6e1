"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import importlib
import runpy
import types
from typing import TYPE_CHECKING

import pytest

from tests.unit.source import ROOT, files, modules, parse

if TYPE_CHECKING:
    from pathlib import Path

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60

CODE = ("steady_mp", "actors", "benchmarks", "tests")
PUBLIC = ("steady_mp", "steady_mp.testing", "actors")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", files(*CODE), ids=shown)
def test_a_file_is_short_and_so_is_each_function(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < MOST_LINES
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno + 1 < MOST_LINES_OF_A_FUNCTION, node.name


@pytest.mark.parametrize("name", PUBLIC)
def test_all_is_sorted_and_is_what_is_public(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__all__ == sorted(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)  # some are loaded when they are asked for
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert set(module.__all__) == public - {"annotations", "TYPE_CHECKING"}


def test_a_session_is_offered_what_has_not_been_loaded_yet() -> None:
    path = ROOT / "steady_mp/__init__.py"
    names = runpy.run_path(str(path), run_name="steady_mp")
    assert "Graph" not in names
    assert set(names["__all__"]) <= set(names["__dir__"]())


@pytest.mark.parametrize("name", sorted(modules()))
def test_every_other_list_of_names_is_sorted_and_true(name: str) -> None:
    for node in modules()[name].tree.body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets):
            names = ast.literal_eval(node.value)
            module = importlib.import_module(f"steady_mp.{name}".rstrip("."))
            assert names == sorted(names)
            assert all(hasattr(module, each) for each in names)


@pytest.mark.parametrize("path", files("tests"), ids=shown)
def test_no_test_sleeps(path: Path) -> None:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            assert "sleep" not in {alias.name for alias in node.names}
        if isinstance(node, ast.Attribute) and node.attr == "sleep":
            assert getattr(node.value, "id", "") not in {"time", "asyncio"}, node.lineno


@pytest.mark.parametrize("path", files("tests/unit"), ids=shown)
def test_no_unit_test_goes_on_beside_a_process_of_its_own(path: Path) -> None:
    """`subprocess.run` is none of these: it comes back when its process has ended."""
    starters = {"fork", "Popen", "system", "posix_spawn", "fork_exec"}
    found = {node.attr for node in ast.walk(parse(path)) if isinstance(node, ast.Attribute)}
    assert not found & starters


def test_the_types_travel_with_the_package() -> None:
    assert (ROOT / "steady_mp/py.typed").exists()


def test_no_file_names_the_place_where_it_was_written() -> None:
    folders = (*CODE, "docs", "config")
    texts = [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".md", ".toml"}
    ]
    for path in [*texts, *ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "pyproject.toml"]:
        assert str(ROOT) not in path.read_text(encoding="utf-8"), shown(path)
