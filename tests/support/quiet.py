"""Behaviors that wait: at their own pace, for what does not come, or as long as the test says."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from steady_mp import all_of, any_of
from tests.support.gates import open_gate

if TYPE_CHECKING:
    from steady_mp import Actor, Rx, RxBundle, SteadyState, Tx, TxBundle


@dataclass
class Marks:
    marks: list[object] = field(default_factory=list)


@dataclass
class Count:
    count: int = 0


def slow_sink(actor: Actor, numbers: Rx[int], seconds: float, state: SteadyState[Count]) -> None:
    """Take one message in each period; all that is left once the stream has ended."""
    taken = state.acquire(Count)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1), actor.wait_periodic(seconds)):
            taken.count += len(numbers.take_slice(1))
        else:
            taken.count += len(numbers.take_slice(numbers.avail()))


def waiter(actor: Actor, numbers: Rx[int], out: Tx[int], gate: str) -> None:
    """Wait for everything that can be waited for, none of which comes."""
    fd = open_gate(gate)
    while actor.is_running():
        actor.await_for_any(
            all_of(numbers.wait_avail(3), out.wait_vacant(1)),
            actor.wait_readable(fd),
            actor.wait_timeout(3600.0),
            actor.wait_shutdown(),
        )


def gated(actor: Actor, out: Tx[int], gate: str) -> None:
    """Send nothing, and refuse to stop before the gate opens."""
    fd = open_gate(gate)
    opened = actor.wait_readable(fd)
    while actor.is_running(veto=lambda: None if opened.holds() else "the gate is shut"):
        actor.await_for_all(opened)
    out.mark_closed()


def beats(actor: Actor, period: float, total: int, state: SteadyState[Marks]) -> None:
    """Note the time of each beat."""
    seen = state.acquire(Marks)
    while actor.is_running() and len(seen.marks) < total:
        if actor.await_for_all(actor.wait_periodic(period)):
            seen.marks.append(time.monotonic())


def echo(actor: Actor, path: str, state: SteadyState[Marks]) -> None:
    """Note what can be read from a pipe, until its end."""
    seen = state.acquire(Marks)
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    print("reading", flush=True)  # noqa: T201 - the test waits for it
    while actor.is_running():
        if actor.await_for_all(actor.wait_readable(fd), actor.wait_timeout(0.0)):
            data = os.read(fd, 100)
            if not data and seen.marks:
                return
            seen.marks += [data.decode()] if data else []


def tell_which(actor: Actor, first: Rx[int], second: Rx[int], gate: str, state: SteadyState[Marks]) -> None:
    """Wait for (two of the first and one of the second) or the gate, and say what was there each time."""
    seen = state.acquire(Marks)
    fd = open_gate(gate)
    while actor.is_running():
        clean = actor.await_for_any(all_of(first.wait_avail(2), second.wait_avail(1)), actor.wait_readable(fd))
        opened = any_of(actor.wait_readable(fd)).holds()
        if opened:
            os.read(fd, 1)
        mark = [clean, opened, len(first.take_slice(first.avail())), len(second.take_slice(second.avail()))]
        seen.marks.append(mark)
        print("woke", *mark, flush=True)  # noqa: T201 - the test waits for it


def merge(actor: Actor, lanes: RxBundle[int], state: SteadyState[Marks]) -> None:
    """Once all lanes are full, take from one ready lane after the other."""
    seen = state.acquire(Marks)
    if actor.generation == 1:
        actor.await_for_all(*(lane.wait_avail(lane.capacity) for lane in lanes))
    while actor.is_running():
        lane = actor.await_for_lane(lanes.wait_avail(1))
        if lane is not None:
            seen.marks.append([lane, lanes[lane].take()])


def split(actor: Actor, lanes: TxBundle[int], total: int, state: SteadyState[Count]) -> None:
    """Send one number to each lane with room, in turn."""
    sent = state.acquire(Count)
    while actor.is_running() and sent.count < total:
        lane = actor.await_for_lane(lanes.wait_vacant(1))
        if lane is not None:
            lanes[lane].send(sent.count)
            sent.count += 1
