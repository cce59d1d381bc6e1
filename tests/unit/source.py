"""The source tree as the house tests read it: modules, and who imports whom."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "steady_mp"


@dataclass(frozen=True)
class Module:
    """One module of the package. Names are without the package's: "" is its __init__, "channel.ring" a module."""

    name: str
    tree: ast.Module
    imports: set[str] = field(default_factory=set)
    """What it imports when it runs, anywhere in it."""
    type_imports: set[str] = field(default_factory=set)
    """What it imports for its annotations only."""
    foreign: set[str] = field(default_factory=set)
    """Top-level names of everything else that it imports."""

    @property
    def room(self) -> str:
        """The folder, or the module where it stands in none."""
        return self.name.partition(".")[0]


def files(*folders: str) -> list[Path]:
    """Return all Python files in some folders of the project."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts[1:] if part != "__init__")


@cache
def modules(folder: str = PACKAGE) -> dict[str, Module]:
    """Return the modules of a package by name."""
    names = {name_of(path) for path in files(folder)}
    found = {}
    for path in files(folder):
        module = Module(name_of(path), parse(path))
        for imported, typing_only in _imports(module.tree, typing_only=False):
            package, _, name = imported.partition(".")
            if package != folder:
                module.foreign.add(imported if package == PACKAGE else package)
                continue
            while name not in names:  # a name in a module, not a module
                name = name.rpartition(".")[0]
            (module.type_imports if typing_only else module.imports).add(name)
        found[module.name] = module
    return found


def _imports(node: ast.AST, *, typing_only: bool) -> Iterator[tuple[str, bool]]:
    """Go through all imports below `node`: the full dotted name, and whether it is for annotations only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            for alias in child.names:
                yield f"{child.module}.{alias.name}", typing_only
        elif isinstance(child, ast.Import):
            for alias in child.names:
                yield alias.name, typing_only
        elif isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            yield from _imports(child, typing_only=True)
        else:
            yield from _imports(child, typing_only=typing_only)
