"""The performant pipeline: numbers through three actors on lanes, beside the same numpy work without any channel.

Ours is `actors.performant` as it stands, counted from outside while it runs. The work of its actors is done
here in one process, half a channel at a time, on one core: numbers are filled in, turned into FizzBuzz
codes, and each kind is counted. Two cores can do twice as much, so more than that is no wonder.
"""

from __future__ import annotations

import functools
import importlib.util
import time
from typing import TYPE_CHECKING, Final

from benchmarks.figures import MANY
from benchmarks.flow import flow
from benchmarks.kinds import NO_PERFORMANT
from benchmarks.pair import run_alone
from benchmarks.race import Contestant, Race
from benchmarks.standings import Question, Sample

if TYPE_CHECKING:
    from benchmarks.experiment import Effort, Experiment

_BASELINE: Final = "numpy, one process"
#: Half of a channel of 2²⁰ slots.
_CHUNK: Final = 1 << 19
#: How much longer a round lasts than one of a race of peers.
_LONGER: Final = 2
#: The code of each remainder of a division by 15: FizzBuzz, Fizz, Buzz, or the number itself.
_CODES: Final = (0, 3, 3, 1, 3, 2, 1, 3, 3, 1, 2, 3, 1, 3, 3)


def alone(seconds: float) -> float:
    """Do the work of all actors for so long; return messages a second."""
    import numpy as np  # noqa: PLC0415 - the bench extra may be absent

    base = np.arange(_CHUNK, dtype=np.uint64)
    codes_of = np.array(_CODES, dtype=np.uint64)
    numbers, codes = np.empty_like(base), np.empty_like(base)
    counts = np.zeros(4, dtype=np.int64)
    done = 0
    begin = time.perf_counter()
    while (now := time.perf_counter()) < begin + seconds:
        np.add(base, np.uint64(done), out=numbers)
        np.remainder(numbers, np.uint64(15), out=codes)
        np.take(codes_of, codes, out=codes)
        counts += np.bincount(codes.view(np.int64), minlength=4)
        done += _CHUNK
    if counts.sum() != done:
        message = f"{counts.sum()} of {done} numbers were counted"
        raise ValueError(message)
    return done / (now - begin)


class _Alone(Contestant):
    name = _BASELINE
    note = "fill, remainder, table, count; one core"

    def missing(self) -> str | None:
        """See `Contestant.missing`."""
        found = importlib.util.find_spec("numpy") is not None
        return None if found else "numpy is not installed (pip install '.[bench]')"

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        return [Sample(run_alone(functools.partial(alone, effort.seconds * _LONGER), effort.patience))]


class _Steady(Contestant):
    name = "steady-mp"
    note = "actors.performant: three actors and a heartbeat, lanes of 2²⁰ slots, committed"
    ours = True

    def missing(self) -> str | None:
        """See `Contestant.missing`."""
        return NO_PERFORMANT

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        return [Sample(flow("actors.performant", effort.seconds * _LONGER, effort.patience))]


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    question = Question(
        name="performant",
        title="numbers through three actors in a row, each kind of FizzBuzz counted",
        unit=MANY,
        baseline=_BASELINE,
    )
    return [Race(question, [_Steady(), _Alone()])]
