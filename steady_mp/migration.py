"""Migration: what becomes of a state whose class is not the one any more that saved it.

A class says which shape its states have with `state_version` (a whole number, 0 unless it says otherwise), and how an
older one becomes one of today with `migrate(old_version, data)`. Whatever can't be read so is an error that says
exactly why; nothing starts empty by itself.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from steady_mp.amounts import is_whole
from steady_mp.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def version_of(kind: type) -> int:
    """Return the `state_version` of a class. Raises StateError for one that is no whole number."""
    version: object = getattr(kind, "state_version", 0)
    if not is_whole(version):
        which = f"{kind.__module__}:{kind.__qualname__}: state_version {version!r}"
        raise StateError(f"{which} must be a whole number, and the class's own: state_version = 1, no field of it")
    return version


def field_names(kind: type) -> list[str] | None:
    """Return the names of a dataclass's fields; None for any other class."""
    return [each.name for each in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else None


def data_of(value: object) -> object:
    """Return what `migrate` is handed for an object: a dataclass's attributes by name, anything else itself."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    names = [*(field_names(type(value)) or ()), *getattr(value, "__dict__", ())]
    held: dict[str, object] = {}
    for name in names:
        # What only its class has is a default of today's, which that version never saw.
        if name in getattr(value, "__dict__", ()) or (_is_slot(value, name) and hasattr(value, name)):
            held[name] = getattr(value, name)
    return held


def _is_slot(value: object, name: str) -> bool:
    return type(getattr(type(value), name, None)).__name__ == "member_descriptor"


def migrate(kind: type, name: str, old: object, data: object) -> object:
    """Return the state of today that `data`, saved by version `old` of the class, becomes.

    Raises StateError when the class has no `migrate`, when that raises or returns nothing, and for a version that
    is newer than the code.
    """
    new = version_of(kind)
    have = f"the snapshot holds {name} version {old}, the code has {name} version {new}"
    if not isinstance(old, int) or old > new:
        raise StateError(f"{have}: run the code that saved it, or one that is newer")
    step = getattr(kind, "migrate", None)
    if step is None:
        raise StateError(f"{have} and no migrate(old_version, data) that makes one of the other; add it")
    try:
        value: object = step(old, data)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise StateError(f"{have}, and its migrate({old}, data) raised {reason}") from error
    if value is None:
        raise StateError(f"{have}, and its migrate({old}, data) returned None; it must return the state")
    return value


def rebuild(kind: Any, name: str, held: Mapping[str, object]) -> object:  # noqa: ANN401 - a class with any __new__
    """Make an instance of the dataclass `kind` from its fields, those of today."""
    value: object = kind.__new__(kind)
    for each, part in {**held, **_news(kind, name, list(held))}.items():
        object.__setattr__(value, each, part)  # also where the class is frozen
    return value


def complete(value: object, name: str, known: Sequence[str]) -> object:
    """Give a dataclass that had the fields `known` when it was saved the fields that it has got since."""
    for each, part in _news(type(value), name, known).items():
        object.__setattr__(value, each, part)
    return value


def _news(kind: type, name: str, known: Sequence[str]) -> dict[str, object]:
    """Return the defaults of the fields that are new. Raises StateError where one has none, or a field is gone."""
    fields = {each.name: each for each in dataclasses.fields(kind)}
    gone = [each for each in known if each not in fields]
    news: dict[str, object] = {}
    for each in fields.keys() - set(known):
        field = fields[each]
        if field.default is not dataclasses.MISSING:
            news[each] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            news[each] = field.default_factory()
        else:
            gone.append(each)
    if gone:
        what = ", ".join(sorted(gone))
        which = "was saved with other fields than the code has"
        mend = "raise its state_version and give it migrate(old_version, data), or new fields a default"
        raise StateError(f"the snapshot's {name} {which} ({what}): {mend}")
    return news
