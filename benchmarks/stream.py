"""Streams: a producer, a consumer, and the time between the consumer's first message and its last.

That time is the same for all contestants: starting processes, connecting and ending are outside of it,
and what is inside is the work of both sides at once. The consumer answers with how many messages it got
and with a checksum over them, so that nobody wins by dropping. Beside the wall's time stands the CPU time
of both sides (user and system), which other work on the machine disturbs less.

A stream of another payload brings its own loops and its own checksum; `benchmarks.experiments.throughput`
is the example.
"""

from __future__ import annotations

import functools
import time
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.figures import NANOSECONDS
from benchmarks.pair import CONTEXT, run_pair
from benchmarks.race import Contestant
from benchmarks.standings import Sample
from benchmarks.steady import run_graph, state_of
from steady_mp import Graph

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.experiment import Effort
    from benchmarks.figures import Unit
    from benchmarks.peer import Link, Peer
    from steady_mp import Report, Rx, Tx

_FIRST_COUNT = 1000
_STEP = 8

#: The column of CPU time: of both sides, for each message, user and system.
CPU: Final = "CPU a message"
EXTRAS: Final[Mapping[str, Unit]] = {CPU: NANOSECONDS}


@dataclass(frozen=True, slots=True)
class Streamed:
    """What a consumer saw, and the CPU time of both sides."""

    count: int
    checksum: int
    nanoseconds: int
    cpu_ns: int = 0


@dataclass
class Produced:
    """The state of one of our producers."""

    count: int = 0
    #: CPU time from the begin of its work to the end, by `time.process_time_ns`.
    cpu_ns: int = 0


@dataclass
class Consumed:
    """The state of one of our consumers."""

    count: int = 0
    checksum: int = 0
    #: When the first and the last message were taken, by `time.perf_counter_ns`.
    first_ns: int = 0
    last_ns: int = 0
    cpu_ns: int = 0


@dataclass(frozen=True, slots=True)
class Loops:
    """What the two processes of a peer do, and what the checksum must be.

    ``produce(send, count)`` sends `count` messages; ``consume(receive, count)`` returns the `Streamed`.
    """

    produce: Callable[[Callable[[Any], object], int], None]
    consume: Callable[[Callable[[], Any], int], Streamed]
    checksum: Callable[[int], int]


class Stream(Contestant):
    """A contestant that streams as many messages as fill the time of a round."""

    def __init__(self, checksum: Callable[[int], int], weight: float = 1, first: int = _FIRST_COUNT) -> None:
        """Expect ``checksum(count)`` of a stream of `count` messages, each of which counts `weight`.

        `first` messages are tried first, to find out how many fill a round.
        """
        self._checksum = checksum
        self._weight = weight
        self._count = first

    @abstractmethod
    def stream(self, count: int, patience: float) -> Streamed:
        """Stream `count` messages."""

    def _checked(self, count: int, patience: float) -> Streamed:
        seen = self.stream(count, patience)
        if (seen.count, seen.checksum) != (count, self._checksum(count)):
            message = f"{seen.count} messages with checksum {seen.checksum} of {count} with {self._checksum(count)}"
            raise ValueError(message)
        return seen

    def warm_up(self, effort: Effort) -> None:
        """Find out how many messages fill a round."""
        enough = effort.seconds / _STEP
        while (seconds := self._checked(self._count, effort.patience).nanoseconds / 1e9) < enough:
            self._count = int(self._count * min(_STEP, effort.seconds / seconds)) + 1
        self._count = int(self._count * effort.seconds / seconds) + 1

    def measure(self, effort: Effort) -> list[Sample]:
        """Return messages a second: those behind the first, over the time behind the first."""
        seen = self._checked(self._count, effort.patience)
        rate = (seen.count - 1) * self._weight * 1e9 / seen.nanoseconds
        return [Sample(rate, {CPU: seen.cpu_ns / 1e9 / seen.count / self._weight})]


def _produce(link: Link, loops: Loops, count: int) -> int:
    send = link.sender()
    began = time.process_time_ns()
    loops.produce(send, count)
    return time.process_time_ns() - began


def _consume(link: Link, loops: Loops, count: int) -> tuple[Streamed, int]:
    receive = link.receiver()
    began = time.process_time_ns()
    return loops.consume(receive, count), time.process_time_ns() - began


class PeerStream(Stream):
    """A peer's stream."""

    def __init__(self, peer: Peer, link: Callable[[Peer], Link], loops: Loops, **sizes: Any) -> None:  # noqa: ANN401 - those of `Stream`
        """Stream over a fresh `link` each time; `sizes` are those of `Stream`."""
        super().__init__(loops.checksum, **sizes)
        self.name = peer.name
        self.note = peer.note
        self._peer = peer
        self._link = link
        self._loops = loops

    def missing(self) -> str | None:
        """See `Contestant.missing`."""
        return self._peer.missing()

    def stream(self, count: int, patience: float) -> Streamed:
        """See `Stream.stream`."""
        link = self._link(self._peer)
        produce = functools.partial(_produce, link, self._loops, count)
        consume = functools.partial(_consume, link, self._loops, count)
        try:
            (seen, consuming), producing = run_pair(produce, consume, patience)
        finally:
            link.close()
        return Streamed(seen.count, seen.checksum, seen.nanoseconds, producing + consuming)


def object_link(capacity: int, size: int = 64) -> Callable[[Peer], Link]:
    """Return what makes a peer's link for objects."""
    return lambda peer: peer.link(capacity, CONTEXT, size)


def bytes_link(capacity: int, size: int) -> Callable[[Peer], Link]:
    """Return what makes a peer's link for bytes."""
    return lambda peer: peer.bytes_link(capacity, CONTEXT, size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """One of our own streams: its channel, and the two behaviors at its ends.

    They are ``produce(actor, tx, state, count)``, and ``consume(actor, rx, state)`` whose state is a `Consumed`.
    """

    name: str
    note: str
    channel: Callable[[Graph], tuple[Tx[Any], Rx[Any]]]
    produce: Callable[..., None]
    consume: Callable[..., None]
    #: Why it can't run here; None when it can.
    missing: str | None = None


class SteadyStream(Stream):
    """Our stream: two actors with a state each, which every commit saves."""

    ours = True

    def __init__(self, ours: Ours, checksum: Callable[[int], int], **sizes: Any) -> None:  # noqa: ANN401 - those of `Stream`
        """Stream in a fresh graph each time; `sizes` are those of `Stream`."""
        super().__init__(checksum, **sizes)
        self.name = ours.name
        self.note = ours.note
        self._ours = ours

    def missing(self) -> str | None:
        """See `Contestant.missing`."""
        return self._ours.missing

    def graph(self, count: int) -> Graph:
        """Build the graph of a stream of so many messages."""
        graph = Graph("bench", log_level="warning")
        tx, rx = self._ours.channel(graph)
        graph.actor("producer", self._ours.produce, tx, graph.state(), count)
        graph.actor("consumer", self._ours.consume, rx, graph.state())
        return graph

    def stream(self, count: int, patience: float) -> Streamed:
        """See `Stream.stream`."""
        return streamed(run_graph(self.graph(count), patience))


def streamed(report: Report) -> Streamed:
    """Return what the states of the two actors say."""
    sent = Produced(**state_of(report, "producer"))
    seen = Consumed(**state_of(report, "consumer"))
    return Streamed(seen.count, seen.checksum, seen.last_ns - seen.first_ns, sent.cpu_ns + seen.cpu_ns)
