"""The script that built the graph, loaded once more in the fork server for the behaviors defined in it."""

from __future__ import annotations

import importlib
import runpy
import sys
import types
from contextvars import ContextVar
from typing import Final

from steady_mp.errors import ConfigurationError

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
