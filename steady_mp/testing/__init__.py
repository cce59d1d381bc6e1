"""Testing actors: public API, used by nothing in the runtime.

`Bench` runs one actor without any process, on the real turn, journal and recovery.
"""

from steady_mp.testing.bench import Bench, BenchInput, BenchOutput
from steady_mp.testing.clock import ManualClock

__all__ = ["Bench", "BenchInput", "BenchOutput", "ManualClock"]
