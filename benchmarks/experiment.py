"""Experiment and Outcome: what `python -m benchmarks` runs, and what it prints and writes."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.pair import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType


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
    #: Seconds after which a contestant counts as hung.
    patience: float = 30.0

    @classmethod
    def quick(cls, rounds: int) -> Effort:
        """Return just enough to see whether everything runs; the figures are not worth quoting."""
        return cls(rounds=rounds, seconds=0.15, trips=200, kills=6)

    @property
    def kills_a_round(self) -> int:
        """Kills in one round."""
        return -(-self.kills // self.rounds)


class Outcome(ABC):
    """What an experiment found."""

    @abstractmethod
    def table(self) -> RenderableType:
        """Return it for people."""

    @abstractmethod
    def data(self) -> dict[str, Any]:
        """Return it as plain data, with every sample."""

    @abstractmethod
    def warnings(self) -> list[str]:
        """Return why it should be read with care; nothing when all is well."""


class Experiment(ABC):
    """One question, put to several contestants in the same run."""

    #: Short and unique: what ``--only`` selects.
    name: str

    @abstractmethod
    def run(self, effort: Effort, among: Callable[[str], bool], watch: Callable[[str], None]) -> Outcome:
        """Measure the contestants whose name is `among` those asked for, telling `watch` what is at work."""


def discover() -> list[Experiment]:
    """Return what the modules of `benchmarks.experiments` offer."""
    package = importlib.import_module("benchmarks.experiments")
    found: list[Experiment] = []
    names = [f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)]
    for name in names:
        found += importlib.import_module(name).experiments()
    CONTEXT.set_forkserver_preload(names)  # processes start without importing anything
    return found
