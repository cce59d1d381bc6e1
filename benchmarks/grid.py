"""Grid: an experiment's data as a table of texts, for the terminal and for the pages of the docs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from benchmarks.bars import Verdict


@dataclass(slots=True)
class Grid:
    """A table of texts: a heading, what its figures mean, columns, rows, and notes on the rows."""

    heading: str
    scale: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    #: The numbers of the rows to be made bold.
    bold: set[int] = field(default_factory=set)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def rich(self) -> RenderableType:
        """Return it for a terminal."""
        table = Table(box=box.SIMPLE_HEAD)
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left", no_wrap=not number)
        for number, row in enumerate(self.rows):
            table.add_row(*map(Text, row), style="bold" if number in self.bold else None)
        notes = "\n".join(f"  {name}: {note}" for name, note in self.notes)
        return Group(Text(self.heading, style="bold"), Text(self.scale), table, Text(notes, style="dim"))

    def markdown(self, *, notes: bool = True) -> str:
        """Return it for a page, with its scale above it, and its notes below it if they are wanted."""
        lines = [f"| {' | '.join(self.columns)} |", "|---|" + "---:|" * (len(self.columns) - 1)]
        for number, row in enumerate(self.rows):
            cells = [f"**{cell}**" if number in self.bold and cell else cell for cell in row]
            cells += [""] * (len(self.columns) - len(cells))
            lines.append(f"| {' | '.join(cells)} |")
        below = [f"- {name}: {note}" for name, note in self.notes] if notes else []
        return "\n".join([*([self.scale, ""] if self.scale else []), *lines, *(["", *below] if below else [])])


def grid(experiment: dict[str, Any], verdicts: Sequence[Verdict] = ()) -> Grid:
    """Return the table of an experiment, with a column for the verdicts if there are any."""
    mine = [one for one in verdicts if one.bar.experiment == experiment["name"]]
    return _board(experiment) if experiment["kind"] == "board" else _race(experiment, mine)


def _show(unit: dict[str, Any], value: float | None) -> str:
    return "" if value is None else f"{value * unit['factor']:,.{unit['digits']}f}"


def _titled(title: str, unit: dict[str, Any]) -> str:
    return f"{title}, {unit['shown']}" if unit["shown"] else title


def _heading(experiment: dict[str, Any]) -> str:
    return f"{experiment['name']}: {experiment['title']}"


def _race(experiment: dict[str, Any], verdicts: Sequence[Verdict]) -> Grid:
    """Return the table of a race: ± is half of what the middle half of the samples, or ratios, spreads over."""
    unit, extras = experiment["unit"], experiment["extras"]
    better = "more" if unit["more_is_better"] else "less"
    scale = f"{unit['shown']}, {better} is better"
    columns = ["", "median", "least", "most", "±"]
    if experiment["baseline"]:
        scale += f"; ratio to {experiment['baseline']}"
        columns.append("ratio")
    columns += [_titled(title, extras[title]) for title in extras]
    if verdicts:
        columns.append("bar")
    found = Grid(_heading(experiment), scale, columns)
    for number, row in enumerate(experiment["rows"]):
        if row["ours"]:
            found.bold.add(number)
        if note := row.get("out") or row["note"]:
            found.notes.append((row["name"], note))
        if "out" in row:
            found.rows.append([row["name"], "out"])
            continue
        half = (row["quartile_3"] - row["quartile_1"]) / 2 / row["median"] if row["median"] else 0.0
        cells = [row["name"], *(_show(unit, row[key]) for key in ("median", "low", "high")), f"{half:.0%}"]
        if experiment["baseline"]:
            cells.append("" if row["ratio"] is None else _ratio(row))
        cells += [_show(extras[title], row["extras"].get(title)) for title in extras]
        if verdicts:
            cells.append(_bar(row["name"], verdicts))
        found.rows.append(cells)
    return found


def _ratio(row: dict[str, Any]) -> str:
    noise = row.get("ratio_noise")
    return f"{row['ratio']:.2f}" + (f" ± {noise:.1%}" if noise else "")


def _bar(name: str, verdicts: Sequence[Verdict]) -> str:
    mine = [one for one in verdicts if one.bar.row == name]
    words = {one.word for one in mine}
    if len(words) > 1:
        return f"{sum(one.met is True for one in mine)} of {len(mine)} met"
    return words.pop() if words else ""


def _board(experiment: dict[str, Any]) -> Grid:
    columns = experiment["columns"]
    found = Grid(_heading(experiment), experiment["scale"], ["", *(_titled(one["title"], one) for one in columns)])
    for number, row in enumerate(experiment["rows"]):
        if row["ours"]:
            found.bold.add(number)
        if note := row.get("out") or row["note"]:
            found.notes.append((row["name"], note))
        cells = ["out"] if "out" in row else [_show(*pair) for pair in zip(columns, row["cells"], strict=True)]
        found.rows.append([row["name"], *cells])
    return found


def verdict_grid(verdicts: Sequence[dict[str, Any]]) -> Grid:
    """Return the table of all bars, from the data of their verdicts."""
    words = {True: "met", False: "missed", None: "not measured"}
    found = Grid("the bars", "", ["what", "bar", "measured", "verdict"])
    found.rows = [[one["what"], one["bar"], one["measured"], words[one["met"]]] for one in verdicts]
    return found
