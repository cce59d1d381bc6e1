"""Standings: what samples come to, as plain data that tables, charts and verdicts are made from."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.experiment import Outcome
from benchmarks.figures import NOISY, Figures, ratios

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.figures import Unit


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one contestant: the figure that is asked for, and what else was seen on the way."""

    value: float
    extras: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of all contestants, and in what it is counted."""

    #: Short and unique: what ``--only`` selects.
    name: str
    title: str
    unit: Unit
    #: The contestant that ratios refer to; None when there is nobody to compare with.
    baseline: str | None = None
    #: Further figures of each sample, by the title of their column.
    extras: Mapping[str, Unit] = field(default_factory=dict)
    #: Sort the rows, the best first; a series keeps its order.
    ranked: bool = True
    #: The samples of a round were taken side by side: a row's ratio is the median of its ratios in the rounds.
    paired: bool = False


@dataclass(slots=True)
class Row:
    """A contestant's part of the result."""

    name: str
    note: str = ""
    ours: bool = False
    floor: bool = False
    samples: list[Sample] = field(default_factory=list)
    #: Why there are no samples, or no more of them.
    out: str | None = None

    @property
    def figures(self) -> Figures | None:
        """What the samples come to, unless the contestant is out."""
        return Figures(tuple(one.value for one in self.samples)) if self.samples and self.out is None else None


def standings(question: Question, rows: Sequence[Row]) -> Outcome:
    """Return a median with its spread for each row, and its ratio to the baseline."""
    below = next((row.figures for row in rows if row.name == question.baseline), None)
    sign = -1.0 if question.unit.more_is_better else 1.0
    if question.ranked:
        rows = sorted(rows, key=lambda row: (1, 0.0) if row.figures is None else (0, sign * row.figures.median))
    data = {
        "kind": "race",
        "name": question.name,
        "title": question.title,
        "unit": question.unit.data(),
        "baseline": question.baseline,
        "paired": question.paired,
        "extras": {title: unit.data() for title, unit in question.extras.items()},
        "rows": [_row(question, row, below) for row in rows],
    }
    return Outcome(data, _warnings(question, rows, below))


def _row(question: Question, row: Row, below: Figures | None) -> dict[str, Any]:
    data: dict[str, Any] = {"name": row.name, "ours": row.ours, "floor": row.floor, "note": row.note}
    figures = row.figures
    if figures is None:
        return {**data, "out": row.out or "nothing was measured"}
    first, third = figures.quartiles
    shares = ratios(figures.samples, below.samples, paired=question.paired) if below and below.median else None
    if shares and question.paired:
        data["ratio_noise"] = shares.noise / 2
    return {
        **data,
        "median": figures.median,
        "low": figures.low,
        "quartile_1": first,
        "quartile_3": third,
        "high": figures.high,
        "ratio": shares.median if shares else None,
        "extras": {
            title: statistics.median(one.extras[title] for one in row.samples)
            for title in question.extras
            if all(title in one.extras for one in row.samples)
        },
        "samples": [one.value for one in row.samples],
    }


def _warnings(question: Question, rows: Sequence[Row], below: Figures | None) -> list[str]:
    name = question.name
    noisy = [
        f"{row.name} {row.figures.noise / 2:.0%}"
        for row in rows
        if row.figures is not None and row.figures.noise > NOISY
    ]
    found = [f"{name} was noisy: ± {', '.join(noisy)}"] if noisy else []
    found += [f"{name} without {row.name}: {row.out}" for row in rows if row.out]
    if question.baseline is not None and below is None:
        found.append(f"{name} has no ratios, because {question.baseline} did not run")
    return found
