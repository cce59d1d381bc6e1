"""A machine that reorders, so it is said: a pytest plugin that fails when a fence of such a machine was not reached.

Python takes the machine for an AArch64 where its first import is the `sitecustomize.py` that is written here.
"""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    import pytest

    from steady_mp import Actor, SteadyState

_SAYING = "import platform\nplatform.machine = lambda: 'arm64' if platform.system() == 'Darwin' else 'aarch64'\n"
_REACHED: set[tuple[str, int]] = set()


def said_in(folder: Path) -> dict[str, str]:
    """Return the environment of processes that run on such a machine; `folder` is on their path."""
    (folder / "sitecustomize.py").write_text(_SAYING)
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def tell(_actor: Actor, state: SteadyState[list[bool]]) -> None:
    """Say as state whether this process takes its machine for one that keeps its order."""
    from steady_mp.memory.fence import ORDERED  # noqa: PLC0415

    state.acquire(list).append(ORDERED)


def _users() -> list[ModuleType]:
    return [each for name, each in sys.modules.items() if name.startswith("steady_mp.") and hasattr(each, "ORDERED")]


def _branches(module: ModuleType) -> set[tuple[str, int]]:
    """Return where a module begins what it does on such a machine only."""
    file = str(module.__file__)
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "not ORDERED"]
    assert found, f"{file}: there is no `if not ORDERED`"
    return {(file, node.body[0].lineno) for node in found}


def pytest_collection_finish() -> None:
    """Note who calls the fence, which goes on to be the real one."""
    from steady_mp.memory import fence as fences  # noqa: PLC0415 - not before pytest has started

    assert not fences.ORDERED
    real = fences.fence

    def noted() -> None:
        caller = sys._getframe(1)
        _REACHED.add((caller.f_code.co_filename, caller.f_lineno))
        real()

    for module in _users():
        vars(module)["fence"] = noted


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where a fence was not reached."""
    for file, line in sorted(set[tuple[str, int]]().union(*map(_branches, _users())) - _REACHED):
        print(f"\n{file}:{line} was not reached")  # noqa: T201 - the reason of the failure
        session.exitstatus = 1
