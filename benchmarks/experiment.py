"""Experiment and Outcome: what `python -m benchmarks` runs, and what it prints and writes."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.pair import CONTEXT
from steady_mp.parking import SAFETY

if TYPE_CHECKING:
    from collections.abc import Callable


#: The modules that run first, in this order; the others follow by name.
_ORDER: Final = (
    *("throughput", "objects", "slices", "payloads", "performant"),
    *("ping_pong", "restart", "kill_duel", "idle", "steps"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much to measure."""

    #: Alternating rounds; each gives every contestant at least one sample.
    rounds: int = 5
    #: Seconds that a round of a stream of messages should last.
    seconds: float = 0.5
    #: Round trips in one round.
    trips: int = 1000
    #: Kills in all rounds together.
    kills: int = 25
    #: Runs of the kill duel for each contestant.
    duels: int = 10
    #: Calls of an actor framework in a round, the rounds it takes part in, and the kills in the first of them.
    calls: int = 3000
    few_rounds: int = 3
    few_kills: int = 5
    #: Actors that do nothing, and the seconds for which they are watched: whole ones of their safety time-outs.
    idlers: int = 100
    watched: float = 2 * SAFETY
    #: Seconds after which a contestant counts as hung.
    patience: float = 30.0

    @classmethod
    def quick(cls, rounds: int) -> Effort:
        """Return just enough to see whether everything runs; the figures are not worth quoting."""
        return cls(
            rounds=rounds, seconds=0.15, trips=200, kills=6, duels=2, idlers=10, watched=1.0, calls=500, few_kills=2
        )

    @property
    def kills_a_round(self) -> int:
        """Kills in one round."""
        return -(-self.kills // self.rounds)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an experiment found: plain data, with every sample, and why to read it with care."""

    data: dict[str, Any]
    warnings: list[str]


class Experiment(ABC):
    """One question, put to several contestants in the same run."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Short and unique: what ``--only`` selects."""

    @abstractmethod
    def run(self, effort: Effort, among: Callable[[str], bool], watch: Callable[[str], None]) -> Outcome:
        """Measure the contestants whose name is `among` those asked for, telling `watch` what is at work."""


def discover() -> list[Experiment]:
    """Return what the modules of `benchmarks.experiments` offer."""
    found: list[Experiment] = []
    for name in _modules():
        found += importlib.import_module(name).experiments()
    return found


def preload() -> None:
    """Have the peers' processes start without importing anything."""
    CONTEXT.set_forkserver_preload([*_modules(), "benchmarks.victims"])


def _modules() -> list[str]:
    package = importlib.import_module("benchmarks.experiments")
    names = sorted((module.name for module in pkgutil.iter_modules(package.__path__)), key=_place)
    return [f"{package.__name__}.{name}" for name in names]


def _place(name: str) -> tuple[int, str]:
    return (_ORDER.index(name), "") if name in _ORDER else (len(_ORDER), name)
