"""``python -m tests.mutants.hunt``: let the simulation hunt the mutants, and show after how many seeds it has each."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from actors import Args, build_graph
from steady_mp.testing.simulation.outcome import Outcome, SimulationFailed
from steady_mp.testing.simulation.simulate import simulate
from tests.mutants.mutants import MUTANTS
from tests.support import anything, brief, paced, parcels, posted

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Graph
    from tests.mutants.mutants import Mutant

SEEDS = 1000
_MESSAGES = 60
GRAPHS = 32
#: Which of the graphs have dead letters.
POSTED = (5, 21)
_STEPS = 60_000
_PARCELS = 150
_BURSTS = 400
#: The first seed that shows each fault that takes long to find. It is tried first, and then all from 0 on: where the
#: code has moved on, another seed has to do, and takes its time.
SHOWN_BY = {
    "padding takes no room": 141,
    "what was put off is never given up": 556,
    "a wait inside of a turn forgets what was put off before it": 556,
    "publish before the journal": 250,
    "a threshold that is passed already": 594,
    "the head is published too early": 98,
    "publish before the commit": 124,
    "the head of a lane is published too early": 192,
    "the tail is read before the closing": 75,
    "closed before the last message": 71,
}
_RING = 1 << 13
#: What an actor dies of whose code does not fit together.
_BLUNDERS = ("KeyError", "NameError", "UnboundLocalError", "AttributeError", "TypeError")


def prey(number: int) -> Callable[[Graph], None]:
    """Return what declares one of the graphs of actors that do anything, the pipeline, or short lives."""

    def build(graph: Graph) -> None:
        if number % 4 == 3:
            brief.fill(graph)
        elif number % 8 == 2:
            brief.fill_bulk(graph, _MESSAGES)
        elif number % 8 == 4:
            brief.fill_bursts(graph, _BURSTS)
        elif number % 16 == 6:
            paced.fill(graph)
        elif number % 16 == 14:
            anything.fill(graph, number, _MESSAGES, paced=True)
        elif number % 16 == 13:
            parcels.declare(graph, _PARCELS, capacity=64, ring_bytes=_RING)
        elif number % 16 == 1:
            build_graph(graph, Args(rate=1, beats=2))
        else:
            anything.fill(graph, number, _MESSAGES)

    return build


def exact(outcome: Outcome) -> None:
    if "carrier" in outcome.states:
        paced.check(outcome)
    elif "asker" in outcome.states:
        assert [outcome.states[f"listener {n}"].said for n in range(brief.PAIRS)] == [[0, 1]] * brief.PAIRS
    elif "burster" in outcome.states:
        assert outcome.states["listener"].said == list(range(_BURSTS))
    elif "taker" in outcome.states:
        assert outcome.states["taker"].said == [100 + number * 761 % 1900 for number in range(_MESSAGES)]
    elif "middle" in outcome.states:
        assert not parcels.faults(outcome.states, _PARCELS, ring_bytes=_RING)
    elif "generator" in outcome.states:
        assert outcome.states["worker"].messages == outcome.sent("worker→logger") == outcome.sent("generator→worker")
    else:
        wrong = anything.faults(outcome.states, _MESSAGES)
        assert not wrong, wrong


def run(seed: int, *, calm: bool = False) -> Outcome:
    """Simulate one of the graphs with few or many crashes, or one whose messages are put aside and replayed.

    Some faults show only where a crash hits one step of a commit; others, lost wake-ups, are mended by each crash.
    A `calm` run has no crashes.
    """
    if seed % GRAPHS in POSTED:
        office, crashes = posted.Office(seed), 0 if calm else 15
        with posted.opened(office):
            return simulate(
                posted.build, seed=seed, crashes=crashes, check=office.check, max_steps=_STEPS, shrink=False
            )
    bursts = seed % 8 == 4  # whose turns are torn where a crash comes right behind an early commit
    crashes = 0 if calm else 20 if bursts else (2, 8)[seed // GRAPHS % 2]
    return simulate(prey(seed % GRAPHS), seed=seed, crashes=crashes, check=exact, max_steps=_STEPS, shrink=False)


def hunt(mutant: Mutant, seeds: int = SEEDS) -> tuple[int, SimulationFailed] | None:
    """Return the first seed by which a mutant shows, and how; None when none does."""
    with mutant.alive():
        for seed in (*([SHOWN_BY[mutant.title]] if mutant.title in SHOWN_BY else []), *range(seeds)):
            try:
                run(seed)
            except SimulationFailed as failure:
                return seed, failure
    return None


def blunders(mutant: Mutant, seed: int) -> list[str]:
    """Return what the actors of a mutant have died of in a calm run, where it is the mutant that no longer fits.

    Such a mutant breaks every commit, whatever it stands for, and is found for that. (A fault of the protocol may
    bring an actor to any error too, but behind a crash.)
    """
    with mutant.alive():
        try:
            lines = list(run(seed, calm=True).trace)
        except SimulationFailed as failure:
            lines = list(failure.trace or ())
    return [line for line in lines if any(f"  died: {name}" in line for name in _BLUNDERS)]


def main(words: list[str]) -> int:
    """Hunt the mutants whose title contains one of `words`, or all."""
    console = Console(highlight=False, soft_wrap=True)
    hunted = [mutant for mutant in MUTANTS if not words or any(word in mutant.title for word in words)]
    missed = 0
    for mutant in hunted:
        began = time.monotonic()
        found = hunt(mutant)
        seconds = f"{time.monotonic() - began:5.1f} s"
        if found is None:
            missed += 1
            console.print(f"[bold red]    none[/] {seconds}  {mutant.title}")
        else:
            shows = escape(found[1].text.splitlines()[0][:100])
            console.print(f"seed {found[0]:>3} {seconds}  {mutant.title}: [dim]{found[1].kind}, {shows}[/]")
    console.print(f"{len(hunted) - missed} of {len(hunted)} mutants found, within {SEEDS} seeds each")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
