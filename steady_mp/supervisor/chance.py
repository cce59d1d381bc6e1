"""Chance: a fork has its parent's random numbers still to come, and so have all its siblings."""

from __future__ import annotations

import sys
from contextlib import suppress


def reseed() -> None:
    """Give numpy's global generator, where it is loaded, its own seed, as Python gives one to `random` in a fork."""
    numbers = sys.modules.get("numpy.random")
    if numbers is not None:
        with suppress(Exception):  # some other module of that name
            numbers.seed()
