"""Contrast: a message that was waited for, beside those that came instead."""

from __future__ import annotations

import difflib
import pprint
from typing import TYPE_CHECKING, Any, Final

from steady_mp.testing.difference import unlike

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_SHOWN: Final = 20
_MOST_COMPARED: Final = 256
_WIDTH: Final = 100
_LONGEST: Final = 1000
#: Lines of a long value that are compared (each with each, so not all of them), and those before the first difference.
_MOST_LINES: Final = 10
_BEFORE: Final = 2


def show(value: object) -> str:
    """Show a value, cut where it is very long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def show_all(values: Sequence[object]) -> str:
    """Show values one a line, the latest ones of many."""
    latest = values[-_MOST_SHOWN:]
    left_out = len(values) - len(latest)
    lines = [f"  {number}: {show(value)}" for number, value in enumerate(latest, left_out)]
    return "\n".join([f"  … {left_out} before", *lines] if left_out else lines)


def contrast(expected: object, found: Sequence[Any]) -> str:
    """Show which of `found` looks most like `expected`, line by line: a - was expected, a + came."""
    wanted = show(expected)
    matcher = difflib.SequenceMatcher(b=wanted)  # it remembers what it knows of b

    def likeness(value: object) -> float:
        matcher.set_seq1(show(value))
        return matcher.ratio()

    nearest = max(found[-_MOST_COMPARED:], key=likeness)
    one, other = _lines(expected), _lines(nearest)
    start = _first_shown(one, other)
    stop = start + _MOST_LINES
    lines = [line.rstrip() for line in difflib.ndiff(one[start:stop], other[start:stop])]
    if start:
        lines.insert(0, f"… {start} lines the same")
    if (left := max(len(one), len(other)) - stop) > 0:
        lines.append(f"… {left} lines more")
    if (why := unlike(expected, nearest)) is not None:
        lines.append(why)
    return "\n".join(f"  {line}" for line in lines)


def _first_shown(one: list[str], other: list[str]) -> int:
    """Return the line to begin at: the first one, or of long values one that stands a little before the difference."""
    if max(len(one), len(other)) <= _MOST_LINES:
        return 0
    apart = (number for number, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return max(0, next(apart, min(len(one), len(other))) - _BEFORE)


def _lines(value: object) -> list[str]:
    return pprint.pformat(value, width=_WIDTH).splitlines()
