"""Race: one question to all contestants, round after round, so that a busy moment of the machine hits all alike."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.experiment import Effort, Experiment, Outcome
from benchmarks.standings import Question, Row, Sample, standings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Contestant(ABC):
    """One way to do what the race is about."""

    #: As the table names it.
    name: str
    #: What a reader must know to compare it: its bound, its variant.
    note: str = ""
    #: It is what this project makes.
    ours: bool = False
    #: It is nothing that anybody could use: only what there is no way below. No peer, and under no bar.
    floor: bool = False

    def missing(self) -> str | None:
        """Return why it can't run here; None when it can."""
        return None

    def warm_up(self, effort: Effort) -> None:  # noqa: B027 - most need none
        """Get ready; what this measures is thrown away."""

    @abstractmethod
    def measure(self, effort: Effort) -> list[Sample]:
        """Run one round and return its samples.

        Raises whatever goes wrong, a wrong result included: the contestant is out then.
        """


@dataclass(slots=True)
class Race(Experiment):
    """Alternating rounds over some contestants. The order moves on by one each round."""

    question: Question
    contestants: Sequence[Contestant]

    @property
    def name(self) -> str:
        """See `Experiment.name`."""
        return self.question.name

    def run(self, effort: Effort, among: Callable[[str], bool], watch: Callable[[str], None]) -> Outcome:
        """See `Experiment.run`."""
        pairs = [
            (one, Row(one.name, one.note, one.ours, one.floor, out=one.missing()))
            for one in self.contestants
            if among(one.name)
        ]
        for one, row in pairs:
            _attempt(row, functools.partial(one.warm_up, effort), f"{self.name}: {one.name} warms up", watch)
        for number in range(effort.rounds):
            shift = number % len(pairs) if pairs else 0
            for one, row in pairs[shift:] + pairs[:shift]:
                doing = f"{self.name}: round {number + 1} of {effort.rounds}: {one.name}"
                _attempt(row, functools.partial(_measure, one, row, effort), doing, watch)
        return standings(self.question, [row for _, row in pairs])


def _measure(one: Contestant, row: Row, effort: Effort) -> None:
    row.samples += one.measure(effort)


def _attempt(row: Row, step: Callable[[], None], doing: str, watch: Callable[[str], None]) -> None:
    """Do one step of one contestant; one that fails is out, and the race goes on without it."""
    if row.out is not None:
        return
    watch(doing)
    try:
        step()
    except Exception as error:  # noqa: BLE001 - peers may raise whatever they like
        row.out = f"{type(error).__name__}: {error}"


@dataclass(slots=True)
class Series(Experiment):
    """Several figures that one measurement gives at once, round after round."""

    question: Question
    #: The rows, in order, with what a reader must know of each.
    rows: Mapping[str, str]
    #: Runs one round; gives a sample for each row.
    measure: Callable[[Effort], Mapping[str, Sample]]

    @property
    def name(self) -> str:
        """See `Experiment.name`."""
        return self.question.name

    def run(self, effort: Effort, among: Callable[[str], bool], watch: Callable[[str], None]) -> Outcome:
        """See `Experiment.run`."""
        rows = {name: Row(name, note, ours=True) for name, note in self.rows.items()}
        for number in range(effort.rounds):
            watch(f"{self.name}: round {number + 1} of {effort.rounds}")
            try:
                found = self.measure(effort)
            except Exception as error:  # noqa: BLE001 - said in the table, and the other experiments go on
                for row in rows.values():
                    row.out = f"{type(error).__name__}: {error}"
                break
            for name, sample in found.items():
                rows[name].samples.append(sample)
        return standings(self.question, [row for row in rows.values() if among(row.name)])
