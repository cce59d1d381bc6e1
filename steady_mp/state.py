"""State that outlives its actor: acquired once a life, snapshotted at each commit."""

from __future__ import annotations

import dataclasses
import json
import pickle
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from steady_mp.errors import ConfigurationError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable

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


def _describe(value: object) -> tuple[str, int]:
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}", getattr(kind, "state_version", 0)


class StateBook:
    """All states of one actor: what its commits snapshot and its next life reads back.

    A snapshot is one line of JSON (for each state: index, class, version) and the pickled values, in
    one pickle, so that what two states share stays shared.
    """

    __slots__ = ("_heading", "_kinds", "_last", "_saved", "values")

    def __init__(self, snapshot: bytes | None = None) -> None:
        """Start from a snapshot, or from nothing."""
        self.values: dict[int, object] = {}
        self._saved: dict[int, object] = {} if snapshot is None else decode(snapshot)
        self._last = snapshot
        self._kinds: list[tuple[int, type]] = []
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
        kinds = [(index, type(value)) for index, value in values.items()]
        if kinds != self._kinds:
            self._kinds = kinds
            heading = [[index, *_describe(value)] for index, value in values.items()]
            self._heading = json.dumps(heading).encode() + b"\n"
        try:
            data = self._heading + pickle.dumps(list(values.values()), _PROTOCOL)
        except Exception as error:
            names = ", ".join(_describe(value)[0] for value in values.values())
            message = f"the state {names} can't be pickled: {error}"
            raise StateError(message) from error
        if data == self._last:
            return None
        self._last = data
        return data


def decode(snapshot: bytes) -> dict[int, object]:
    """Read a snapshot back, by state. Raises StateError, naming the classes and the reason."""
    heading, _, body = snapshot.partition(b"\n")
    try:
        described = json.loads(heading)
        names = ", ".join(name for _, name, _ in described)
    except ValueError:
        message = "a snapshot without a readable heading"
        raise StateError(message) from None
    try:
        values = pickle.loads(body)  # noqa: S301 - our own 0700 directory, checked by its checksum
    except Exception as error:
        message = f"the snapshot of {names} can't be read: {type(error).__name__}: {error}"
        raise StateError(message) from error
    for (_, name, version), value in zip(described, values, strict=True):
        found = _describe(value)
        if found != (name, version):
            message = f"the snapshot holds {name} version {version}, the code has {found[0]} version {found[1]}"
            raise StateError(message)
    return {index: value for (index, _, _), value in zip(described, values, strict=True)}


def plain(value: object) -> Any:  # noqa: ANN401 - plain data is whatever JSON can say
    """Turn a state into what JSON can say: dataclasses and objects become dicts, the unknown its repr."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "__dict__"):
        return {key: plain(item) for key, item in vars(value).items()}
    return repr(value)
