"""The command: ``python -m benchmarks``."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import bars, machine
from benchmarks.calls import FRAMEWORKS
from benchmarks.experiment import Effort, Experiment, Outcome, discover, preload
from benchmarks.grid import grid, verdict_grid
from benchmarks.peer import peers

_ROUNDS = 5
_QUICK_ROUNDS = 3
_WIDTH = 120


def main(  # noqa: PLR0913 - each is an option
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Few and short rounds: to see that it runs.")] = False,
    rounds: Annotated[int | None, typer.Option(min=1, help="Alternating rounds (5, or 3 with --quick).")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Experiments whose name contains this; repeatable.")] = None,
    among: Annotated[list[str] | None, typer.Option(help="Contestants whose name contains this; repeatable.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write everything to this file.")] = None,
    charts: Annotated[Path | None, typer.Option(help="Draw the charts into this folder.")] = None,
) -> None:
    """Measure our channels and restarts beside their peers, in one run."""
    chosen = _choose(discover(), only)
    preload()
    effort = Effort.quick(rounds or _QUICK_ROUNDS) if quick else Effort(rounds=rounds or _ROUNDS)
    console = _console()
    facts = machine.facts()
    console.print(f"{facts['processor']}, {facts['cores']} cores, {facts['system']}, {facts['python']}", style="dim")
    warnings = machine.doubts(facts)
    theft = machine.Theft()
    if quick:
        warnings.append("--quick: these figures are not worth quoting")
    outcomes: list[Outcome] = []
    data: dict[str, Any] = {}
    began = time.monotonic()
    for number, experiment in enumerate(chosen):
        outcome = _run(experiment, effort, among, f"{number + 1}/{len(chosen)}")
        outcomes.append(outcome)
        console.print(grid(outcome.data, bars.judge([outcome.data])).rich(), "")
        warnings += outcome.warnings
        data = _data(facts, effort, outcomes, warnings + theft.doubts())
        if json_file is not None:  # after each one: a run that is cut short has measured something too
            _write(data, json_file)
    if data["bars"]:
        console.print(verdict_grid(data["bars"]).rich())
    for warning in data["warnings"]:
        console.print(f"! {warning}", style="yellow", markup=False, highlight=False)
    console.print(f"{len(chosen)} experiments in {time.monotonic() - began:.0f} s", style="dim")
    if charts is not None:
        from benchmarks.charts import draw  # noqa: PLC0415 - the only thing here that needs matplotlib

        for path in draw(data, charts):
            print(f"drawn: {path}")


def _console() -> Console:
    """Return one that is wide enough for the tables, also where there is no terminal to ask."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


def _write(data: dict[str, Any], json_file: Path) -> None:
    json_file.parent.mkdir(parents=True, exist_ok=True)
    json_file.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _choose(experiments: list[Experiment], only: list[str] | None) -> list[Experiment]:
    if not only:
        return experiments
    chosen = [one for one in experiments if any(part in one.name for part in only)]
    if not chosen:
        names = ", ".join(one.name for one in experiments)
        message = f"no experiment is called {' or '.join(only)}; there are {names}"
        raise typer.BadParameter(message, param_hint="--only")
    return chosen


def _run(experiment: Experiment, effort: Effort, among: list[str] | None, number: str) -> Outcome:
    with Console(stderr=True).status(experiment.name) as status:

        def watch(doing: str, show: Callable[[str], None] = status.update) -> None:
            show(f"{number} {doing}")

        return experiment.run(effort, lambda name: not among or any(part in name for part in among), watch)


def _data(facts: dict[str, Any], effort: Effort, outcomes: list[Outcome], warnings: list[str]) -> dict[str, Any]:
    packages = [peer.package for peer in peers() if peer.package is not None]
    experiments = [outcome.data for outcome in outcomes]
    return {
        "schema": 1,
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": facts,
        "versions": machine.versions(["steady-mp", *packages, "numpy", *FRAMEWORKS]),
        "rounds": effort.rounds,
        "experiments": experiments,
        "bars": [verdict.data() for verdict in bars.judge(experiments)],
        "warnings": warnings,
    }


if __name__ == "__main__":
    typer.run(main)
