"""Simulation: a whole graph in one process, under a seeded scheduler and a virtual clock."""

from steady_mp.testing.simulation.dice import Crash
from steady_mp.testing.simulation.outcome import Outcome, SimulationFailed
from steady_mp.testing.simulation.simulate import Exploration, crash_points, explore, simulate

__all__ = [
    "Crash",
    "Exploration",
    "Outcome",
    "SimulationFailed",
    "crash_points",
    "explore",
    "simulate",
]
