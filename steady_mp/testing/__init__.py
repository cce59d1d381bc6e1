"""Testing actors: public API, used by nothing in the runtime. See docs/testing.md for which setting answers what.

`Bench` runs one actor without any process, `simulate` and `explore` a whole graph in this process by a seed,
`GraphUnderTest` and `Stage` the real thing, `unleash` the real thing under kills. `Script` and `perform` are an
actor that misbehaves on order. The conformance suites, which need pytest, are in `steady_mp.testing.conformance`.

Each name is loaded when it is asked for: the fork server of a graph with a played or scripted actor, and every pytest
of a project that has steady-mp installed, load this package for one small module of it.
"""

from typing import TYPE_CHECKING

from steady_mp import homes

if TYPE_CHECKING:
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

_HOMES = {
    "Bench": "bench",
    "BenchInput": "bench",
    "BenchInputBundle": "bench",
    "BenchOutput": "bench",
    "BenchOutputBundle": "bench",
    "Crash": "simulation",
    "Exploration": "simulation",
    "GraphUnderTest": "under_test",
    "ManualClock": "clock",
    "Outcome": "simulation",
    "Script": "scripted",
    "SimulationFailed": "simulation",
    "Stage": "stage",
    "Strikes": "chaos",
    "crash_points": "simulation",
    "explore": "simulation",
    "perform": "scripted",
    "simulate": "simulation",
    "unleash": "chaos",
}

if not TYPE_CHECKING:  # for whom every name above is there
    __getattr__ = homes.loads_from(_HOMES, __name__)
