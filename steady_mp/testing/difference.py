"""Differences: what was expected and what came instead, side by side."""

from __future__ import annotations

import difflib
import pprint
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_SHOWN: Final = 20
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
    first = left_out
    lines = [f"  {number}: {show(value)}" for number, value in enumerate(latest, first)]
    return "\n".join([f"  … {left_out} before", *lines] if left_out else lines)


def differ(expected: object, found: object) -> str:
    """Show two values line by line: what is only expected with a -, what is only found with a +."""
    lines = difflib.ndiff(_lines(expected), _lines(found))
    return "\n".join(f"  {line.rstrip()}" for line in lines)


def differ_all(expected: Sequence[object], found: Sequence[object]) -> str:
    """The same for two series of values, one value a line."""
    lines = difflib.ndiff([show(value) for value in expected], [show(value) for value in found])
    return "\n".join(f"  {line.rstrip()}" for line in lines if not line.startswith("?"))


def nearest(expected: object, found: Sequence[Any]) -> object | None:
    """Return which of `found` looks most like `expected`; None when none does at all."""
    wanted = show(expected)
    scored = [(difflib.SequenceMatcher(None, wanted, show(value)).ratio(), index) for index, value in enumerate(found)]
    best = max(scored, default=(0.0, 0))
    return found[best[1]] if best[0] > 0 else None


def _lines(value: object) -> list[str]:
    return pprint.pformat(value, width=_WIDTH).splitlines()
