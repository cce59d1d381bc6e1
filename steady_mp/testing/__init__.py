"""Testing actors: public API, used by nothing in the runtime. See docs/testing.md for which setting answers what.

`Bench` runs one actor without any process, `simulate` and `explore` a whole graph in this process by a seed.
"""

from steady_mp.testing.bench import Bench, BenchInput, BenchOutput
from steady_mp.testing.clock import ManualClock
from steady_mp.testing.simulation import (
    Crash,
    Exploration,
    Outcome,
    SimulationFailed,
    crash_points,
    explore,
    simulate,
)

__all__ = [
    "Bench",
    "BenchInput",
    "BenchOutput",
    "Crash",
    "Exploration",
    "ManualClock",
    "Outcome",
    "SimulationFailed",
    "crash_points",
    "explore",
    "simulate",
]
