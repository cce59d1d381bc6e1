"""Figures: what samples come to, and when they are too scattered to be quoted."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Spread of the middle half, as a share of the median, above which a row counts as noisy (± 10 %).
NOISY: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is measured: `kept` names the unit of the samples, `shown` that of the table."""

    kept: str
    shown: str
    factor: float
    more_is_better: bool
    digits: int = 1

    def show(self, value: float) -> str:
        """Return a sample as the table shows it."""
        return f"{value * self.factor:,.{self.digits}f}"

    def data(self) -> dict[str, Any]:
        """Return it as plain data: whoever reads the samples later can show them the same way."""
        return asdict(self)


RATE: Final = Unit(kept="messages/s", shown="k messages/s", factor=1e-3, more_is_better=True, digits=0)
FEW: Final = Unit(kept="messages/s", shown="messages/s", factor=1, more_is_better=True, digits=0)
MANY: Final = Unit(kept="messages/s", shown="M messages/s", factor=1e-6, more_is_better=True)
NANOSECONDS: Final = Unit(kept="s", shown="ns", factor=1e9, more_is_better=False, digits=0)
MICROSECONDS: Final = Unit(kept="s", shown="µs", factor=1e6, more_is_better=False)
MILLISECONDS: Final = Unit(kept="s", shown="ms", factor=1e3, more_is_better=False)
SECONDS: Final = Unit(kept="s", shown="s", factor=1, more_is_better=False, digits=2)
PERCENT: Final = Unit(kept="share", shown="%", factor=100, more_is_better=False, digits=2)
MEBIBYTES: Final = Unit(kept="bytes", shown="MiB", factor=1 / (1 << 20), more_is_better=False)
COUNT: Final = Unit(kept="count", shown="", factor=1, more_is_better=False, digits=0)


@dataclass(frozen=True, slots=True)
class Figures:
    """The samples of one row. There is at least one."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle sample."""
        return statistics.median(self.samples)

    @property
    def low(self) -> float:
        """The least sample."""
        return min(self.samples)

    @property
    def high(self) -> float:
        """The greatest sample."""
        return max(self.samples)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The limits of the middle half."""
        if len(self.samples) == 1:
            return self.samples[0], self.samples[0]
        first, _, third = statistics.quantiles(self.samples, n=4, method="inclusive")
        return first, third

    @property
    def noise(self) -> float:
        """Spread of the middle half as a share of the median."""
        first, third = self.quartiles
        return (third - first) / self.median if self.median else 0.0


def side_by_side(moments: Sequence[Sequence[float]]) -> list[float]:
    """Return a figure for each column, where the figures of a row were taken at the same moment.

    It is the median of its shares of the row's mean, times the median of these means. So a machine that is
    faster at some moments than at others makes no difference between the columns.
    """
    means = [statistics.geometric_mean(row) for row in moments]
    level = statistics.median(means)
    return [
        level * statistics.median(figure / mean for figure, mean in zip(column, means, strict=True))
        for column in zip(*moments, strict=True)
    ]


def ratios(ours: Sequence[float], theirs: Sequence[float], *, paired: bool) -> Figures:
    """Return how many times `theirs` ours are: of the medians, or, where they were taken in pairs, of each pair."""
    if paired:
        return Figures(tuple(one / other for one, other in zip(ours, theirs, strict=True)))
    return Figures((statistics.median(ours) / statistics.median(theirs),))
