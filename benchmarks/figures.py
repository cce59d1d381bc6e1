"""Figures: what samples come to, and when they are too scattered to be quoted."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Final

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


RATE: Final = Unit(kept="messages/s", shown="k messages/s", factor=1e-3, more_is_better=True, digits=0)
MICROSECONDS: Final = Unit(kept="s", shown="µs", factor=1e6, more_is_better=False)
MILLISECONDS: Final = Unit(kept="s", shown="ms", factor=1e3, more_is_better=False)


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
