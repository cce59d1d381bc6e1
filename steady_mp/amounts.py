"""Amounts: what counts as a number where a declaration asks for one. True and False are none, though they are ints."""

from __future__ import annotations

from typing import TypeGuard


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether this is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def is_duration(value: object) -> bool:
    """Tell whether this is a finite number of seconds above 0."""
    return is_number(value) and value > 0


def is_whole(value: object) -> TypeGuard[int]:
    """Tell whether this is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_count(value: object) -> bool:
    """Tell whether this is a whole number, 1 or more."""
    return is_whole(value) and value >= 1
