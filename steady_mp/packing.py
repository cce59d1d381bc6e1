"""Arguments of behaviors: pickled when the graph is built, unpickled at the start of each life.

The ends of channels and the states among them, however deep, travel as references: a life replaces
them by its own.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any, ClassVar, Literal

from steady_mp import byvalue
from steady_mp.errors import ConfigurationError

Reference = tuple[Literal["tx", "rx", "state"], int]


@dataclass(frozen=True, slots=True)
class Declared:
    """A channel's end or a state as it exists where the graph is built: a name for the live one."""

    kind: Literal["tx", "rx", "state"]
    index: int
    label: str
    graph: int
    #: Of an end: which kind of channel it belongs to.
    channel: str = "object"
    #: Numbers for graphs and benches, of which no two are equal; an `id` is given again.
    makers: ClassVar[Iterator[int]] = itertools.count()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever was asked for is refused
        """Refuse to be used before the graph runs."""
        if name.startswith("__"):
            raise AttributeError(name)
        message = f"{self.label} is used by its actor's behavior while the graph runs: .{name} does not exist here"
        raise ConfigurationError(message)


class _Referring:
    """Writes down references for what a life replaces, and collects what they stand for."""

    met: list[Declared]

    def persistent_id(self, obj: object) -> Reference | None:
        """See `pickle.Pickler.persistent_id`."""
        if not isinstance(obj, Declared):
            return None
        self.met.append(obj)
        return (obj.kind, obj.index)


class _Packer(_Referring, pickle.Pickler):
    """Pickles arguments; collects the references that it meets."""


def _dump(value: object, *, by_value: bool) -> tuple[bytes, list[Declared]]:
    """Pickle `value`; return it with the references in it. Raises whatever can't be pickled raises."""
    kind: type[pickle.Pickler] = type("_ByValue", (_Referring, byvalue.pickler()), {}) if by_value else _Packer
    file = io.BytesIO()
    packer: Any = kind(file, pickle.HIGHEST_PROTOCOL)
    packer.met = []
    packer.dump(value)
    return file.getvalue(), packer.met


class _Unpacker(pickle.Unpickler):
    """Unpickles arguments, with live objects for the references."""

    def __init__(self, file: io.BytesIO, resolve: Callable[[str, int], object]) -> None:
        super().__init__(file)
        self._resolve = resolve

    def persistent_load(self, pid: Reference) -> object:
        """See `pickle.Unpickler.persistent_load`."""
        return self._resolve(*pid)


def pack(
    actor: str, behavior: Callable[..., None], names: list[str], args: tuple[object, ...], *, by_value: bool = False
) -> tuple[bytes, list[Declared]]:
    """Pickle a behavior and its arguments; return them with the references among them, in order.

    With `by_value`, or where it can't be done otherwise and the extra is there, functions that nobody could import
    travel with their code (`steady_mp.byvalue`). Raises ConfigurationError, naming the path to what can't be pickled.
    """
    try:
        packed, met = _dump((behavior, args), by_value=by_value)
    except Exception as error:  # noqa: BLE001 - whatever a __reduce__ raises
        retried = None if by_value else _retry(behavior, args)
        if retried is None:
            raise ConfigurationError(_complaint(actor, names, args, error, by_value=by_value)) from None
        packed, met = retried
    unique = {(end.graph, end.kind, end.index): end for end in met}
    return packed, list(unique.values())


def _retry(behavior: Callable[..., None], args: tuple[object, ...]) -> tuple[bytes, list[Declared]] | None:
    with contextlib.suppress(Exception):
        if byvalue.is_available():
            return _dump((behavior, args), by_value=True)
    return None


def _complaint(actor: str, names: list[str], args: tuple[object, ...], error: Exception, *, by_value: bool) -> str:
    """Name what can't be pickled, and the mend."""
    for name, value in zip(names, args, strict=True):
        if (why := _reason(value, by_value=by_value)) is not None:
            path, culprit, reason = _culprit(name, value, why, by_value=by_value)
            kind = f"{type(culprit).__module__}.{type(culprit).__qualname__}"
            mend = "make it inside the behavior, or pass what it is made from"
            if isinstance(culprit, FunctionType) and not byvalue.is_available():
                mend += f", or {byvalue.MEND}"
            return f"actor {actor!r}: {path} is a {kind}, which can't be pickled ({reason}); {mend}"
    return f"actor {actor!r}: its behavior can't be pickled: {error}"


def unpack(data: bytes, resolve: Callable[[str, int], object]) -> tuple[Callable[..., None], tuple[Any, ...]]:
    """Return the behavior and its arguments, with `resolve(kind, index)` for each reference."""
    behavior, args = _Unpacker(io.BytesIO(data), resolve).load()
    return behavior, args


def _reason(value: object, *, by_value: bool) -> str | None:
    """Why `value` can't be pickled; None when it can."""
    try:
        _dump(value, by_value=by_value)
    except Exception as error:  # noqa: BLE001
        return str(error) or type(error).__name__
    return None


def _culprit(path: str, value: object, reason: str, *, by_value: bool) -> tuple[str, object, str]:
    """Descend to the innermost part that can't be pickled by itself."""
    seen = {id(value)}
    while True:
        for step, part in _parts(value):
            if id(part) in seen:
                continue
            why = _reason(part, by_value=by_value)
            if why is not None:
                path, value, reason = path + step, part, why
                seen.add(id(part))
                break
        else:
            return path, value, reason


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield f"[{key!r}]", part
    elif isinstance(value, list | tuple | set | frozenset):
        for index, part in enumerate(value):
            yield f"[{index}]", part
    else:
        for name, part in getattr(value, "__dict__", {}).items():
            yield f".{name}", part
        for kind in type(value).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if hasattr(value, name):
                    yield f".{name}", getattr(value, name)
