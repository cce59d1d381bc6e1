"""Calls: actor frameworks, which answer calls, beside a channel and a queue, which carry messages.

A call returns something, a message does not: they are not the same work, and who has to choose compares
them all the same. Small counts, and few rounds, because starting Ray takes seconds.
"""

from __future__ import annotations

import functools
import importlib.util
import statistics
from typing import TYPE_CHECKING, Any, Final

from benchmarks.calls import Called, ray_calls, xoscar_calls
from benchmarks.experiments.ping_pong import PeerTrips, SteadyTrips
from benchmarks.experiments.throughput import peer_loops, plain, sum_up_to
from benchmarks.figures import FEW, MICROSECONDS
from benchmarks.pair import run_alone
from benchmarks.peers.mp_queue import NAME as BASELINE
from benchmarks.peers.mp_queue import peers as queues
from benchmarks.race import Contestant, Race
from benchmarks.standings import Question, Sample
from benchmarks.stream import PeerStream, SteadyStream, object_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.experiment import Effort, Experiment

_CAPACITY: Final = 1024
_TRIP: Final = "round trip"
#: Round trips of a round.
_TRIPS: Final = 200
#: Seconds that starting, asking and ending a framework may take.
_PATIENCE: Final = 120.0


def absent(module: str) -> str | None:
    """Tell why a framework can't run here; None when it can."""
    found = importlib.util.find_spec(module) is not None
    return None if found else f"{module} is not installed (pip install '.[bench-all]')"


class _Framework(Contestant):
    """Calls of one actor."""

    def __init__(self, name: str, module: str, call: Callable[..., Called]) -> None:
        self.name = name
        self.note = f"one actor in another process, at most {_CAPACITY:,} calls on the way"
        self._module = module
        self._call = call
        self._rounds = 0

    def missing(self) -> str | None:
        """See `Contestant.missing`."""
        return absent(self._module)

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`. Takes part in a few rounds only."""
        self._rounds += 1
        if self._rounds > effort.few_rounds:
            return []
        work = functools.partial(self._call, effort.calls, _TRIPS, _CAPACITY)
        called: Called = run_alone(work, _PATIENCE)
        if called.checksum != sum_up_to(effort.calls):
            message = f"the calls add up to {called.checksum} instead of {sum_up_to(effort.calls)}"
            raise ValueError(message)
        trip = statistics.median(called.trips) / 1e9
        return [Sample(effort.calls * 1e9 / called.nanoseconds, {_TRIP: trip})]


class _Steady(SteadyStream):
    """Our plainest stream, and a round trip."""

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        trips = SteadyTrips(0.0).play(_TRIPS, effort.patience)
        return _with_trip(super().measure(effort), trips)


class _Queue(PeerStream):
    """A queue, and a round trip over two."""

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        trips = PeerTrips(queues()[0], 0.0).play(_TRIPS, effort.patience)
        return _with_trip(super().measure(effort), trips)


def _with_trip(samples: list[Sample], trips: list[int]) -> list[Sample]:
    trip: dict[str, Any] = {_TRIP: statistics.median(trips) / 1e9}
    return [Sample(one.value, trip) for one in samples]


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    return [
        Race(
            Question(
                name="calls",
                title="ints one at a time to an actor, and a round trip",
                unit=FEW,
                baseline=BASELINE,
                extras={_TRIP: MICROSECONDS},
            ),
            [
                _Steady(plain(_CAPACITY), sum_up_to),
                _Queue(queues()[0], object_link(_CAPACITY), peer_loops()),
                _Framework("Ray actor calls", "ray", ray_calls),
                _Framework("xoscar actor calls", "xoscar", xoscar_calls),
            ],
        )
    ]
