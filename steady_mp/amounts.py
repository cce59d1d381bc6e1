"""Amounts: what counts as a number where a declaration asks for one. True and False are none, though they are ints."""

from __future__ import annotations


def is_number(value: object) -> bool:
    """Tell whether this is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def is_duration(value: object) -> bool:
    """Tell whether this is a finite number of seconds above 0."""
    return isinstance(value, int | float) and is_number(value) and value > 0


def is_count(value: object) -> bool:
    """Tell whether this is a whole number, 1 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
