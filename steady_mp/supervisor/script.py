"""The script that built the graph, loaded once more in the fork server for the behaviors defined in it."""

from __future__ import annotations

import importlib
import pickle
import runpy
import sys
import types
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Final

from steady_mp.byvalue import MAIN_FILE, SESSION, session
from steady_mp.errors import ConfigurationError
from steady_mp.memory.rundir import default_root, running_here

if TYPE_CHECKING:
    from steady_mp.plan import Plan

_MAIN: Final = "__mp_main__"

#: True in the thread that loads the script, while it does: what would start a graph there is refused.
LOADING: Final = ContextVar("LOADING", default=False)

_MEND: Final = "put what it runs under `if __name__ == '__main__':`, because its actors load it as well"


def load_main(kind: str, where: str) -> None:
    """Load what was ``__main__`` where the graph was built, as `multiprocessing` does."""
    token = LOADING.set(True)
    try:
        if kind == "module":
            module = importlib.import_module(where)
        elif kind == SESSION:
            module = types.ModuleType(_MAIN)
            sys.modules[_MAIN] = sys.modules["__main__"] = module  # classes that it holds are looked up there
            module.__dict__.update(pickle.loads(Path(where).read_bytes()))  # noqa: S301 - our own
        else:
            module = types.ModuleType(_MAIN)
            sys.modules[_MAIN] = module
            module.__dict__.update(runpy.run_path(where, run_name=_MAIN))
    except SystemExit:
        message = f"{where} ends the process that loads it: {_MEND}"
        raise ConfigurationError(message) from None
    finally:
        LOADING.reset(token)
    sys.modules["__main__"] = module


def refuse_while_loading(graph: str) -> None:
    """Raise ConfigurationError where a script that is only loaded for its behaviors would start a graph."""
    if LOADING.get():
        message = f"the script of graph {graph!r} starts it at once: {_MEND}"
        raise ConfigurationError(message)


def session_files(plan: Plan, root: Path | None) -> dict[str, bytes]:
    """Return what the actors of a session have to find in the run directory; nothing for any other graph.

    Raises ConfigurationError where the graph of that name still runs in this process: a cell that is run again.
    """
    if plan.main is None or plan.main[0] != SESSION:
        return {}
    if running := running_here(plan.graph, default_root() if root is None else root):
        message = (
            f"graph {plan.graph!r} still runs in this session, in {running}: end it by close() or request_shutdown() "
            "of what its start() gave, or give this one another name"
        )
        raise ConfigurationError(message)
    return {MAIN_FILE: session()}
