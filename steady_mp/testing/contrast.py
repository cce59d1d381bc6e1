"""Contrast: a message that was waited for, beside those that came instead."""

from __future__ import annotations

import difflib
import pprint
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_SHOWN: Final = 20
_MOST_COMPARED: Final = 256
_WIDTH: Final = 100
_LONGEST: Final = 1000


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
    lines = difflib.ndiff(_lines(expected), _lines(nearest))
    return "\n".join(f"  {line.rstrip()}" for line in lines)


def _lines(value: object) -> list[str]:
    return pprint.pformat(value, width=_WIDTH).splitlines()
