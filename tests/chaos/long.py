"""The long siege: `python -m tests.chaos.long --kills 10000`, or `make chaos`."""

from __future__ import annotations

import random
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.support import killing

_PAUSE = 0.015


def main(
    kills: Annotated[int, typer.Option(min=1, help="SIGKILLs.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the kills; printed, so that it can be used again.")] = -1,
) -> None:
    """Kill the actors of a running pipeline at random, and compare what it comes to with a calm run."""
    console = Console()
    seed = seed if seed >= 0 else random.randrange(1 << 32)
    console.print(f"seed {seed}: {kills:,} SIGKILLs at random into source → middle → sink")
    began = time.monotonic()
    columns = (TextColumn("killed"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("", total=kills)

        def show(siege: killing.Siege) -> None:
            progress.update(task, completed=min(siege.kills, kills), description=f"{siege.carried:,} messages arrived")

        siege, report = killing.besiege(rng=random.Random(seed), kills=kills, messages=1, pause=_PAUSE, show=show)
    faults = killing.verdict(siege, report)
    for fault in faults:
        console.print(f"[red]{fault}[/red]")
    each = ", ".join(f"{name} {count:,}" for name, count in siege.deaths.items())
    console.print(f"{siege.kills:,} deaths ({each}) in {time.monotonic() - began:.0f} s")
    taken = report.channels[-1].taken
    if faults:
        console.print(f"[bold red]BROKEN[/bold red]: {taken:,} messages, seed {seed}")
        raise typer.Exit(1)
    console.print(f"[bold green]EXACT[/bold green]: {taken:,} messages, each once and in order, as in a calm run")


if __name__ == "__main__":
    typer.run(main)
