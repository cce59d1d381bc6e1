"""The pytest plugin is loaded in every project that has steady-mp installed, so it brings nothing along by itself."""

from __future__ import annotations

import ast
import sys

from tests.unit.source import modules

PLUGIN = modules()["testing.plugin"]


def test_it_imports_nothing_that_pytest_has_not_imported() -> None:
    at_once = [node for node in PLUGIN.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in at_once if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in at_once if isinstance(node, ast.ImportFrom)}
    assert names - {"pytest"} <= sys.stdlib_module_names


def test_what_it_needs_is_imported_by_the_fixtures() -> None:
    assert {"testing.stage", "testing.under_test", "testing.litter"} <= PLUGIN.imports
