"""A supervisor of a durable run with a channel of each kind: ``python -m tests.support.kinds_host FOLDER``.

It begins the run, or goes on with it, until it is killed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from steady_mp import Graph

if TYPE_CHECKING:
    from steady_mp import Actor, Rx, SteadyState, Tx


@dataclass
class Count:
    done: int = 0


def give(actor: Actor, out: Tx[tuple[int, str]], state: SteadyState[Count]) -> None:
    """Send numbers, faster than they are taken."""
    count = state.acquire(Count)
    while actor.is_running():
        if actor.await_for_all(out.wait_vacant(1)):
            out.send((count.done, "x" * (count.done % 7)))
            count.done += 1


def share(actor: Actor, numbers: Rx[tuple[int, str]], lane: Tx[int], texts: Tx[bytes]) -> None:
    """Pass each number on in both ways."""
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1), lane.wait_vacant(1), texts.wait_vacant(1)):
            number, _ = numbers.take()
            lane.send(number)
            texts.send(b"%d" % number)


def check(actor: Actor, lane: Rx[int], texts: Rx[bytes], state: SteadyState[Count]) -> None:
    """Take each number in both ways, each the next one."""
    count = state.acquire(Count)
    while actor.is_running():
        if actor.await_for_all(lane.wait_avail(1), texts.wait_avail(1)):
            found = (lane.take(), int(bytes(texts.take())))
            assert found == (count.done, count.done), f"{found} instead of {count.done}"
            count.done += 1
            if count.done % 100 == 0:
                print("checked", count.done, flush=True)  # noqa: T201 - what the test waits for
                actor.commit()
            actor.await_for_all(actor.wait_timeout(0.001))


def fill(graph: Graph) -> None:
    """Declare them."""
    numbers, coming = graph.channel(16, name="numbers")
    lane, items = graph.channel(16, dtype="Q", name="lane")
    texts, parts = graph.channel(16, dtype=bytes, name="texts")
    graph.actor("giver", give, numbers, graph.state())
    graph.actor("sharer", share, coming, lane, texts)
    graph.actor("checker", check, items, parts, graph.state())


def main(folder: Path) -> None:
    """Run it in a folder."""
    graph = Graph("kinds", log_level="error")
    fill(graph)
    run = graph.start(resume=folder) if (folder / "durable").exists() else graph.start(durable=folder)
    run.block_until_stopped()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
