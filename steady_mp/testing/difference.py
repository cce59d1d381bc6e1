"""What tells two lists of messages apart, in words for who reads a failed test."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, is_dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    counts = f"{missing.total()} missing, {extra.total()} extra" if missing or extra else "the same in another order"
    heading = f"message {first + at} differs ({len(expected)} expected, {len(sent)} sent: {counts})"
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
    return _equal(wanted, found)


def _all_same(wanted: Sequence[object], found: Sequence[object]) -> bool:
    return len(wanted) == len(found) and all(same(*pair) for pair in zip(wanted, found, strict=True))


def _values_same(wanted: dict[object, object], found: dict[object, object]) -> bool:
    return wanted.keys() == found.keys() and all(same(value, found[key]) for key, value in wanted.items())


def _equal(wanted: object, found: object) -> bool:
    """Compare as they do it themselves. An answer by element counts only where both have the shape of it."""
    try:
        equal: Any = wanted == found
    except ValueError:  # arrays whose shapes do not go together, or an object that asks for the truth of one
        if type(wanted) is type(found) and is_dataclass(wanted):
            compared = [field.name for field in fields(wanted) if field.compare]
            return all(same(getattr(wanted, name), getattr(found, name)) for name in compared)
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
