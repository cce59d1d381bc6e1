"""What tells two lists of messages apart, in words for who reads a failed test."""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

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
    at = next((index for index, (wanted, found) in enumerate(pairs) if not _same(wanted, found)), None)
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


def _same(wanted: object, found: object) -> bool:
    if wanted is found:
        return True
    if wanted is _NOTHING or found is _NOTHING:
        return False
    equal: Any = wanted == found
    try:
        return bool(equal)
    except ValueError:  # how arrays answer: element by element
        return bool(equal.all())


def _shown(number: int, wanted: object, found: object) -> Iterator[str]:
    if _same(wanted, found):
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
