"""What `sync` costs: ``python -m tests.support.price_of_sync FOLDER [ROUNDS]``, in a folder on the disk in question.

Rounds with and without it alternate; the medians are shown.
"""

from __future__ import annotations

import io
import shutil
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from steady_mp import Graph
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping

if TYPE_CHECKING:
    from steady_mp import Actor, Rx, SteadyState, Tx

SECONDS = 3.0


@dataclass
class Count:
    count: int = 0


def give(actor: Actor, out: Tx[int], state: SteadyState[Count], each: bool) -> None:  # noqa: FBT001 - an argument of an actor
    """Send numbers for some seconds, with a commit after each one or as the runtime groups them."""
    sent = state.acquire(Count)
    stop = time.monotonic() + SECONDS
    while actor.is_running() and time.monotonic() < stop:
        out.send(sent.count)
        sent.count += 1
        if each:
            actor.commit()


def take(actor: Actor, numbers: Rx[int], state: SteadyState[Count]) -> None:
    """Count what comes."""
    taken = state.acquire(Count)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            numbers.take()
            taken.count += 1


def measure(folder: Path, *, each: bool, sync: bool) -> tuple[float, float]:
    """Return the giver's commits and the taker's messages in a second."""
    graph = Graph("price", log_level="error")
    tx, rx = graph.channel(1024)
    graph.actor("giver", give, tx, graph.state(), each)
    graph.actor("taker", take, rx, graph.state())
    with graph.start(durable=folder, sync=sync, output=io.StringIO()) as run:
        report = run.block_until_stopped(60.0)
    control = Mapping(folder / "actor-0.control", read_only=True)
    commits = control.words[layout.EPOCH]
    control.close()
    shutil.rmtree(folder)
    return commits / SECONDS, report.channels[0].sent / SECONDS


def main(place: Path, rounds: int) -> None:
    """Measure, and show the medians."""
    found: dict[tuple[bool, bool], list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for each in (True, False):
            for sync in (False, True):
                found.setdefault((each, sync), []).append(measure(place / "price-of-sync", each=each, sync=sync))
    for (each, sync), rates in found.items():
        commits, messages = (statistics.median(column) for column in zip(*rates, strict=True))
        kind = "a commit each turn" if each else "turns in groups"
        print(f"{kind:20}{'with' if sync else 'without'} sync: {commits:,.0f} commits/s, {messages:,.0f} messages/s")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
