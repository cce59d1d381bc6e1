"""The script that built the graph, loaded once more in the fork server for the behaviors defined in it.

A script without a guard would start the graph there once more, and so would a module that starts one when it is
imported, for an endless chain of processes. So a fork server refuses that for all of its life, because a thread that
such a script has begun may come to it late; and an actor until it has its behavior, because what could not be imported
in the fork server is tried again there.
"""

from __future__ import annotations

import importlib
import pickle
import runpy
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Final

from steady_mp.byvalue import MAIN_FILE, SESSION, session
from steady_mp.errors import ConfigurationError
from steady_mp.memory.rundir import default_root, running_here

if TYPE_CHECKING:
    from steady_mp.plan import Plan

_MAIN: Final = "__mp_main__"


class _Loading:
    """Whether this process only loads what actors need, in whichever thread."""

    is_on = False


LOADING: Final = _Loading()

_MEND: Final = "put what it runs under `if __name__ == '__main__':`, because its actors load it as well"


def load_main(kind: str, where: str) -> None:
    """Load what was ``__main__`` where the graph was built, as `multiprocessing` does."""
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
    sys.modules["__main__"] = module


def refuse_while_loading(graph: str) -> None:
    """Raise ConfigurationError where a script or a module that is only loaded for its behaviors would start a graph."""
    if LOADING.is_on:
        message = f"the script or module of graph {graph!r} starts it at once: {_MEND}"
        raise ConfigurationError(message)


def session_files(plan: Plan, root: Path | None) -> dict[str, bytes]:
    """Return what the actors of a session have to find in the run directory; nothing for any other graph.

    Raises ConfigurationError where the graph of that name still runs in this process: a cell that is run again.
    """
    if plan.main is None or plan.main[0] != SESSION:
        return {}
    if running := running_here(plan.graph, default_root() if root is None else root):
        message = (
            f"graph {plan.graph!r} still runs in this session, in {running}: end it first, by "
            f"Graph.running({plan.graph!r}).close(), or .request_shutdown() to drain it; or give this one another name"
        )
        raise ConfigurationError(message)
    return {MAIN_FILE: session()}
