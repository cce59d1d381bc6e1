"""Durable: the same stream in a durable folder instead of shared memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.experiments.throughput import plain, sum_up_to
from benchmarks.figures import RATE
from benchmarks.race import Race
from benchmarks.standings import Question
from benchmarks.steady import run_graph
from benchmarks.stream import EXTRAS, SteadyStream, Streamed, streamed

if TYPE_CHECKING:
    from benchmarks.experiment import Experiment

_CAPACITY: Final = 1024
_MEMORY: Final = "steady-mp, shared memory"


class _InMemory(SteadyStream):
    """Our plainest stream."""

    def __init__(self) -> None:
        super().__init__(plain(_CAPACITY), sum_up_to)
        self.name = _MEMORY
        self.note = "the run directory in /dev/shm"


class _InFolder(_InMemory):
    """The same, kept in a folder."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "steady-mp, durable folder"
        self.note = "the run directory in the temporary folder"

    def stream(self, count: int, patience: float) -> Streamed:
        """See `Stream.stream`."""
        with tempfile.TemporaryDirectory(prefix="steady-mp-bench-") as folder:
            return streamed(run_graph(self.graph(count), patience, durable=Path(folder) / "run"))


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    title = f"ints one at a time, capacity {_CAPACITY:,}"
    question = Question(name="durable", title=title, unit=RATE, baseline=_MEMORY, extras=EXTRAS)
    return [Race(question, [_InMemory(), _InFolder()])]
