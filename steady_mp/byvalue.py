"""By value: functions and classes that no other process can import travel with their code (the extra `notebook`).

That is what is typed into a session or a notebook's cell, and lambdas and functions made by functions. `cloudpickle`
does it, when the graph is built; the actors find all of it in the run directory, in every life.

What an interactive session has defined is kept twice: each behavior as it is when its actor is declared, and all
functions and classes of the session as they are when the graph starts, which are the actors' `__main__`. The latter is
where messages and states of such classes are looked up by name when they are pickled.
"""

from __future__ import annotations

import importlib
import inspect
import io
import sys
import types
from collections import ChainMap
from typing import TYPE_CHECKING, Any, ClassVar, Final

from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    import pickle

MEND: Final = "pip install 'steady-mp[notebook]'"
#: How a plan says that the actors' `__main__` is a session, and the file that keeps it.
SESSION: Final = "session"
MAIN_FILE: Final = "main"


def is_available() -> bool:
    """Tell whether the extra is installed."""
    return _library() is not None


def _library() -> Any:  # noqa: ANN401 - a module without types
    try:
        return importlib.import_module("cloudpickle")
    except ImportError:
        return None


def main_location() -> tuple[str, str] | None:
    """Return how another process finds what is ``__main__`` here, by module name or by path; None for a session."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name != "__main__":
        return ("module", spec.name)
    path = getattr(main, "__file__", None)
    return ("path", path) if path is not None else None


def is_typed(function: types.FunctionType) -> bool:
    """Tell whether a function was typed into a session, so that it stands in no file that could be loaded."""
    if function.__module__ != "__main__":
        return False
    return main_location() is None or function.__code__.co_filename.startswith("<")


def pickler() -> type[pickle.Pickler]:
    """Return a pickler class that takes functions and classes by value where nobody could import them.

    What a script defines at its top is none of these: its actors load the script.
    """
    base: Any = _library().Pickler
    # An open file is what its behavior should open, and no copy of its contents.
    tables = [
        {kind: reduce for kind, reduce in table.items() if kind is not io.TextIOWrapper}
        for table in base.dispatch_table.maps
    ]

    class ByValue(base):  # type: ignore[misc]  # it has no types
        dispatch_table: ClassVar[Any] = ChainMap(*tables)

        def reducer_override(self, obj: Any) -> Any:  # noqa: ANN401
            if isinstance(obj, types.FunctionType | type) and _is_in_script(obj):
                return NotImplemented
            return super().reducer_override(obj)

    return ByValue


def _is_in_script(thing: types.FunctionType | type) -> bool:
    """Tell whether something stands at the top of the script that the actors load as well."""
    if thing.__module__ != "__main__" or main_location() is None:
        return False
    if isinstance(thing, types.FunctionType) and is_typed(thing):
        return False
    found: Any = sys.modules["__main__"]
    for part in thing.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is thing


def session() -> bytes:
    """Return all functions and classes of this process's session, pickled; what can't be is left out."""
    library = _library()
    kept: dict[str, Any] = {}
    for name, value in list(vars(sys.modules["__main__"]).items()):
        if isinstance(value, types.FunctionType | type) and value.__module__ == "__main__":
            try:
                library.dumps(value)
            except Exception:  # noqa: BLE001, S112 - whatever a session holds on to; who needs it is told by its actor
                continue
            kept[name] = value
    data: bytes = library.dumps(kept)
    return data


def check_behavior(actor: str, behavior: object) -> tuple[str, bool]:
    """Return ``module:qualname`` of a behavior, and whether it travels by value because nobody could import it."""
    if not inspect.isfunction(behavior):
        message = f"actor {actor!r}: its behavior {behavior!r} is no function; pass a plain function of a module"
        raise ConfigurationError(message)
    module, qualname = behavior.__module__, behavior.__qualname__
    reference = f"{module}:{qualname}"
    if "<lambda>" in qualname or "<locals>" in qualname:
        if is_available():
            return reference, True
        kind = "a lambda" if "<lambda>" in qualname else f"defined inside {qualname.partition('.<locals>')[0]}()"
        message = f"actor {actor!r}: its behavior is {kind}; define it with def at the top of a module, or {MEND}"
        raise ConfigurationError(message)
    if is_typed(behavior):
        if is_available():
            return reference, True
        message = (
            f"actor {actor!r}: its behavior {qualname} was typed into an interactive session, where no other process "
            f"can import it: {MEND}, or put it into a .py file and import it from there"
        )
        raise ConfigurationError(message)
    found: object = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if found is not behavior:
        message = f"actor {actor!r}: {module}.{qualname} is not the function that was passed; pass it undecorated"
        raise ConfigurationError(message)
    return reference, False
