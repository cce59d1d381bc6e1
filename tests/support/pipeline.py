"""Behaviors of a three-actor pipeline with state in each, in the shapes that commits have to survive.

source → middle → sink. The sink's state is everything that arrived, in order: what it says at the end is
the proof. The others count and add up, so that a turn that was lost or done twice shows in their state too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steady_mp import Actor, Rx, SteadyState, Tx

#: A message of a fan-out is the number that caused it times this, plus its place among its siblings.
FAN = 1000


@dataclass
class SourceState:
    following: int = 0


@dataclass
class MiddleState:
    count: int = 0
    total: int = 0

    def add(self, value: int) -> None:
        self.count += 1
        self.total += value * self.count


@dataclass
class HalfDone(MiddleState):
    """A middle whose turns are too long for their channel keeps its place in them."""

    value: int = -1
    sent: int = 0


@dataclass
class SinkState:
    seen: list[int] = field(default_factory=list)


# Sources


def source(actor: Actor, out: Tx[int], total: int, burst: int, state: SteadyState[SourceState]) -> None:
    """Send `burst` numbers a turn, once there is room for all of them."""
    at = state.acquire(SourceState)
    while actor.is_running() and at.following < total:
        count = min(burst, total - at.following)
        if actor.await_for_all(out.wait_vacant(count)):
            for _ in range(count):
                out.send(at.following)
                at.following += 1


def blocking_source(actor: Actor, out: Tx[int], total: int, burst: int, state: SteadyState[SourceState]) -> None:
    """Send `burst` numbers a turn without asking for room: a send may wait in the middle of the turn."""
    at = state.acquire(SourceState)
    while actor.is_running() and at.following < total:
        for _ in range(min(burst, total - at.following)):
            out.send(at.following)
            at.following += 1


# Middles


def middle(actor: Actor, numbers: Rx[int], out: Tx[int], batch: int, state: SteadyState[MiddleState]) -> None:
    """Pass on `batch` numbers a turn."""
    done = state.acquire(MiddleState)
    while actor.is_running():
        actor.await_for_all(numbers.wait_avail(batch), out.wait_vacant(batch))
        for _ in range(min(batch, numbers.avail(), out.vacant())):
            value = numbers.take()
            done.add(value)
            out.send(value)


def blocking_middle(actor: Actor, numbers: Rx[int], out: Tx[int], batch: int, state: SteadyState[MiddleState]) -> None:
    """Take and send `batch` times a turn without asking: each of them may wait in the middle of the turn."""
    done = state.acquire(MiddleState)
    while actor.is_running():
        for _ in range(batch):
            value = numbers.take()
            done.add(value)
            out.send(value)


def fanning_middle(actor: Actor, numbers: Rx[int], out: Tx[int], _batch: int, state: SteadyState[MiddleState]) -> None:
    """Answer a number with 1 to capacity messages, all in one turn."""
    done = state.acquire(MiddleState)
    while actor.is_running():
        value = numbers.try_peek()
        if value is None:
            actor.await_for_all(numbers.wait_avail(1))
        elif actor.await_for_all(out.wait_vacant(fan(value, out.capacity))):
            done.add(numbers.take())
            for place in range(fan(value, out.capacity)):
                out.send(value * FAN + place)


def flooding_middle(actor: Actor, numbers: Rx[int], out: Tx[int], extra: int, state: SteadyState[HalfDone]) -> None:
    """Answer a number with more messages than the channel holds: such a turn can't be atomic, so its place is state."""
    done = state.acquire(HalfDone)
    while actor.is_running():
        if done.value < 0:
            if not actor.await_for_all(numbers.wait_avail(1)):
                continue
            done.value = numbers.take()
            done.add(done.value)
            done.sent = 0
        while done.sent < out.capacity + extra:
            out.send(done.value * FAN + done.sent)  # may commit, and that before it counts
            done.sent += 1
        done.value = -1


# Sinks


def sink(actor: Actor, numbers: Rx[int], batch: int, state: SteadyState[SinkState]) -> None:
    """Take `batch` messages a turn."""
    arrived = state.acquire(SinkState)
    while actor.is_running():
        actor.await_for_all(numbers.wait_avail(batch))
        arrived.seen += numbers.take_slice(batch)


def blocking_sink(actor: Actor, numbers: Rx[int], batch: int, state: SteadyState[SinkState]) -> None:
    """Take `batch` times a turn without asking: each take may wait in the middle of the turn."""
    arrived = state.acquire(SinkState)
    while actor.is_running():
        for _ in range(batch):
            arrived.seen.append(numbers.take())


# What must come out


def fan(value: int, capacity: int) -> int:
    return 1 + value * 7 % capacity


def fanned(total: int, capacity: int) -> Iterator[int]:
    for value in range(total):
        yield from (value * FAN + place for place in range(fan(value, capacity)))


def flooded(total: int, count: int) -> Iterator[int]:
    for value in range(total):
        yield from (value * FAN + place for place in range(count))
