"""Actors of which one dies over a message, in ways that the system has and Python has not."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from steady_mp import Closed

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Actor, Rx, RxBundle, SteadyState, Tx, TxBundle


@dataclass
class Heard:
    """What has arrived, and at which positions."""

    values: list[object] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)


class Bomb:
    """A message that ends whoever unpickles it in an actor's process."""

    def __reduce__(self) -> tuple[Callable[[], Bomb], tuple[()]]:
        return _go_off, ()


def _go_off() -> Bomb:
    os.kill(os.getpid(), signal.SIGSEGV)
    return Bomb()


def segfault() -> None:
    """End this process as a fault in C code does."""
    os.kill(os.getpid(), signal.SIGSEGV)


def source(actor: Actor, numbers: Tx[int], total: int, sent: SteadyState[list[int]]) -> None:
    """Send the numbers up to `total`, each by itself."""
    count = sent.acquire(lambda: [0])
    while actor.is_running() and count[0] < total:
        numbers.send(count[0])
        count[0] += 1


def source_of_slices(actor: Actor, numbers: Tx[int], total: int, sent: SteadyState[list[int]]) -> None:
    """Send the numbers in records of fifty."""
    count = sent.acquire(lambda: [0])
    while actor.is_running() and count[0] < total:
        numbers.send_slice(range(count[0], min(total, count[0] + 50)))
        count[0] += 50


def source_of_bombs(actor: Actor, things: Tx[object], total: int, sent: SteadyState[list[int]]) -> None:
    """Send texts in lists, and one bomb among them."""
    count = sent.acquire(lambda: [0])
    while actor.is_running() and count[0] < total:
        things.send(Bomb() if count[0] == total // 2 else [count[0]])
        count[0] += 1


def source_of_lanes(actor: Actor, lanes: TxBundle[int], total: int, sent: SteadyState[list[int]]) -> None:
    """Send the numbers round the lanes."""
    count = sent.acquire(lambda: [0])
    while actor.is_running() and count[0] < total:
        lanes[count[0] % len(lanes)].send(count[0])
        count[0] += 1


def sink(actor: Actor, numbers: Rx[object], heard: SteadyState[Heard], poison: tuple[object, ...], cure: str) -> None:
    """Keep what comes; die over `poison` while there is no file `cure`."""
    kept = heard.acquire(Heard)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            position, value = numbers.position(), numbers.take()
            if value in poison and not Path(cure).exists():
                segfault()
            kept.values.append(value)
            kept.positions.append(position)


def sink_of_two(actor: Actor, inputs: tuple[Rx[int], Rx[int]], heard: SteadyState[Heard], poison: int) -> None:
    """Take one of each, the number first; die over a number."""
    beats, numbers = inputs
    kept = heard.acquire(Heard)
    while actor.is_running():
        if actor.await_for_all(beats.wait_avail(1), numbers.wait_avail(1)):
            number = numbers.take()
            beat = beats.take()
            if number == poison:
                segfault()
            kept.values.append((number, beat))


def sink_of_lanes(
    actor: Actor, lanes: RxBundle[int], heard: SteadyState[Heard], poison: tuple[int, ...], cure: str
) -> None:
    """Take from whichever lane has something."""
    kept = heard.acquire(Heard)
    while actor.is_running():
        lane = actor.await_for_lane(lanes.wait_avail(1))
        if lane is not None:
            value = lanes[lane].take()
            if value in poison and not Path(cure).exists():
                segfault()
            kept.values.append(value)


def sink_of_slices(
    actor: Actor, numbers: Rx[object], heard: SteadyState[Heard], poison: tuple[object, ...], cure: str
) -> None:
    """Take five at once."""
    kept = heard.acquire(Heard)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(5)):
            values = numbers.take_slice(5)
            if any(value in values for value in poison) and not Path(cure).exists():
                segfault()
            kept.values += values


def sink_of_long_slices(
    actor: Actor, numbers: Rx[object], heard: SteadyState[Heard], poison: tuple[object, ...], _cure: str
) -> None:
    """Take two thousand at once."""
    kept = heard.acquire(Heard)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(2000)):
            values = numbers.take_slice(2000)
            if poison[0] in values:
                segfault()
            kept.values += values


def wary_sink(actor: Actor, numbers: Rx[int], heard: SteadyState[Heard], poison: tuple[int, ...], cure: str) -> None:
    """Drop by itself what it has died over twice."""
    kept = heard.acquire(Heard)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            beware = numbers.is_showstopper(2)
            value = numbers.take()
            if beware:
                kept.positions.append(value)
                continue
            if value in poison and not Path(cure).exists():
                segfault()
            kept.values.append(value)


def patient_source(actor: Actor, numbers: Tx[int], total: int, sent: SteadyState[list[int]]) -> None:
    """Send the numbers, and stay until the graph is to stop."""
    count = sent.acquire(lambda: [0])
    while actor.is_running():
        if count[0] < total:
            numbers.send(count[0])
            count[0] += 1
        else:
            actor.await_for_all(actor.wait_shutdown())


@dataclass
class Refused:
    """What came of sending to somebody who may be gone."""

    outcomes: list[str] = field(default_factory=list)
    sent: int = 0


def tester(actor: Actor, numbers: Tx[int], tries: Rx[int], refused: SteadyState[Refused]) -> None:
    """For each try, send a number by every verb, and say what came of it."""
    kept = refused.acquire(Refused)
    while actor.is_running():
        if actor.await_for_all(tries.wait_avail(1)):
            tries.take()
            outcomes = [numbers.try_send(kept.sent).name]
            for verb in (numbers.send, lambda value: numbers.send_slice([value])):
                try:
                    verb(kept.sent)
                except Closed as error:
                    outcomes.append(type(error).__name__)
                else:
                    outcomes.append("SENT")
            outcomes.append(str(actor.await_for_all(numbers.wait_vacant(64))))
            kept.sent += 1
            kept.outcomes.append(" ".join(outcomes))


def prompter(actor: Actor, tries: Tx[int], sent: SteadyState[list[int]]) -> None:
    """Ask for a try, again and again."""
    count = sent.acquire(lambda: [0])
    while actor.is_running():
        if actor.await_for_all(actor.wait_periodic(0.02), tries.wait_vacant(1)):
            tries.send(count[0])
            count[0] += 1
