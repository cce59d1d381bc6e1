"""Race: one question to all contestants, round after round, so that a busy moment of the machine hits all alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from benchmarks.experiment import Effort, Experiment, Outcome
from benchmarks.figures import NOISY, Figures, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType


class Contestant(ABC):
    """One way to do what the race is about."""

    #: As the table names it.
    name: str
    #: What a reader must know to compare it: its bound, its variant.
    note: str = ""
    #: It is what this project makes.
    ours: bool = False

    def missing(self) -> str | None:
        """Return why it can't run here; None when it can."""
        return None

    def warm_up(self, effort: Effort) -> None:  # noqa: B027 - most need none
        """Get ready; what this measures is thrown away."""

    @abstractmethod
    def measure(self, effort: Effort) -> list[float]:
        """Run one round and return its samples.

        Raises whatever goes wrong, a wrong result included: the contestant is out then.
        """


@dataclass(slots=True)
class Row:
    """A contestant's part of the result."""

    contestant: Contestant
    samples: list[float] = field(default_factory=list)
    #: Why there are no samples, or no more of them.
    out: str | None = None

    @property
    def figures(self) -> Figures | None:
        """What the samples come to, unless the contestant is out."""
        return Figures(tuple(self.samples)) if self.samples and self.out is None else None


class Standings(Outcome):
    """The result of a race: a median with its spread for each contestant, and its ratio to the baseline."""

    def __init__(self, race: Race, rows: Sequence[Row]) -> None:
        """Sort `rows`, the best first and those without figures last."""
        self._race = race
        sign = -1.0 if race.unit.more_is_better else 1.0
        self._rows = sorted(rows, key=lambda row: (1, 0.0) if row.figures is None else (0, sign * row.figures.median))
        base = next((row.figures for row in rows if row.contestant.name == race.baseline), None)
        self._base = base.median if base is not None else None

    def _ratio(self, figures: Figures) -> float | None:
        return figures.median / self._base if self._base else None

    def table(self) -> RenderableType:
        """See `Outcome.table`."""
        race = self._race
        better = "more" if race.unit.more_is_better else "less"
        heading = Text(f"{race.name}: {race.title}", style="bold")
        scale = Text(f"{race.unit.shown}, {better} is better; ratio to {race.baseline}")
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("")
        for column in ("median", "least", "most", "±", "ratio"):
            table.add_column(column, justify="right")
        notes = []
        for row in self._rows:
            style = "bold" if row.contestant.ours else None
            table.add_row(row.contestant.name, *self._cells(row), style=style)
            if note := row.out or row.contestant.note:
                notes.append(f"  {row.contestant.name}: {note}")
        return Group(heading, scale, table, Text("\n".join(notes), style="dim"))

    def _cells(self, row: Row) -> tuple[str, ...]:
        """Return the figures: ± is half of what the middle half of the samples spreads over."""
        figures = row.figures
        if figures is None:
            return ("out",)
        unit = self._race.unit
        ratio = self._ratio(figures)
        return (
            unit.show(figures.median),
            unit.show(figures.low),
            unit.show(figures.high),
            f"{figures.noise / 2:.0%}",
            "" if ratio is None else f"{ratio:.2f}",
        )

    def data(self) -> dict[str, Any]:
        """See `Outcome.data`."""
        race = self._race
        return {
            "name": race.name,
            "title": race.title,
            "unit": race.unit.kept,
            "more_is_better": race.unit.more_is_better,
            "baseline": race.baseline,
            "rows": [self._row_data(row) for row in self._rows],
        }

    def _row_data(self, row: Row) -> dict[str, Any]:
        data: dict[str, Any] = {"name": row.contestant.name, "ours": row.contestant.ours, "note": row.contestant.note}
        figures = row.figures
        if figures is None:
            return {**data, "out": row.out}
        first, third = figures.quartiles
        return {
            **data,
            "median": figures.median,
            "low": figures.low,
            "quartile_1": first,
            "quartile_3": third,
            "high": figures.high,
            "ratio": self._ratio(figures),
            "samples": row.samples,
        }

    def warnings(self) -> list[str]:
        """See `Outcome.warnings`."""
        name = self._race.name
        noisy = [
            f"{row.contestant.name} {row.figures.noise / 2:.0%}"
            for row in self._rows
            if row.figures is not None and row.figures.noise > NOISY
        ]
        found = [f"{name} was noisy: ± {', '.join(noisy)}"] if noisy else []
        found += [f"{name} without {row.contestant.name}: {row.out}" for row in self._rows if row.out]
        if self._base is None:
            found.append(f"{name} has no ratios, because {self._race.baseline} did not run")
        return found


@dataclass(slots=True)
class Race(Experiment):
    """Alternating rounds over some contestants. The order moves on by one each round."""

    name: str
    title: str
    unit: Unit
    baseline: str
    contestants: Sequence[Contestant]

    def run(self, effort: Effort, among: Callable[[str], bool], watch: Callable[[str], None]) -> Standings:
        """See `Experiment.run`."""
        rows = [Row(one, out=one.missing()) for one in self.contestants if among(one.name)]
        for row in rows:
            self._attempt(row, lambda one: one.warm_up(effort), f"{row.contestant.name} warms up", watch)
        for number in range(effort.rounds):
            shift = number % len(rows) if rows else 0
            for row in rows[shift:] + rows[:shift]:

                def measure(one: Contestant, samples: list[float] = row.samples) -> None:
                    samples += one.measure(effort)

                self._attempt(row, measure, f"round {number + 1} of {effort.rounds}: {row.contestant.name}", watch)
        return Standings(self, rows)

    def _attempt(self, row: Row, step: Callable[[Contestant], None], doing: str, watch: Callable[[str], None]) -> None:
        """Do one step of one contestant; one that fails is out, and the race goes on without it."""
        if row.out is not None:
            return
        watch(f"{self.name}: {doing}")
        try:
            step(row.contestant)
        except Exception as error:  # noqa: BLE001 - peers may raise whatever they like
            row.out = f"{type(error).__name__}: {error}"
