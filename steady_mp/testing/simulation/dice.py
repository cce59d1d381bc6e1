"""Dice: everything that a seed decides about one simulated run."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from steady_mp.testing.points import FAULT_POINTS

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Share of the steps before which somebody else goes on. Bugs differ in how often they want to be disturbed.
_RESTLESSNESS: Final = (0.0, 0.003, 0.02, 0.1, 0.4)
#: Seconds that a step takes: turns are put off for many steps, or for none.
_TICKS: Final = (1e-8, 1e-7, 1e-6, 2e-5)
#: Seconds between a death and the next life.
_PAUSES: Final = (0.0, 1e-4, 0.02)
_MOST_STEPS_TO_A_CRASH: Final = 20_000
_MOST_HITS: Final = 40

#: Where a `Crash` may strike, beside the fault points: before the step of that number.
STEP: Final = "step"


@dataclass(frozen=True, slots=True)
class Crash:
    """A kill: when `actor` reaches fault point `point` for the `hit`-th time, all its lives counted.

    With the point ``"step"`` it strikes before step `hit` of that actor, or, where `actor` is empty, before
    step `hit` of the whole run, whoever is about to take it.
    """

    actor: str
    point: str
    hit: int = 1


@dataclass(frozen=True, slots=True)
class Switch:
    """Before step `step` somebody else goes on: number `choice` of those who can. `number` counts them in a run."""

    number: int
    step: int
    choice: int


class Dice:
    """The decisions of one seed. The same seed throws the same, whatever the run makes of it."""

    def __init__(self, seed: int, names: list[str], crashes: int) -> None:
        """Throw for a graph with actors `names` and so many crashes."""
        dice = random.Random(seed)  # noqa: S311 - for repeating it, not for secrecy
        self.late_stores = dice.choice((True, False))
        self.restlessness = dice.choice(_RESTLESSNESS)
        self.tick = dice.choice(_TICKS)
        self.pause = dice.choice(_PAUSES)
        self.in_turn = dice.choice((True, False))
        self.crashes = _different(dice, names, crashes)
        self._seed = seed
        self._order = random.Random(seed ^ 0x5EED)  # noqa: S311

    def switches(self) -> Iterator[Switch]:
        """Go through the switches in order."""
        if not self.restlessness:
            return
        dice = random.Random(self._seed ^ 0x0DD)  # noqa: S311
        scale = math.log1p(-self.restlessness)
        step = number = 0
        while True:
            step += 1 + int(math.log(1.0 - dice.random()) / scale)
            yield Switch(number, step, dice.getrandbits(16))
            number += 1

    def pick(self, count: int) -> int:
        """Pick who goes on where all who can are as good; 0 is the next in turn."""
        return 0 if self.in_turn or count == 1 else self._order.randrange(count)


def _different(dice: random.Random, names: list[str], count: int) -> list[Crash]:
    """Throw so many crashes; one that is thrown twice would strike once."""
    thrown: dict[Crash, None] = {}
    while len(thrown) < count:
        thrown[_crash(dice, names)] = None
    return list(thrown)


def _crash(dice: random.Random, names: list[str]) -> Crash:
    """Throw a crash: at any step, or at a fault point; small numbers are more likely."""
    if dice.choice((True, False)):
        return Crash("", STEP, int(math.exp(dice.uniform(0.0, math.log(_MOST_STEPS_TO_A_CRASH)))))
    point = dice.choice(FAULT_POINTS)
    once = point.startswith(("start:", "recover:"))
    hit = 1 if once else int(math.exp(dice.uniform(0.0, math.log(_MOST_HITS))))
    return Crash(dice.choice(names), point, hit)
