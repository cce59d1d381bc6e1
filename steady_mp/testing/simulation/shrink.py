"""Shrinking: the fewest crashes and switches of a failing run that still make it fail the same way.

Delta debugging (Zeller and Hildebrandt, 2002) over what the dice did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from steady_mp.testing.leaving import LEAVING
from steady_mp.testing.simulation.outcome import SimulationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.testing.simulation.dice import Crash

    _Run = Callable[[int, list[Crash], frozenset[int] | None], object]

T = TypeVar("T")

#: Runs that shrinking may take.
_TRIES: Final = 400


class _Shrinker:
    """Tries smaller runs, and keeps the smallest that fails the same way."""

    def __init__(self, run: _Run, failure: SimulationFailed) -> None:
        self.least = failure
        self._run = run
        self._left = _TRIES

    def fails(self, crashes: Sequence[Crash], switches: Sequence[int]) -> bool:
        """Tell whether the run with only these still fails the same way."""
        if self._left <= 0:
            return False
        self._left -= 1
        try:
            self._run(self.least.seed, list(crashes), frozenset(switches))
        except SimulationFailed as failure:
            if _manner(failure) == _manner(self.least):
                self.least = failure
                return True
        except LEAVING:
            raise
        except Exception:  # noqa: BLE001 - of the graph's declaration, say: whatever it is, it is another failure
            return False
        except BaseException:  # noqa: BLE001 - the test's time-out, say: it is told what is known by now
            self._left = 0
        return False


def _manner(failure: SimulationFailed) -> tuple[str, type]:
    """Return in which way a run failed; an error in a check is not what the check is there to find."""
    return failure.kind, type(failure.__cause__)


def shrunk(run: _Run, failure: SimulationFailed) -> SimulationFailed:
    """Return the smallest failure of the same kind that was found; `failure` itself where it can't be repeated."""
    shrinker = _Shrinker(run, failure)
    if not shrinker.fails(failure.crashes, failure.switches):
        return failure
    _least(shrinker.least.switches, lambda kept: shrinker.fails(shrinker.least.crashes, kept))
    _least(shrinker.least.crashes, lambda kept: shrinker.fails(kept, shrinker.least.switches))
    return shrinker.least


def _least(items: list[T], fails: Callable[[list[T]], bool]) -> None:
    """Remove ever smaller parts of `items` for as long as what is left still fails."""
    if items and fails([]):
        return
    parts = 2
    while len(items) >= 2:  # noqa: PLR2004 - one alone has been shown to be needed
        size = max(1, len(items) // parts)
        for start in range(0, len(items), size):
            rest = items[:start] + items[start + size :]
            if rest and fails(rest):
                items = rest
                parts = max(2, parts - 1)
                break
        else:
            if size == 1:
                return
            parts = min(len(items), parts * 2)
