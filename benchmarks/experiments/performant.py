"""The performant pipeline: numbers through three actors on lanes, beside the same numpy work without any channel.

Ours is `actors.performant` as it stands, counted from outside while it runs. In one process the same functions
work on two arrays, half a channel at a time, on one core: numbers are filled in, turned into FizzBuzz codes,
and each kind is counted. Two cores can do twice as much, so more than that is no wonder.
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


def alone(seconds: float) -> float:
    """Do the work of all actors for so long; return messages a second."""
    import numpy as np  # noqa: PLC0415 - the bench extra may be absent

    from actors.logger import LoggerState  # noqa: PLC0415 - they need numpy
    from actors.performant.codes import encode  # noqa: PLC0415
    from actors.performant.generator import fill  # noqa: PLC0415
    from actors.performant.logger import add  # noqa: PLC0415
    from actors.proof import totals  # noqa: PLC0415

    numbers, codes = np.empty(_CHUNK, np.uint64), np.empty(_CHUNK, np.uint8)
    counted = LoggerState()
    done = 0
    begin = time.perf_counter()
    while (now := time.perf_counter()) < begin + seconds:
        fill(numbers, done)
        encode(numbers, codes)
        add(counted, codes)
        done += _CHUNK
    if counted != totals(done):
        message = f"of {done} numbers were counted {counted}"
        raise ValueError(message)
    return done / (now - begin)


class _Alone(Contestant):
    name = _BASELINE
    note = "the actors' own functions, half a lane at a time, between two arrays; one core"

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
