"""Document: writes the tables of README and docs from the JSON of a run, so that no number there drifts.

``python -m benchmarks.document`` (or ``make figures``) replaces what stands between a line
``<!-- figures: NAME -->`` and the next ``<!-- /figures -->``, and draws the charts again. NAME is an
experiment, or one of `machine` (where the figures come from, and what makes them doubtful), `bars` (all
verdicts), `throughput`, `duel` and `place` (short, for the README).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from benchmarks.bars import judge
from benchmarks.grid import Grid, grid, verdict_grid

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parents[1]
DATA: Final = ROOT / "docs" / "performance.json"
CHARTS: Final = ROOT / "docs" / "images"
PAGES: Final = (ROOT / "README.md", ROOT / "docs" / "performance.md")

_BLOCK: Final = re.compile(r"(<!-- figures: (?P<name>[\w.-]+) -->\n).*?(<!-- /figures -->)", re.DOTALL)
_NOTHING: Final = "(not measured in this run)"


def refreshed(page: str, data: dict[str, Any]) -> str:
    """Return the text of a page with the tables of this run in it. One that it has not measured says so."""
    return _BLOCK.sub(lambda found: f"{found[1]}{_block(found['name'], data).rstrip()}\n{found[3]}", page)


def _block(name: str, data: dict[str, Any]) -> str:
    if name in _BLOCKS:
        return _BLOCKS[name](data)
    experiment = _experiment(name, data)
    return _NOTHING if experiment is None else grid(experiment, judge(data["experiments"])).markdown()


def _experiment(name: str, data: dict[str, Any]) -> dict[str, Any] | None:
    return next((one for one in data["experiments"] if one["name"] == name), None)


def _machine(data: dict[str, Any]) -> str:
    lines = [_source(data)]
    doubts = _doubts(data)
    if doubts:
        lines += ["", "What makes it doubtful, in its own words:", "", *(f"- {doubt}" for doubt in doubts)]
    return "\n".join(lines)


def _place(data: dict[str, Any]) -> str:
    doubts = _doubts(data)
    care = f"\nRead it with the care that its {len(doubts)} warnings ask for, in docs/performance.md." if doubts else ""
    return _source(data) + care


def _source(data: dict[str, Any]) -> str:
    machine = data["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in data["versions"].items() if number)
    place = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, {machine['python']}"
    return f"One run of {data['rounds']} alternating rounds on {data['taken'][:10]}: {place}; {versions}."


def _doubts(data: dict[str, Any]) -> list[str]:
    return [warning for warning in data["warnings"] if " without " not in warning]


def _bars(data: dict[str, Any]) -> str:
    return verdict_grid([verdict.data() for verdict in judge(data["experiments"])]).markdown()


def _throughput(data: dict[str, Any]) -> str:
    experiment = _experiment("throughput-1024", data)
    if experiment is None:
        return _NOTHING
    return _only(grid(experiment), {"": "capacity 1,024", "median": "k messages/s", "±": "±", "ratio": "ratio"})


def _duel(data: dict[str, Any]) -> str:
    experiment = _experiment("kill-duel", data)
    return _NOTHING if experiment is None else grid(experiment).markdown(notes=False)


def _only(found: Grid, columns: dict[str, str]) -> str:
    """Return some of the columns, under other names, of the rows that have figures."""
    places = [found.columns.index(name) for name in columns]
    kept = Grid("", "", list(columns.values()))
    for number, row in enumerate(found.rows):
        if len(row) > 2:  # noqa: PLR2004 - a row that is out has its name and one word
            if number in found.bold:
                kept.bold.add(len(kept.rows))
            kept.rows.append([row[place] for place in places])
    return kept.markdown()


_BLOCKS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "machine": _machine,
    "place": _place,
    "bars": _bars,
    "throughput": _throughput,
    "duel": _duel,
}


def main(
    json_file: Annotated[Path, typer.Option("--json", help="What `make bench` has written.")] = DATA,
    *,
    charts: Annotated[bool, typer.Option(help="Draw the charts as well (needs matplotlib).")] = True,
) -> None:
    """Write the tables of README and docs, and the charts, from the JSON of a run."""
    try:
        data = json.loads(json_file.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{json_file} can't be read ({error.strerror}): `make bench` writes it"
        raise typer.BadParameter(message, param_hint="--json") from None
    for page in PAGES:
        page.write_text(refreshed(page.read_text(encoding="utf-8"), data), encoding="utf-8")
        print(f"written: {page.relative_to(ROOT)}")
    if charts:
        from benchmarks.charts import draw  # noqa: PLC0415 - the only thing here that needs matplotlib

        for path in draw(data, CHARTS):
            print(f"drawn: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    typer.run(main)
