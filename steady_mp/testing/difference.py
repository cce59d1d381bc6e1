"""What tells two lists of messages apart, in words for who reads a failed test."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import fields, is_dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: Messages shown before the first difference, and behind it.
_BEFORE: Final = 3
_BEHIND: Final = 4
#: Letters of a message that are shown.
_WIDTH: Final = 100
_NOTHING: Final = object()


def difference(expected: Sequence[Any], sent: Sequence[Any], first: int = 0) -> str | None:
    """Say where `sent` differs from what was `expected`; None when it does not.

    A line for the counts, then the messages around the first difference, numbered from `first` on:
    ``-`` was expected, ``+`` was sent, and what has neither is the same on both sides.
    """
    pairs = list(zip_longest(expected, sent, fillvalue=_NOTHING))
    at = next((index for index, (wanted, found) in enumerate(pairs) if not same(wanted, found)), None)
    if at is None:
        return None
    missing = Counter(map(repr, expected)) - Counter(map(repr, sent))
    extra = Counter(map(repr, sent)) - Counter(map(repr, expected))
    counts = f": {missing.total()} missing, {extra.total()} extra" if missing or extra else ""
    if (why := unlike(*pairs[at])) is None:
        why, counts = "differs", counts or ": the same in another order"
    heading = f"message {first + at} {why} ({len(expected)} expected, {len(sent)} sent{counts})"
    begin, stop = max(0, at - _BEFORE), min(at + 1 + _BEHIND, len(pairs))
    lines = [heading]
    if begin:
        lines.append(f"    … {begin} the same")
    for index in range(begin, stop):
        lines += _shown(first + index, *pairs[index])
    if stop < len(pairs):
        lines.append(f"    … {len(pairs) - stop} more")
    return "\n".join(lines)


def same(wanted: object, found: object) -> bool:
    """Tell whether two messages are equal, arrays in them included: those have to have the same shape, too.

    Raises what a comparison raises that has nothing to do with arrays.
    """
    if wanted is found:
        return True
    if wanted is _NOTHING or found is _NOTHING:
        return False
    compare = type(wanted).__eq__
    if compare is type(found).__eq__:  # theirs would ask for the truth of an array among their items
        if compare is list.__eq__ or compare is tuple.__eq__:
            return _all_same(cast("Sequence[object]", wanted), cast("Sequence[object]", found))
        if compare is dict.__eq__:
            return _values_same(cast("dict[object, object]", wanted), cast("dict[object, object]", found))
        if type(wanted) is type(found) and (names := _compared(type(wanted))) is not None:
            return _fields_same(wanted, found, names)
    answer = _numpy_same(wanted, found)
    return _equal(wanted, found) if answer is None else answer


def unlike(wanted: object, found: object) -> str | None:
    """Say of two that are not equal why they may look the same; None when they do not."""
    if wanted is _NOTHING or found is _NOTHING or repr(wanted) != repr(found):
        return None
    kinds = type(wanted), type(found)
    if kinds[0] is not kinds[1]:
        names = [f"{kind.__module__}.{kind.__qualname__}" for kind in kinds]
        why = f"one is a {names[0]}, the other a {names[1]}"
    elif kinds[0].__eq__ is object.__eq__:
        why = f"{kinds[0].__qualname__} has no __eq__"
    else:
        why = "there is a nan in it, or what has no __eq__, or what its repr does not show"
    return f"looks the same and is not equal: {why}"


def _all_same(wanted: Sequence[object], found: Sequence[object]) -> bool:
    return len(wanted) == len(found) and all(same(*pair) for pair in zip(wanted, found, strict=True))


def _values_same(wanted: dict[object, object], found: dict[object, object]) -> bool:
    return wanted.keys() == found.keys() and all(same(value, found[key]) for key, value in wanted.items())


def _compared(kind: type) -> list[str] | None:
    """Return the fields by which `dataclass` compares this class; None where it does not."""
    owner = next(each for each in kind.__mro__ if "__eq__" in vars(each))
    written = getattr(owner.__eq__, "__code__", None)
    if not is_dataclass(owner) or getattr(written, "co_filename", None) != "<string>":  # where `dataclass` writes it
        return None
    return [field.name for field in fields(owner) if field.compare]


def _fields_same(wanted: object, found: object, names: Iterable[str]) -> bool:
    return all(same(getattr(wanted, name), getattr(found, name)) for name in names)


def _numpy_same(wanted: object, found: object) -> bool | None:
    """Compare what numpy itself compares in another way than by its items; None for all else."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None:
        return None
    if all(isinstance(value, (numpy.ndarray, numpy.void)) for value in (wanted, found)):
        return _arrays_same(wanted, found, numpy.ma)
    if any(isinstance(value, numpy.void) for value in (wanted, found)):  # a record, and as a rule a tuple
        return same(*(value.item() if isinstance(value, numpy.void) else value for value in (wanted, found)))
    return None


def _arrays_same(wanted: Any, found: Any, ma: Any) -> bool | None:  # noqa: ANN401 - arrays, and numpy.ma
    names = wanted.dtype.names
    if wanted.shape != found.shape or names != found.dtype.names:
        return False
    if names:
        return all(same(wanted[name], found[name]) for name in names)
    if isinstance(wanted, ma.MaskedArray) or isinstance(found, ma.MaskedArray):
        hidden, also = ma.getmaskarray(wanted), ma.getmaskarray(found)
        return bool((hidden == also).all()) and same(ma.getdata(wanted)[~hidden], ma.getdata(found)[~hidden])
    if wanted.dtype.hasobject or found.dtype.hasobject:
        return _all_same(list(wanted.flat), list(found.flat))
    return None


def _equal(wanted: object, found: object) -> bool:
    """Compare as they do it themselves. An answer by element counts only where both have the shape of it."""
    try:
        equal: Any = wanted == found
    except (ValueError, TypeError) as error:  # arrays that do not go together, or one's truth was asked for
        if isinstance(error, ValueError) and type(wanted) is type(found) and is_dataclass(wanted):
            return _fields_same(wanted, found, [field.name for field in fields(wanted) if field.compare])
        if not (_shape(wanted) or _shape(found)):
            raise
        return False
    if not _shape(equal):
        try:
            return bool(equal)
        except ValueError:  # arrays that do not say how large they are
            return bool(equal.all())
    if _shape(wanted) != _shape(found):
        return False
    while _shape(equal):  # a table answers by column first
        equal = equal.all()
    return bool(equal)


def _shape(value: object) -> tuple[int, ...]:
    """Return how many items it has in each dimension; empty for what is no array."""
    shape = getattr(value, "shape", ())
    return shape if isinstance(shape, tuple) else ()


def _shown(number: int, wanted: object, found: object) -> Iterator[str]:
    if same(wanted, found):
        yield f"    {number:>6}  {_cut(repr(wanted), 0)}"
        return
    texts = ["" if value is _NOTHING else repr(value) for value in (wanted, found)]
    apart = next((place for place, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), 0)
    for mark, value, text in zip("-+", (wanted, found), texts, strict=True):
        if value is not _NOTHING:
            yield f"  {mark} {number:>6}  {_cut(text, apart)}"


def _cut(text: str, apart: int) -> str:
    """Return so much of `text` as is shown, with the place in it where it matters."""
    if len(text) <= _WIDTH:
        return text
    start = max(0, min(apart - _WIDTH // 2, len(text) - _WIDTH))
    return ("…" if start else "") + text[start : start + _WIDTH] + ("…" if start + _WIDTH < len(text) else "")
