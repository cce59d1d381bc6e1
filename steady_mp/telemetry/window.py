"""Fixed-size memories of a figure: the rolling window that statistics are over, and a short history to draw."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.monitors import Statistic

#: Points of a history line.
HISTORY: Final = 120


class Window:
    """The samples of the last seconds; the oldest falls out, so memory stays flat."""

    __slots__ = ("_samples",)

    def __init__(self, size: int) -> None:
        """Hold at most `size` samples."""
        self._samples: deque[float] = deque(maxlen=size)

    def add(self, value: float) -> None:
        """Take one sample."""
        self._samples.append(value)

    def clear(self) -> None:
        """Forget all samples."""
        self._samples.clear()

    def __len__(self) -> int:
        """Return how many samples there are."""
        return len(self._samples)

    @property
    def last(self) -> float | None:
        """The newest sample."""
        return self._samples[-1] if self._samples else None

    def average(self) -> float | None:
        """Return the mean; None while there is no sample, as for all statistics."""
        return sum(self._samples) / len(self._samples) if self._samples else None

    def minimum(self) -> float | None:
        """Return the least sample."""
        return min(self._samples, default=None)

    def maximum(self) -> float | None:
        """Return the greatest sample."""
        return max(self._samples, default=None)

    def percentile(self, q: float) -> float | None:
        """Return the least sample that `q` percent of all do not exceed (nearest rank: always one that was seen)."""
        return percentile(self._samples, q)

    def standard_deviation(self) -> float | None:
        """Return the standard deviation of the samples (of the population: they are all there are)."""
        mean = self.average()
        if mean is None:
            return None
        return math.sqrt(sum((sample - mean) ** 2 for sample in self._samples) / len(self._samples))

    def statistic(self, statistic: Statistic) -> float | None:
        """Return the statistic that was asked for."""
        match statistic.kind:
            case "percentile":
                return self.percentile(statistic.q)
            case "min":
                return self.minimum()
            case "max":
                return self.maximum()
            case "std_dev":
                return self.standard_deviation()
            case _:
                return self.average()


def percentile(samples: Sequence[float], q: float) -> float | None:
    """Return the nearest-rank percentile."""
    if not samples:
        return None
    ranked = sorted(samples)
    return ranked[max(0, math.ceil(q * len(ranked) / 100) - 1)]  # q / 100 is not exact, nor what it makes then


class History:
    """The last points of a line, rounded because they are only drawn."""

    __slots__ = ("_digits", "_points")

    def __init__(self, digits: int = 1, size: int = HISTORY) -> None:
        """Hold at most `size` points with so many digits behind the point."""
        self._digits = digits
        self._points: deque[float] = deque(maxlen=size)

    def add(self, value: float | None) -> None:
        """Take one point; a figure that is not known draws as 0."""
        self._points.append(round(value or 0.0, self._digits))

    def points(self) -> list[float]:
        """Return the points, oldest first."""
        return list(self._points)
