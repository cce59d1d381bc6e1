"""State that outlives its actor: acquired once a life, snapshotted at each commit."""

from __future__ import annotations

import dataclasses
import gc
import importlib
import inspect
import json
import math
import operator
import pickle
import sys
from enum import Enum
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from steady_mp import flat
from steady_mp.errors import ConfigurationError, StateError
from steady_mp.migration import complete, data_of, field_names, migrate, rebuild, version_of
from steady_mp.standin import MOVED, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
        raises StateError too; it never starts empty by itself. One of an older `state_version` goes
        through its class's `migrate(old_version, data)` first. Raises ConfigurationError where no behavior
        runs, so where the graph is built. Never blocks.
        """
        if self._book is None:
            message = "a state is acquired by its actor's behavior while the graph runs, not where the graph is built"
            raise ConfigurationError(message)
        return cast("S", self._book.acquire(self._index, init))

    def replace(self, value: S) -> S:
        """Put `value` in the place of the live object, for states that can't be changed in place, and return it.

        Never blocks. Like `acquire` it raises ConfigurationError where no behavior runs; the next commit saves `value`,
        and raises StateError when it can't.
        """
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
#: Of a snapshot's heading: index of the state, class, version, fields if it is flat, fields of another dataclass.
_Row = tuple[int, str, Any, list[str] | None, list[str] | None]
_ATOMS = frozenset({int, float, str, bytes, bool, type(None)})
#: Snapshots of an only state that is not flat until it is looked at again whether it has become so.
_WHOLES = 63


def _describe(kind: type) -> tuple[str, int]:
    # A class of a script is in __main__ where the graph is built and in __mp_main__ where its actors run.
    module = "__main__" if kind.__module__ == "__mp_main__" else MOVED.get(kind.__module__, kind.__module__)
    return f"{module}:{kind.__qualname__}", version_of(kind)


class _Fields:
    """The fields of a dataclass, read without touching an instance's ``__dict__``.

    Python 3.11 keeps attributes in the instance until somebody asks for its ``__dict__``; from then on
    each access takes more than twice the time.
    """

    __slots__ = ("_get", "_may_match", "names")

    def __init__(self, kind: type, names: tuple[str, ...]) -> None:
        self.names = names
        self._get = operator.attrgetter(*names)
        #: A `__dict__` may take the place of as many references as it has: of one field, or of those that are no slots.
        self._may_match = len(names) == 1 or any(vars(base).get("__slots__") for base in kind.__mro__)

    @classmethod
    def of(cls, kind: type) -> _Fields | None:
        """Return the fields of `kind`; None when an instance may be more than its fields, as far as pickle sees."""
        plain_record = (
            dataclasses.is_dataclass(kind)
            and all(getattr(kind, name, None) is getattr(object, name, None) for name in _PICKLE_HOOKS)
            and not issubclass(kind, (int, float, str, bytes, tuple, list, dict, set, frozenset))
            and _are_held(kind)
            and _can_be_found(kind)
        )
        names = tuple(field.name for field in dataclasses.fields(kind)) if plain_record else ()
        return cls(kind, names) if names else None

    def read(self, value: object) -> tuple[object, ...] | None:
        """Return what the fields hold; None unless that is all there is, and all numbers or text."""
        try:
            held = self._get(value)
        except AttributeError:
            return None
        parts: tuple[object, ...] = held if len(self.names) > 1 else (held,)
        if not _ATOMS.issuperset(map(type, parts)):
            return None
        # An attribute beside the fields shows as one more reference, as does a `__dict__` that was asked for.
        references = gc.get_referents(value)
        if len(references) != len(parts) + 1 or (self._may_match and dict in map(type, references)):
            return None
        return parts


def _are_held(kind: type) -> bool:
    """Tell whether each field that can be read lies in the instance; `read` compares how many do with what lies there.

    One that is read from the class instead (its default, a property, another descriptor) is counted and lies nowhere,
    so one attribute that is no field would make up for it, and be lost.
    """
    maker = next(base for base in kind.__mro__ if "__init__" in vars(base))
    params = vars(maker).get("__dataclass_params__")
    made = dataclasses.fields(maker) if params is not None and params.init else ()
    set_by_it = {each.name for each in made if each.init or each.default_factory is not dataclasses.MISSING}
    for each in dataclasses.fields(kind):
        shown = inspect.getattr_static(kind, each.name, dataclasses.MISSING)
        is_read_there = shown is dataclasses.MISSING or isinstance(shown, MemberDescriptorType)
        if not is_read_there and (each.name not in set_by_it or hasattr(type(shown), "__set__")):
            return False
    return True


def _can_be_found(kind: type) -> bool:
    """Tell whether the next life can import it; pickle says why not where it can't."""
    try:
        return _find(_describe(kind)[0]) is kind
    except (ImportError, AttributeError):
        return False


def _find(name: str) -> Any:  # noqa: ANN401 - as dynamic as an import
    """Import the class that `_describe` named."""
    module, _, qualname = name.partition(":")
    kind: Any = sys.modules.get(module) or importlib.import_module(module)
    for part in qualname.split("."):
        kind = getattr(kind, part)
    return kind


class StateBook:
    """All states of one actor: what its commits snapshot and its next life reads back.

    A snapshot is one line of JSON (for each state: index, class, version, the fields if it is flat, and
    those of any other dataclass) and the pickled values, in one pickle, so that what two states share
    stays shared. A plain dataclass whose fields are all numbers or text is *flat*: the tuple of its
    fields is pickled instead, which takes a tenth of the time, or written as `flat.dump` does where it is
    the only state. That is done only where no other state can refer to it.
    """

    __slots__ = (
        "_fields",
        "_flat",
        "_heading",
        "_kinds",
        "_only",
        "_parts",
        "_saved",
        "_whole",
        "_wholes",
        "kept",
        "values",
    )

    def __init__(self, snapshot: bytes | None = None) -> None:
        """Start from a snapshot, or from nothing."""
        self.values: dict[int, object] = {}
        #: The snapshot written last; whoever has written one puts it here.
        self.kept = snapshot
        self._saved: dict[int, object] = {} if snapshot is None else decode(snapshot)
        self._kinds: list[tuple[int, type, tuple[str, ...] | None]] = []
        self._fields: dict[type, _Fields | None] = {}
        self._heading = b""
        #: Class and fields of the only state, where the last snapshot found one, and that flat.
        self._only: tuple[type, _Fields] | None = None
        #: The last snapshot that was made of such a one, and what its fields held; nothing once another way was taken.
        self._flat: bytes | None = None
        self._parts: tuple[object, ...] = ()
        #: Class of the only state, where the last snapshot found one, and that not flat.
        self._whole: type | None = None
        #: Snapshots that may still be made so without a look at whether it has become flat.
        self._wholes = 0

    def acquire(self, index: int, init: Callable[[], object]) -> object:
        """Return the live value of one state."""
        if index not in self.values:
            self.values[index] = self._saved.pop(index) if index in self._saved else init()
        return self.values[index]

    def encode(self) -> bytes | None:
        """Return the snapshot of now, or None when the last one still says it all."""
        if not self.values:
            return None
        if self._only is not None and len(self.values) == 1:
            kind, only = self._only
            (value,) = self.values.values()
            part = only.read(value) if type(value) is kind else None
            if part is not None:
                return self._encode_flat(part)
        if self._wholes and len(self.values) == 1:
            (value,) = self.values.values()
            if type(value) is self._whole:
                self._wholes -= 1
                return self._pickle([value])
        return self._encode_all()

    def _encode_flat(self, parts: tuple[object, ...]) -> bytes | None:
        kept = self.kept
        # A wait behind a commit asks again, and mostly nothing has changed: numbers and text that are the same
        # objects can't have. Equal is not enough: 0.0 and -0.0 are, and 1 and True.
        if self._flat is kept and parts == self._parts and all(map(operator.is_, parts, self._parts)):
            return None
        data = self._heading + flat.dump(parts)
        self._parts = parts
        if data == kept:
            self._flat = kept
            return None
        self._flat = data
        return data

    def _encode_all(self) -> bytes | None:
        self._parts = ()  # those of another class may be the same objects, and what is made here may be refused
        # What the last life saved and this one has not acquired yet is still state.
        values = {**self._saved, **self.values} if self._saved else self.values
        parts = [self._flatten(value) for value in values.values()]
        if len(values) > 1 and (None in parts or len(set(map(id, values.values()))) < len(values)):
            parts = [None] * len(values)
        kinds = []
        body: list[object] = []
        for (index, value), part in zip(values.items(), parts, strict=True):
            kind = type(value)
            fields = self._fields[kind]
            kinds.append((index, kind, None if part is None or fields is None else fields.names))
            body.append(value if part is None else part)
        if kinds != self._kinds:
            heading = [
                [index, *_describe(kind), names, None if names else field_names(kind)] for index, kind, names in kinds
            ]
            self._heading = json.dumps(heading).encode() + b"\n"
            self._kinds = kinds  # last: where there is no heading, the next commit asks for it again
        (_, kind, names), part = kinds[0], parts[0]
        fields = self._fields[kind]
        self._only, self._whole, self._wholes = None, None, 0
        if len(kinds) == 1 and part is not None and fields is not None:
            self._only = (kind, fields)
            return self._encode_flat(part)
        if len(kinds) == 1 and names is None and not self._saved:
            self._whole, self._wholes = kind, _WHOLES
        return self._pickle(body)

    def _pickle(self, body: list[object]) -> bytes | None:
        """Return the snapshot of `body` behind the heading as it stands; None when the last one says it all."""
        try:
            data = self._heading + pickle.dumps(body, _PROTOCOL)
        except Exception as error:
            values = {**self._saved, **self.values}
            names = ", ".join(_describe(type(value))[0] for value in values.values())
            message = f"the state {names} can't be pickled: {error}"
            raise StateError(message) from error
        return None if data == self.kept else data

    def _flatten(self, value: object) -> tuple[object, ...] | None:
        """Return the fields of a flat state; None for any other."""
        kind = type(value)
        if kind not in self._fields:
            self._fields[kind] = _Fields.of(kind)
        fields = self._fields[kind]
        return None if fields is None else fields.read(value)


def decode(snapshot: bytes) -> dict[int, object]:
    """Read a snapshot back, by state. Raises StateError, naming the classes and the reason."""
    heading, _, body = snapshot.partition(b"\n")
    try:
        described = json.loads(heading)
        names = ", ".join(name for _, name, _, _, _ in described)
    except (ValueError, TypeError):
        message = "a snapshot without a readable heading"
        raise StateError(message) from None
    try:
        parts = flat.load(body)
        values = _restore(described, parts)
    except StateError:
        raise
    except Exception as error:
        message = f"the snapshot of {names} can't be read: {type(error).__name__}: {error}"
        raise StateError(message) from error
    return {row[0]: value for row, value in zip(described, values, strict=True)}


def _restore(described: Sequence[_Row], parts: Sequence[Any]) -> list[object]:
    """Return the states of today that were saved as `parts`."""
    migrated: dict[int, object] = {}  # what two states share stays shared
    values: list[object] = []
    for (_, name, version, names, known), part in zip(described, parts, strict=True):
        kind = type(part) if names is None else _find(name)
        found, current = _describe(kind)
        if found != name:
            message = f"the snapshot holds {name} version {version}, the code has {found} version {current}"
            raise StateError(message)
        held = {} if names is None else dict(zip(names, part, strict=True))
        if version != current:
            if id(part) not in migrated:
                migrated[id(part)] = migrate(kind, name, version, data_of(part) if names is None else held)
            values.append(migrated[id(part)])
        elif names is not None:
            values.append(rebuild(kind, name, held))
        else:
            values.append(part if known is None else complete(part, name, known))
    return values


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
    if value is None or isinstance(value, int | str):
        return number(value) if isinstance(value, int) else value
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
    return {_name(key): _plain(item, around) for key, item in parts.items()}


def _name(key: object) -> str:
    try:
        return str(key)
    except Exception:  # noqa: BLE001 - a number too long to be written, or somebody's own class
        return _repr(key)


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
