"""Streams: a producer, a consumer, and the time between the consumer's first message and its last.

That time is the same for all contestants: starting processes, connecting and ending are outside of it,
and what is inside is the work of both sides at once. The consumer answers with how many messages it got
and with a checksum over them, so that nobody wins by dropping.

A stream of another payload brings its own loops and its own checksum; `benchmarks.experiments.throughput`
is the example.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.pair import CONTEXT, run_pair
from benchmarks.race import Contestant
from benchmarks.steady import run_graph, state_of
from steady_mp import Graph

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.experiment import Effort
    from benchmarks.peer import Link, Peer

_FIRST_COUNT = 1000
_STEP = 8


@dataclass(frozen=True, slots=True)
class Streamed:
    """What a consumer saw."""

    count: int
    checksum: int
    nanoseconds: int


@dataclass
class Produced:
    """The state of one of our producers."""

    count: int = 0


@dataclass
class Consumed:
    """The state of one of our consumers."""

    count: int = 0
    checksum: int = 0
    #: When the first and the last message were taken, by `time.perf_counter_ns`.
    first_ns: int = 0
    last_ns: int = 0


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

    def __init__(self, checksum: Callable[[int], int]) -> None:
        """Expect ``checksum(count)`` of a stream of `count` messages."""
        self._checksum = checksum
        self._count = _FIRST_COUNT

    @abstractmethod
    def stream(self, count: int, patience: float) -> Streamed:
        """Stream `count` messages."""

    def _checked(self, count: int, patience: float) -> float:
        """Stream, and return the seconds that it took."""
        seen = self.stream(count, patience)
        if (seen.count, seen.checksum) != (count, self._checksum(count)):
            message = f"{seen.count} messages with checksum {seen.checksum} of {count} with {self._checksum(count)}"
            raise ValueError(message)
        return seen.nanoseconds / 1e9

    def warm_up(self, effort: Effort) -> None:
        """Find out how many messages fill a round."""
        enough = effort.seconds / _STEP
        while (seconds := self._checked(self._count, effort.patience)) < enough:
            self._count = int(self._count * min(_STEP, effort.seconds / seconds)) + 1
        self._count = int(self._count * effort.seconds / seconds) + 1

    def measure(self, effort: Effort) -> list[float]:
        """Return messages a second: those behind the first, over the time behind the first."""
        return [(self._count - 1) / self._checked(self._count, effort.patience)]


def _produce(link: Link, loops: Loops, count: int) -> None:
    loops.produce(link.sender(), count)


def _consume(link: Link, loops: Loops, count: int) -> Streamed:
    return loops.consume(link.receiver(), count)


class PeerStream(Stream):
    """A peer's stream."""

    def __init__(self, peer: Peer, capacity: int, loops: Loops) -> None:
        """Stream over a fresh link each time."""
        super().__init__(loops.checksum)
        self.name = peer.name
        self.note = peer.note
        self._peer = peer
        self._capacity = capacity
        self._loops = loops

    def missing(self) -> str | None:
        """See `Contestant.missing`."""
        return self._peer.missing()

    def stream(self, count: int, patience: float) -> Streamed:
        """See `Stream.stream`."""
        link = self._peer.link(self._capacity, CONTEXT)
        produce = functools.partial(_produce, link, self._loops, count)
        consume = functools.partial(_consume, link, self._loops, count)
        try:
            seen: Streamed = run_pair(produce, consume, patience)
        finally:
            link.close()
        return seen


class SteadyStream(Stream):
    """Our stream: two actors with a state each, which every commit saves."""

    ours = True

    def __init__(  # noqa: PLR0913 - said by name
        self,
        *,
        name: str,
        note: str,
        capacity: int,
        produce: Callable[..., None],
        consume: Callable[..., None],
        checksum: Callable[[int], int],
    ) -> None:
        """Run ``produce(actor, tx, state, count)``, and ``consume(actor, rx, state)`` whose state is a `Consumed`."""
        super().__init__(checksum)
        self.name = name
        self.note = note
        self._capacity = capacity
        self._produce = produce
        self._consume = consume

    def stream(self, count: int, patience: float) -> Streamed:
        """See `Stream.stream`."""
        graph = Graph("bench", log_level="warning")
        tx, rx = graph.channel(capacity=self._capacity)
        graph.actor("producer", self._produce, tx, graph.state(), count)
        graph.actor("consumer", self._consume, rx, graph.state())
        seen = Consumed(**state_of(run_graph(graph, patience), "consumer"))
        return Streamed(seen.count, seen.checksum, seen.last_ns - seen.first_ns)
