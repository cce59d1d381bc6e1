"""Charts: PNGs from the data of a run. What a run has not measured is not drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

_OURS: Final = "#2b6cb0"
_PEERS: Final = "#b8c0cc"
_FLOORS: Final = "#e8ebf0"
_BAD: Final = ("#9b2c2c", "#dd6b20", "#d69e2e")
_RACES: Final = {
    "performance-throughput.png": (
        "throughput-1024",
        "throughput-64",
        "objects-1024",
        "slices-1000",
        "performant",
        "bytes-1KiB",
        "bytes-1MiB",
    ),
    "performance-latency.png": ("ping-pong", "ping-pong-idle", "restart"),
    "performance-sizes.png": ("size-actors", "size-channels", "size-capacity", "steps"),
}
_DUEL: Final = "performance-kills.png"
#: A row so many times the next one is cut off, and so far behind the others, for their figures.
_DWARFS: Final = 10
_BEHIND: Final = 1.3
_SMALL: Final = 8
_DPI: Final = 110


def draw(data: dict[str, Any], folder: Path) -> list[Path]:
    """Draw the charts of a run into `folder`, and return the files."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - the bench extra may be absent

    folder.mkdir(parents=True, exist_ok=True)
    by_name = {one["name"]: one for one in data["experiments"]}
    drawn = []
    for file, names in _RACES.items():
        races = [by_name[name] for name in names if name in by_name and _rows(by_name[name])]
        if races:
            columns = min(2, len(races))
            lines = -(-len(races) // columns)
            figure = Figure(figsize=(6.4 * columns, 3.4 * lines), layout="constrained")
            for axes in figure.subplots(lines, columns, squeeze=False).flat:
                if races:
                    _race(axes, races.pop(0))
                else:
                    axes.set_axis_off()
            drawn.append(_save(figure, data, folder / file))
    if "kill-duel" in by_name:
        figure = Figure(figsize=(8, 3.6), layout="constrained")
        _duel(figure.subplots(), by_name["kill-duel"])
        drawn.append(_save(figure, data, folder / _DUEL))
    return drawn


def _save(figure: Any, data: dict[str, Any], path: Path) -> Path:  # noqa: ANN401 - matplotlib is asked for late
    machine = data["machine"]
    figure.suptitle(
        f"{machine['processor']}, {machine['cores']} cores, {machine['python']}, {data['taken'][:10]}",
        fontsize=_SMALL,
        color="gray",
    )
    # No date and no version inside: the same data give the same file.
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
    return path


def _rows(race: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in race["rows"] if "median" in row]


def _race(axes: Axes, race: dict[str, Any]) -> None:
    """Draw a bar for each row, the first one on top, with a line from the least to the greatest sample."""
    unit, rows = race["unit"], _rows(race)
    factor = unit["factor"]
    medians = [row["median"] * factor for row in rows]
    away = [
        [(row["median"] - row["low"]) * factor for row in rows],
        [(row["high"] - row["median"]) * factor for row in rows],
    ]
    places = range(len(rows))
    colours = [_OURS if row["ours"] else _FLOORS if row.get("floor") else _PEERS for row in rows]
    axes.barh(places, medians, xerr=away, color=colours, error_kw={"elinewidth": 0.8, "capsize": 2})
    axes.set_yticks(places, [row["name"] for row in rows], fontsize=_SMALL)
    axes.invert_yaxis()
    better = "more" if unit["more_is_better"] else "less"
    axes.set_title(f"{race['name']}: {race['title']}", fontsize=_SMALL + 1, loc="left", wrap=True)
    axes.set_xlabel(f"{unit['shown']} ({better} is better)", fontsize=_SMALL)
    edge = _edge(rows, factor)
    for place, row in zip(places, rows, strict=True):
        text = f" {row['median'] * factor:,.{unit['digits']}f}"
        if row["high"] * factor > edge:  # the number stands in the bar, which goes on
            axes.annotate(f"{text} → ", (edge, place), fontsize=_SMALL - 1, va="center", ha="right")
        else:
            axes.annotate(text, (row["high"] * factor, place), fontsize=_SMALL - 1, va="center")
    axes.margins(x=0.15)
    if edge < math.inf:
        axes.set_xlim(0, edge)
    _bare(axes)


def _edge(rows: list[dict[str, Any]], factor: float) -> float:
    """Return where a chart is cut off, so that one row which dwarfs all others does not hide them; mostly nowhere."""
    *others, most = sorted(rows, key=lambda row: float(row["median"]))
    if not others or most["median"] < _DWARFS * others[-1]["median"]:
        return math.inf
    return _BEHIND * factor * max(float(row["high"]) for row in others)


def _duel(axes: Axes, duel: dict[str, Any]) -> None:
    """Draw for each queue which share of its runs wedged, crashed, or lost something."""
    rows = [row for row in duel["rows"] if "cells" in row]
    titles = [column["title"] for column in duel["columns"]]
    runs = titles.index("runs")
    left = [0.0] * len(rows)
    places = range(len(rows))
    for title, colour in zip(("wedged", "crashed", "runs with loss"), _BAD, strict=True):
        share = [row["cells"][titles.index(title)] / max(1, row["cells"][runs]) * 100 for row in rows]
        axes.barh(places, share, left=left, color=colour, label=title)
        left = [before + more for before, more in zip(left, share, strict=True)]
    axes.set_yticks(places, [row["name"] for row in rows], fontsize=_SMALL)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of the runs (less is better)", fontsize=_SMALL)
    axes.set_title(f"{duel['name']}: {duel['title']}", fontsize=_SMALL + 1, loc="left")
    axes.legend(fontsize=_SMALL, loc="lower right")
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.tick_params(labelsize=_SMALL)
    sides: Sequence[str] = ("top", "right")
    for side in sides:
        axes.spines[side].set_visible(False)
