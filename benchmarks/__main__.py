"""The command: ``python -m benchmarks``."""

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import machine
from benchmarks.experiment import Effort, Experiment, Outcome, discover
from benchmarks.peer import peers

_ROUNDS = 5
_QUICK_ROUNDS = 3


def main(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Few and short rounds: to see that it runs.")] = False,
    rounds: Annotated[int | None, typer.Option(min=1, help="Alternating rounds (5, or 3 with --quick).")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Experiments whose name contains this; repeatable.")] = None,
    among: Annotated[list[str] | None, typer.Option(help="Contestants whose name contains this; repeatable.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write everything to this file.")] = None,
) -> None:
    """Measure our channels and restarts beside their peers, in one run."""
    chosen = _choose(discover(), only)
    effort = Effort.quick(rounds or _QUICK_ROUNDS) if quick else Effort(rounds=rounds or _ROUNDS)
    console = Console()
    facts = machine.facts()
    console.print(f"{facts['processor']}, {facts['cores']} cores, {facts['system']}, {facts['python']}", style="dim")
    warnings = machine.doubts(facts)
    theft = machine.Theft()
    if quick:
        warnings.append("--quick: these figures are not worth quoting")
    outcomes = []
    for experiment in chosen:
        outcome = _run(experiment, effort, among)
        outcomes.append(outcome)
        console.print(outcome.table(), "")
        warnings += outcome.warnings()
    warnings += theft.doubts()
    for warning in warnings:
        console.print(f"! {warning}", style="yellow", markup=False, highlight=False)
    if json_file is not None:
        json_file.write_text(json.dumps(_data(facts, effort, outcomes, warnings), indent=2) + "\n", encoding="utf-8")


def _choose(experiments: list[Experiment], only: list[str] | None) -> list[Experiment]:
    if not only:
        return experiments
    chosen = [one for one in experiments if any(part in one.name for part in only)]
    if not chosen:
        names = ", ".join(one.name for one in experiments)
        message = f"no experiment is called {' or '.join(only)}; there are {names}"
        raise typer.BadParameter(message, param_hint="--only")
    return chosen


def _run(experiment: Experiment, effort: Effort, among: list[str] | None) -> Outcome:
    with Console(stderr=True).status(experiment.name) as status:
        return experiment.run(effort, lambda name: not among or any(part in name for part in among), status.update)


def _data(facts: dict[str, Any], effort: Effort, outcomes: list[Outcome], warnings: list[str]) -> dict[str, Any]:
    versions = {peer.package: peer.version() for peer in peers() if peer.package is not None}
    return {
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": facts,
        "versions": {"steady-mp": version("steady-mp"), **versions},
        "rounds": effort.rounds,
        "experiments": [outcome.data() for outcome in outcomes],
        "warnings": warnings,
    }


if __name__ == "__main__":
    typer.run(main)
