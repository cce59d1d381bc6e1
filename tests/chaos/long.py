"""``python -m tests.chaos.long --kills 10000``: as the test of random kills, for as long as you like (`make soak`)."""

from __future__ import annotations

import argparse
import random
import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.support import chaos

if TYPE_CHECKING:
    from tests.support.runs import Outcome

#: Messages between two kills, on average.
_PER_KILL = 300
#: Seconds that a kill may take at most, with its share of the messages.
_PATIENCE = 3.0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.long", description="Kill actors; nobody can tell.")
    parser.add_argument("--kills", type=int, default=10_000, help="SIGKILLs in all (default: %(default)s)")
    parser.add_argument("--messages", type=int, help=f"at least so many messages (default: {_PER_KILL} for each kill)")
    parser.add_argument("--seed", type=int, help="repeat the dice of another run (default: a fresh one)")
    return parser.parse_args(arguments)


def _kill(options: argparse.Namespace, bars: Progress) -> tuple[chaos.Chaos, Outcome]:
    kills = bars.add_task("kills", total=options.kills)
    messages = bars.add_task("messages", total=options.messages)

    def tell(deaths: int, sent: int) -> None:
        bars.update(kills, completed=deaths)
        bars.update(messages, completed=sent)

    run = chaos.Chaos(kills=options.kills, messages=options.messages, seed=options.seed, tell=tell)
    return run, run.run(seconds=60.0 + _PATIENCE * options.kills)


def _check(outcome: Outcome, bars: Progress) -> list[str]:
    total = outcome.actor("source").state["count"]
    checked = bars.add_task("checked", total=total)
    wrong = chaos.faults(outcome, lambda count: chaos.checksum(count, lambda at: bars.update(checked, completed=at)))
    bars.update(checked, completed=total)
    return wrong


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    options.seed = random.randrange(1 << 32) if options.seed is None else options.seed
    options.messages = options.messages or options.kills * _PER_KILL
    console = Console(highlight=False)
    console.print(f"seed {options.seed}: source → middle → sink, {options.kills} kills, {options.messages} messages")
    columns = (TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn())
    started = time.monotonic()
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as bars:
        run, outcome = _kill(options, bars)
        wrong = _check(outcome, bars)
    for actor in outcome.report.actors:
        state = actor.state
        console.print(
            f"{actor.name:>9}: {len(actor.deaths)} deaths, {state['count']} messages, {state['checksum']:#010x}"
        )
    console.print(f"fullest channel: {run.fullest} of {chaos.CAPACITY} messages; {time.monotonic() - started:.0f} s")
    for fault in wrong:
        console.print(f"[bold red]wrong:[/] {fault}")
    if not wrong:
        console.print(
            "[bold green]exact:[/] each message once, in order, in each state; nobody needed the safety time-out"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
