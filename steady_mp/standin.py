"""Unpickling without the classes: whatever is not plain data becomes a stand-in that shows what was saved.

So a command needs neither the user's modules nor his environment, and runs none of his code.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import pickle
import reprlib
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from steady_mp import flat
from steady_mp.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterable

_KNOWN: Final = {
    "builtins": {"bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"},
    "collections": {"Counter", "OrderedDict", "defaultdict", "deque"},
    "datetime": {"date", "datetime", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    "pathlib": {"PosixPath", "PurePosixPath"},
    "uuid": {"UUID"},
}
"""Classes that are what they are everywhere, and whose making does nothing else."""
#: Modules that Python 3.13 calls otherwise in its pickles than every other version.
MOVED: Final = {"pathlib._local": "pathlib"}
#: Classes of moments, which refuse a zone that is a stand-in.
_ZONED: Final = {dt.datetime, dt.time}
_DEEPEST: Final = 100
#: Bits of a number that Python writes in decimal, whatever `sys.set_int_max_str_digits` says.
_SURELY_WRITTEN: Final = 2048


class StandIn:
    """An object of a class that was not imported: the arguments that it was made with, its fields, what it contains."""

    def __new__(cls, *args: object, **kwargs: object) -> Self:
        """Keep what the class would have been given."""
        made = object.__new__(cls)
        made.__dict__.update({"()": list(args)} if args else {}, **kwargs)
        return made

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Be made already."""

    def __call__(self, *args: object) -> StandIn:
        """Be what a function gave that was called: `getattr(x, 'name')(…)` in a pickle."""
        result: StandIn = type("result", (StandIn,), {})(self, *args)
        return result

    def __setstate__(self, state: object) -> None:
        """Take fields as pickle hands them over: a dict, that and the slots, or whatever the class saves."""
        parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)  # noqa: PLR2004 - fields and slots
        fields = [part for part in parts if isinstance(part, dict)]
        if len(fields) < len([part for part in parts if part is not None]):
            fields = [{"state": state}]
        for part in fields:
            self.__dict__.update({str(name): value for name, value in part.items()})

    def append(self, item: object) -> None:
        """Take an item, as a subclass of list does."""
        self.__dict__.setdefault("[]", []).append(item)

    add = append

    def extend(self, items: list[object]) -> None:
        """Take items, as a subclass of list does."""
        self.__dict__.setdefault("[]", []).extend(items)

    def __setitem__(self, key: object, value: object) -> None:
        """Take an item, as a subclass of dict does."""
        self.__dict__.setdefault("{}", {})[key] = value

    @reprlib.recursive_repr("…")
    def __repr__(self) -> str:
        """Show it as its class's name and what is known."""
        parts = self.__dict__
        shown = [_SHORT.repr(item) for item in parts.get("()", ())]
        shown += [_SHORT.repr(parts[key]) for key in ("[]", "{}") if key in parts]
        shown += [f"{key}={_SHORT.repr(value)}" for key, value in parts.items() if key not in _MARKS]
        return f"{type(self).__qualname__}({', '.join(shown)})"


_MARKS: Final = {"()", "[]", "{}"}


class _Moment(StandIn):
    """A moment where its zone was not imported: the moment without a zone, and the zone. Else it is the moment."""

    kind: ClassVar[type]

    def __new__(cls, *args: object) -> Any:  # noqa: ANN401 - one class or another
        """Make a moment of the class `kind`."""
        if any(isinstance(arg, StandIn) for arg in args):
            return super().__new__(cls, cls.kind(*args[:-1]), args[-1])
        return cls.kind(*args)


class _Short(reprlib.Repr):
    """Cuts long bytes before they are written out; and a stand-in says itself, whatever its class is called."""

    def repr1(self, x: Any, level: int) -> str:  # noqa: ANN401 - any value
        """Write one value."""
        if isinstance(x, StandIn):
            return self.repr_instance(x, level)
        if isinstance(x, bytes | bytearray) and len(x) > self.maxother:
            return f"{x[: self.maxother // 2]!r}..."
        return super().repr1(x, level)

    def repr_int(self, x: int, level: int) -> str:  # noqa: ARG002 - as reprlib has it
        """Show a number, also one that is too long to be written in decimal."""
        text = str(number(x))
        half = (self.maxlong - len(self.fillvalue)) // 2
        return text if len(text) <= self.maxlong else f"{text[:half]}{self.fillvalue}{text[-half:]}"


_SHORT: Final = _Short()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 100
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = _SHORT.maxfrozenset = _SHORT.maxdeque = 10


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as dynamic as pickle
        """Give the class where it is harmless, and a stand-in for every other."""
        module = MOVED.get(module, module)
        called = {"__module__": module, "__qualname__": name}
        if name not in _KNOWN.get(module, ()):
            return type(name, (StandIn,), called)
        found = super().find_class(module, name)
        return type(name, (_Moment,), {**called, "kind": found}) if found in _ZONED else found


def unpickle(data: bytes | memoryview, *, buffers: Iterable[bytes | bytearray] = ()) -> Any:  # noqa: ANN401 - whatever was saved
    """Read a pickle back, with stand-ins, and the buffers beside it. Raises StateError when it can't be read."""
    try:
        return _Unpickler(io.BytesIO(data), buffers=buffers).load()
    except Exception as error:
        message = f"a pickle that can't be read: {type(error).__name__}: {error}"
        raise StateError(message) from error


def read_snapshot(snapshot: bytes) -> dict[int, Any]:
    """Return what a snapshot (`steady_mp.state.StateBook`) saved, by state, as plain data. Raises StateError."""
    heading, _, body = snapshot.partition(b"\n")
    try:
        parts = flat.load(body, unpickle)
        described = [(entry[0], entry[3]) for entry in json.loads(heading)]
        return {
            index: plain(part if names is None else dict(zip(names, part, strict=True)))
            for (index, names), part in zip(described, parts, strict=True)
        }
    except (EOFError, ValueError, TypeError, LookupError) as error:
        message = f"a snapshot that can't be read: {error}"
        raise StateError(message) from None


def bounded(value: object, most: int) -> str:
    """Return the repr of a value in one line of at most `most` characters."""
    text = _SHORT.repr(value)
    text = text if text.isprintable() else json.dumps(text)[1:-1]
    return text if len(text) <= most else text[: most - 1] + "…"


def number(value: int) -> int | str:
    """Return a number as JSON can say it: as itself, or in hexadecimal where Python refuses to write so many digits."""
    if value.bit_length() > _SURELY_WRITTEN:
        try:
            int.__repr__(value)
        except ValueError:
            return hex(value)
    return value


def plain(value: object, around: tuple[int, ...] = ()) -> Any:  # noqa: ANN401 - plain data is whatever JSON can say
    """Turn what was saved into what JSON can say. A stand-in becomes a dict of its fields where it has only such."""
    if value is None or isinstance(value, int | str):
        return number(value) if isinstance(value, int) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if id(value) in around or len(around) >= _DEEPEST:
        return "…"
    around = (*around, id(value))
    if isinstance(value, set | frozenset):
        value = sorted(value, key=_repr)
    if isinstance(value, list | tuple | deque):
        return [plain(item, around) for item in value]
    fields = value.__dict__ if isinstance(value, StandIn) and _MARKS.isdisjoint(value.__dict__) else value
    if isinstance(fields, dict) and (fields or fields is value):
        return {_name(key): plain(item, around) for key, item in fields.items()}
    return _repr(value)


def _name(key: object) -> str:
    try:
        return str(key)
    except ValueError:
        return _SHORT.repr(key)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except ValueError:  # a number too long to be written is in it
        return _SHORT.repr(value)
