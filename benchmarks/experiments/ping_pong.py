"""Ping-pong: the median time of a round trip between two processes that sleep while they wait.

Once with the next trip begun at once, so that one process sleeps while the other one works, and once
with a pause of a millisecond before each trip, so that both of them, and often the cores, are asleep.
"""

from __future__ import annotations

import functools
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.figures import MICROSECONDS
from benchmarks.floor import floor
from benchmarks.kinds import spin_then_park
from benchmarks.pair import CONTEXT, run_pair
from benchmarks.peer import Link, Peer, peers
from benchmarks.race import Contestant, Race
from benchmarks.standings import Question, Sample
from benchmarks.steady import run_graph, state_of
from steady_mp import Actor, Graph, Rx, SteadyState, Tx

if TYPE_CHECKING:
    from benchmarks.experiment import Effort, Experiment

_BASELINE = "multiprocessing.Pipe"
_CAPACITY = 64
_PAUSE = 1e-3
#: With the pause a trip takes about ten times as long.
_FEWER = 5
#: The column of the 99th percentile.
_P99 = "p99"


@dataclass
class Trips:
    """The state of either side, which each commit saves."""

    count: int = 0
    #: The nanoseconds of each trip, written down by the side that begins when the last one is made.
    nanoseconds: str = ""


# Peers


def _echo(there: Link, back: Link, trips: int) -> None:
    receive = there.receiver()
    send = back.sender()
    for _ in range(trips):
        send(receive())


def _play(there: Link, back: Link, trips: int, pause: float) -> list[int]:
    send = there.sender()
    receive = back.receiver()
    nanoseconds = []
    for number in range(trips):
        if pause:
            time.sleep(pause)
        begin = time.perf_counter_ns()
        send(number)
        answer = receive()
        nanoseconds.append(time.perf_counter_ns() - begin)
        _check(answer, number)
    return nanoseconds


def _check(answer: object, number: int) -> None:
    if answer != number:
        message = f"ping {number} was answered by {answer!r}"
        raise ValueError(message)


# Ours


def echo(actor: Actor, ping: Rx[int], pong: Tx[int], state: SteadyState[Trips]) -> None:
    """Send back what comes."""
    trip = state.acquire(Trips)
    while actor.is_running():
        pong.send(ping.take())
        trip.count += 1


def play(  # noqa: PLR0913, PLR0917 - two ends, a state and two numbers
    actor: Actor, ping: Tx[int], pong: Rx[int], state: SteadyState[Trips], trips: int, pause: float
) -> None:
    """Send a number and wait until it comes back, so many times."""
    trip = state.acquire(Trips)
    nanoseconds: list[int] = []
    while actor.is_running() and len(nanoseconds) < trips:
        if pause:
            time.sleep(pause)
        number = len(nanoseconds)
        begin = time.perf_counter_ns()
        ping.send(number)
        actor.await_for_all(pong.wait_avail(1))
        answer = pong.take()
        nanoseconds.append(time.perf_counter_ns() - begin)
        _check(answer, number)
        trip.count += 1
    trip.nanoseconds = " ".join(map(str, nanoseconds))


class _Trips(Contestant):
    """A contestant whose sample is the median trip of a round."""

    def __init__(self, pause: float) -> None:
        self._pause = pause

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        trips = max(1, effort.trips // _FEWER) if self._pause else effort.trips
        nanoseconds = self.play(trips, effort.patience)
        if len(nanoseconds) != trips:
            message = f"{len(nanoseconds)} of {trips} trips were made"
            raise ValueError(message)
        worst = statistics.quantiles(nanoseconds, n=100, method="inclusive")[-1]
        return [Sample(statistics.median(nanoseconds) / 1e9, {_P99: worst / 1e9})]

    def play(self, trips: int, patience: float) -> list[int]:
        """Make so many trips; return the nanoseconds of each."""
        raise NotImplementedError


class PeerTrips(_Trips):
    """A peer, over two links."""

    def __init__(self, peer: Peer, pause: float) -> None:
        super().__init__(pause)
        self.name = peer.name
        self._peer = peer

    def missing(self) -> str | None:
        """See `Contestant.missing`."""
        return self._peer.missing()

    def play(self, trips: int, patience: float) -> list[int]:
        """See `_Trips.play`."""
        there = self._peer.link(_CAPACITY, CONTEXT)
        back = self._peer.link(_CAPACITY, CONTEXT)
        try:
            nanoseconds: list[int]
            nanoseconds, _ = run_pair(
                functools.partial(_echo, there, back, trips),
                functools.partial(_play, there, back, trips, self._pause),
                patience,
            )
        finally:
            there.close()
            back.close()
        return nanoseconds


class FloorTrips(_Trips):
    """The least that two processes can do."""

    floor = True

    def __init__(self, pause: float, *, spins: bool) -> None:
        super().__init__(pause)
        self.name = "floor: spin and commit" if spins else "floor: two FIFOs"
        waits = "look for the peer's tail" if spins else "sleep in poll"
        self.note = (
            f"no peer: two bare processes that {waits}, and a commit each, by hand; the least that Python can do"
        )
        self._spins = spins

    def play(self, trips: int, patience: float) -> list[int]:
        """See `_Trips.play`."""
        with floor(spins=self._spins) as shared:
            nanoseconds: list[int]
            nanoseconds, _ = run_pair(
                functools.partial(shared.echo, trips), functools.partial(shared.play, trips, self._pause), patience
            )
        return nanoseconds


class SteadyTrips(_Trips):
    """Ours, over two channels."""

    name = "steady-mp"
    note = "two commits a trip, with state; sleeps in poll"
    ours = True
    #: What both actors are declared with.
    settings: ClassVar[dict[str, Any]] = {}

    def play(self, trips: int, patience: float) -> list[int]:
        """See `_Trips.play`."""
        graph = Graph("bench", log_level="warning")
        ping_tx, ping_rx = graph.channel(capacity=_CAPACITY)
        pong_tx, pong_rx = graph.channel(capacity=_CAPACITY)
        graph.actor("play", play, ping_tx, pong_rx, graph.state(), trips, self._pause, **self.settings)
        graph.actor("echo", echo, ping_rx, pong_tx, graph.state(), **self.settings)
        trip = Trips(**state_of(run_graph(graph, patience), "play"))
        return [int(each) for each in trip.nanoseconds.split()]


class _SpinningTrips(SteadyTrips):
    """Ours, looking for a while before it sleeps."""

    name = "steady-mp, spin then park"
    note = "two commits a trip, with state; wait_strategy of both actors: look for a while, then sleep"

    def __init__(self, pause: float) -> None:
        super().__init__(pause)
        self._settings = spin_then_park()

    @property
    def settings(self) -> dict[str, Any]:  # type: ignore[override]
        return self._settings or {}

    def missing(self) -> str | None:
        """See `Contestant.missing`."""
        return None if self._settings is not None else "this steady-mp has no wait_strategy"


def _race(name: str, title: str, pause: float, *floors: FloorTrips) -> Race:
    return Race(
        Question(name=name, title=title, unit=MICROSECONDS, baseline=_BASELINE, extras={_P99: MICROSECONDS}),
        [SteadyTrips(pause), _SpinningTrips(pause), *floors, *(PeerTrips(peer, pause) for peer in peers())],
    )


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    title = "round trip of an int"
    spinning, sleeping = FloorTrips(0.0, spins=True), FloorTrips(_PAUSE, spins=False)
    return [
        _race("ping-pong", f"{title}, median of each round", 0.0, spinning, FloorTrips(0.0, spins=False)),
        _race("ping-pong-idle", f"{title} after both slept {_PAUSE * 1e3:g} ms", _PAUSE, sleeping),
    ]
