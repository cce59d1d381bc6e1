"""Testing actors: public API, used by nothing in the runtime. See docs/testing.md for which setting answers what.

`Bench` runs one actor without any process, `simulate` and `explore` a whole graph in this process by a seed,
`GraphUnderTest` and `Stage` the real thing, `unleash` the real thing under kills. `Script` and `perform` are an
actor that misbehaves on order. The conformance suites, which need pytest, are in `steady_mp.testing.conformance`.
"""

from steady_mp.testing.bench import Bench, BenchInput, BenchInputBundle, BenchOutput, BenchOutputBundle
from steady_mp.testing.chaos import Strikes, unleash
from steady_mp.testing.clock import ManualClock
from steady_mp.testing.scripted import Script, perform
from steady_mp.testing.simulation import (
    Crash,
    Exploration,
    Outcome,
    SimulationFailed,
    crash_points,
    explore,
    simulate,
)
from steady_mp.testing.stage import Stage
from steady_mp.testing.under_test import GraphUnderTest

__all__ = [
    "Bench",
    "BenchInput",
    "BenchInputBundle",
    "BenchOutput",
    "BenchOutputBundle",
    "Crash",
    "Exploration",
    "GraphUnderTest",
    "ManualClock",
    "Outcome",
    "Script",
    "SimulationFailed",
    "Stage",
    "Strikes",
    "crash_points",
    "explore",
    "perform",
    "simulate",
    "unleash",
]
