from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from steady_mp.cli.target import load_target
from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = itertools.count()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes a module into the working folder and gives its name, which no other test has."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # and takes away afterwards what the look-up adds

    def write(text: str) -> str:
        name = f"target_under_test_{next(NAMES)}"
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        return name

    return write


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        load_target(text)
    line = str(refused.value)
    assert "\n" not in line
    return line


ARGS = "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Args:\n    rate: int = 1\n"


def test_the_example_is_a_target() -> None:
    target = load_target("actors:build_graph")
    assert str(target) == "actors:build_graph"
    assert target.args is not None


def test_a_module_alone_means_its_build_graph(module: Callable[[str], str]) -> None:
    name = module("def build_graph(graph): ...\n")
    target = load_target(name)
    assert str(target) == f"{name}:build_graph"
    assert target.args is None


def test_an_args_class_is_found_beside_the_function(module: Callable[[str], str]) -> None:
    name = module(ARGS + "def other(graph, args): ...\n")
    target = load_target(f"{name}:other")
    assert target.args is not None
    assert target.args.__name__ == "Args"


@pytest.mark.parametrize("text", ["no such", "a..b", ":f", "a:", "a:b:c", "3"])
def test_what_is_no_name_is_refused(text: str) -> None:
    assert refusal(text) == f"{text!r} is no target; write it as package.module:build_graph"


def test_a_file_is_refused_with_the_name_of_its_module() -> None:
    assert refusal("./shop/orders.py:build") == (
        "'./shop/orders.py:build' is a file; name its module instead, like shop.orders:build"
    )


def test_a_file_without_a_folder_is_one_too(module: Callable[[str], str]) -> None:
    name = module("")
    assert f"like {name}:build_graph" in refusal(f"{name}.py")


def test_an_unknown_module_is_named(module: Callable[[str], str], tmp_path: Path) -> None:
    module("")
    assert refusal("nowhere.at_all:f").startswith(f"there is no module nowhere; looked in {tmp_path} and on")
    assert refusal("actors.nowhere:f").startswith("there is no module actors.nowhere; looked in")


def test_a_module_that_lacks_another_is_told_from_one_that_is_not_there(module: Callable[[str], str]) -> None:
    name = module("import not_installed\n")
    assert refusal(name) == (
        f"importing {name} failed: ModuleNotFoundError: No module named 'not_installed' ({name}.py, line 1); "
        f"`python -c 'import {name}'` shows the whole of it"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\nraise ValueError('one\\ntwo')\n", "ValueError: one two (NAME.py, line 2)"),
        ("raise SystemExit(3)\n", "SystemExit: 3 (NAME.py, line 1)"),
        ("def f(:\n", "SyntaxError: invalid syntax (NAME.py, line 1)"),
        ("raise RuntimeError\n", "RuntimeError (NAME.py, line 1)"),
    ],
)
def test_a_module_that_can_not_be_imported_says_why(module: Callable[[str], str], text: str, reason: str) -> None:
    name = module(text)
    assert f"importing {name} failed: {reason.replace('NAME', name)};" in refusal(name)


def test_a_function_that_is_not_there_has_a_neighbour(module: Callable[[str], str]) -> None:
    name = module("def build_graph(graph): ...\n")
    assert refusal(f"{name}:bild") == f"{name} has no function bild; did you mean {name}:build_graph?"


def test_a_module_without_functions_says_so(module: Callable[[str], str]) -> None:
    name = module("")
    assert refusal(name) == f"{name} has no function build_graph; it has no functions at all"


def test_what_is_no_function_is_refused(module: Callable[[str], str]) -> None:
    name = module("build_graph = 3\n")
    assert refusal(name).startswith(f"{name}:build_graph is no function, it is of type int;")


def test_args_that_are_no_dataclass_are_refused(module: Callable[[str], str]) -> None:
    name = module("class Args: ...\ndef build_graph(graph, args): ...\n")
    assert refusal(name) == f"{name}.Args is no dataclass; write @dataclass(frozen=True) above it"


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("def build_graph(graph, args): ...\n", r"build_graph(graph): missing a required argument: 'args'"),
        (ARGS + "def build_graph(graph): ...\n", r"build_graph(graph, args): too many positional arguments"),
    ],
)
def test_a_function_that_can_not_be_called_is_refused(module: Callable[[str], str], text: str, call: str) -> None:
    assert f"can't be called as {call};" in refusal(module(text))
