"""Arguments of a simulation: what nobody can have meant is refused before anything is played."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Final

from steady_mp.checks import check_count
from steady_mp.errors import ConfigurationError
from steady_mp.testing.points import FAULT_POINTS
from steady_mp.testing.simulation.dice import STEP, Crash

_MOST_CRASHES: Final = 1000
_MOST_HITS: Final = 1_000_000
#: Characters of what a check has answered.
_SHOWN: Final = 100


def check_crashes(crashes: int | Iterable[Crash]) -> int | list[Crash]:
    """Return how many crashes there are to be, or which. Raises ConfigurationError."""
    if isinstance(crashes, int):
        check_count("crashes", crashes, 0, _MOST_CRASHES)
        return crashes
    if not isinstance(crashes, Iterable):
        raise _no_crash(crashes)
    planned = list(crashes)
    for crash in planned:
        if not isinstance(crash, Crash):
            raise _no_crash(crash)
        if crash.point not in (*FAULT_POINTS, STEP) or crash.hit < 1:
            message = f"no fault point {crash.point!r} (hit {crash.hit}): there are {STEP}, {', '.join(FAULT_POINTS)}"
            raise ConfigurationError(message)
    return planned


def _no_crash(given: object) -> ConfigurationError:
    return ConfigurationError(f"crashes has {given!r}: give a list of Crash(actor, point, hit), or their number")


def check_hits(hits: int) -> None:
    """Raise ConfigurationError for a number of hits that finds no crash."""
    check_count("hits", hits, 1, _MOST_HITS)


def check_answer(check: object, answer: object) -> None:
    """Raise ConfigurationError where a check has answered: nobody looks at that, and it would pass whatever it says."""
    if inspect.iscoroutine(answer):
        answer.close()  # or Python warns that nobody has awaited it
    if answer is not None:
        name = getattr(check, "__name__", repr(check))
        message = f"check {name} returned {repr(answer)[:_SHOWN]}: let it assert; it is to return nothing"
        raise ConfigurationError(message)
