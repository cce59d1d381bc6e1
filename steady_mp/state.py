"""State that outlives its actor: acquired once a life, snapshotted at each commit."""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
import pickle
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from steady_mp.errors import ConfigurationError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

S = TypeVar("S")

_PROTOCOL = pickle.HIGHEST_PROTOCOL


class SteadyState(Generic[S]):
    """A state of one actor. `graph.state()` declares it; the actor's behavior acquires it."""

    __slots__ = ("_book", "_index", "_value")

    def __init__(self, book: StateBook | None = None, index: int = -1) -> None:
        """Declare a state; only a graph does this."""
        self._book = book
        self._index = index
        self._value: S | None = None

    def acquire(self, init: Callable[[], S]) -> S:
        """Return the live object: what the last commit saved, or `init()` in the first life.

        Change it in place; each commit snapshots it. The object, and all that it refers to, must be
        picklable: the first commit raises StateError otherwise. A snapshot that can't be read back
        raises StateError too; it never starts empty by itself. Never blocks.
        """
        if self._book is None:
            message = "a state is acquired by its actor's behavior while the graph runs, not where the graph is built"
            raise ConfigurationError(message)
        return cast("S", self._book.acquire(self._index, init))

    def replace(self, value: S) -> S:
        """Put `value` in the place of the live object, for states that can't be changed in place."""
        if self._book is None:
            message = "a state is replaced by its actor's behavior while the graph runs"
            raise ConfigurationError(message)
        self._book.values[self._index] = value
        return value


_PICKLE_HOOKS = (
    "__reduce_ex__",
    "__reduce__",
    "__getstate__",
    "__setstate__",
    "__getnewargs__",
    "__getnewargs_ex__",
)
_ATOMS = frozenset({int, float, str, bytes, bool, type(None)})


def _describe(kind: type) -> tuple[str, int]:
    # A class of a script is in __main__ where the graph is built and in __mp_main__ where its actors run.
    module = "__main__" if kind.__module__ == "__mp_main__" else kind.__module__
    return f"{module}:{kind.__qualname__}", getattr(kind, "state_version", 0)


def _is_record(kind: type) -> bool:
    """Tell whether an instance is nothing but its ``__dict__``, as far as pickle is concerned."""
    return (
        all(getattr(kind, name, None) is getattr(object, name, None) for name in _PICKLE_HOOKS)
        and all("__slots__" not in base.__dict__ for base in kind.__mro__)
        and kind.__dictoffset__ != 0
        and not issubclass(kind, (int, float, str, bytes, tuple, list, dict, set, frozenset))
        and _can_be_found(kind)
    )


def _can_be_found(kind: type) -> bool:
    """Tell whether the next life can import it; pickle says why not where it can't."""
    try:
        return _find(_describe(kind)[0]) is kind
    except (ImportError, AttributeError):
        return False


def _find(name: str) -> Any:  # noqa: ANN401 - as dynamic as an import
    """Import the class that `_describe` named."""
    module, _, qualname = name.partition(":")
    kind: Any = importlib.import_module(module)
    for part in qualname.split("."):
        kind = getattr(kind, part)
    return kind


class StateBook:
    """All states of one actor: what its commits snapshot and its next life reads back.

    A snapshot is one line of JSON (for each state: index, class, version, flat) and the pickled
    values, in one pickle, so that what two states share stays shared. The instance of a plain class
    whose attributes are all numbers or text is *flat*: its ``__dict__`` is pickled instead, which
    takes a tenth of the time. That is done only where no other state can refer to it.
    """

    __slots__ = ("_heading", "_kinds", "_records", "_saved", "kept", "values")

    def __init__(self, snapshot: bytes | None = None) -> None:
        """Start from a snapshot, or from nothing."""
        self.values: dict[int, object] = {}
        #: The snapshot written last; whoever has written one puts it here.
        self.kept = snapshot
        self._saved: dict[int, object] = {} if snapshot is None else decode(snapshot)
        self._kinds: list[tuple[int, type, bool]] = []
        self._records: dict[type, bool] = {}
        self._heading = b""

    def acquire(self, index: int, init: Callable[[], object]) -> object:
        """Return the live value of one state."""
        if index not in self.values:
            self.values[index] = self._saved.pop(index) if index in self._saved else init()
        return self.values[index]

    def encode(self) -> bytes | None:
        """Return the snapshot of now, or None when the last one still says it all."""
        if not self.values:
            return None
        # What the last life saved and this one has not acquired yet is still state.
        values = {**self._saved, **self.values} if self._saved else self.values
        kinds = []
        parts: list[object] = []
        apart = len(values) == 1 or self._are_apart(values)
        for index, value in values.items():
            kind = type(value)
            flat = apart and self._is_flat(kind, value)
            kinds.append((index, kind, flat))
            parts.append(value.__dict__ if flat else value)
        if kinds != self._kinds:
            self._kinds = kinds
            heading = [[index, *_describe(kind), flat] for index, kind, flat in kinds]
            self._heading = json.dumps(heading).encode() + b"\n"
        try:
            data = self._heading + pickle.dumps(parts, _PROTOCOL)
        except Exception as error:
            names = ", ".join(_describe(type(value))[0] for value in values.values())
            message = f"the state {names} can't be pickled: {error}"
            raise StateError(message) from error
        return None if data == self.kept else data

    def _is_flat(self, kind: type, value: object) -> bool:
        record = self._records.get(kind)
        if record is None:
            record = self._records[kind] = _is_record(kind)
        return record and _ATOMS.issuperset(map(type, value.__dict__.values()))

    def _are_apart(self, values: dict[int, object]) -> bool:
        distinct = len(set(map(id, values.values()))) == len(values)
        return distinct and all(self._is_flat(type(value), value) for value in values.values())


def decode(snapshot: bytes) -> dict[int, object]:
    """Read a snapshot back, by state. Raises StateError, naming the classes and the reason."""
    heading, _, body = snapshot.partition(b"\n")
    try:
        described = json.loads(heading)
        names = ", ".join(name for _, name, _, _ in described)
    except (ValueError, TypeError):
        message = "a snapshot without a readable heading"
        raise StateError(message) from None
    try:
        parts = pickle.loads(body)  # noqa: S301 - our own 0700 directory, checked by its checksum
        values = [
            _rebuild(name, part) if flat else part for (_, name, _, flat), part in zip(described, parts, strict=True)
        ]
    except Exception as error:
        message = f"the snapshot of {names} can't be read: {type(error).__name__}: {error}"
        raise StateError(message) from error
    for (_, name, version, _), value in zip(described, values, strict=True):
        found = _describe(type(value))
        if found != (name, version):
            message = f"the snapshot holds {name} version {version}, the code has {found[0]} version {found[1]}"
            raise StateError(message)
    return {index: value for (index, _, _, _), value in zip(described, values, strict=True)}


def _rebuild(name: str, attributes: dict[str, object]) -> object:
    """Make an instance of the class `name` from its ``__dict__``."""
    kind = _find(name)
    value = kind.__new__(kind)
    value.__dict__.update(attributes)
    return value


def plain(value: object) -> Any:  # noqa: ANN401 - plain data is whatever JSON can say
    """Turn a state into what JSON can say, whatever it is.

    Dataclasses and objects become dicts, an Enum its value, a part that contains itself "…", and what
    is unknown its repr.
    """
    try:
        return _plain(value, frozenset())
    except RecursionError:
        return f"a {type(value).__qualname__} nested too deep to show"


def _plain(value: object, around: frozenset[int]) -> Any:  # noqa: ANN401
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if id(value) in around:
        return "…"
    around |= {id(value)}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, around) for item in value]
    parts = _parts(value)
    if parts is None:
        return _repr(value)
    return {str(key): _plain(item, around) for key, item in parts.items()}


def _parts(value: object) -> Mapping[Any, object] | None:
    """Return the named parts of a value; None for one that has none to show."""
    if isinstance(value, dict):
        return value
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value) if hasattr(value, each.name)}
    return None if callable(value) else getattr(value, "__dict__", None)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a report must come out of it
        return f"a {type(value).__qualname__} without a repr"
