"""What docs/actors.md shows."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from steady_mp import Graph, RestartPolicy
from steady_mp.config import merge, settings_of
from steady_mp.testing import Bench

if TYPE_CHECKING:
    from steady_mp import Actor, Rx, SteadyState, Tx


@dataclass(frozen=True, kw_only=True)
class Args:
    """What the graph takes."""

    folder: Path
    workers: int = field(default=4, metadata={"help": "Workers side by side.", "ge": 1, "le": 64})
    mode: Literal["fast", "careful"] = "careful"
    until: float | None = field(default=None, metadata={"help": "Seconds to run for.", "gt": 0, "env": "ORDERS_UNTIL"})


@dataclass
class Place:
    """How far a file was read."""

    offset: int = 0


def read_lines(actor: Actor, lines: Tx[bytes], path: str, state: SteadyState[Place]) -> None:
    """Send each line of a file; a life that begins anew reads on where the last commit stands."""
    place = state.acquire(Place)
    with Path(path).open("rb") as file:
        file.seek(place.offset)
        while actor.is_running() and (line := file.readline()):
            lines.send(line)
            place.offset += len(line)


def receive(actor: Actor, packets: Tx[bytes], fifo: str) -> None:
    """Send what comes through a pipe, and lose one read at most to a kill."""
    with Path(fifo).open("rb", buffering=0) as link:
        while actor.is_running():
            if actor.await_for_all(actor.wait_readable(link.fileno()), packets.wait_vacant(1)):
                data = link.read(1 << 16)
                if not data:
                    return
                packets.send(data)
                actor.commit()


def count_lines(actor: Actor, lines: Rx[bytes], state: SteadyState[Place]) -> None:
    counted = state.acquire(Place)
    while actor.is_running():
        counted.offset += len(lines.take())


def build_patient(graph: Graph) -> None:
    """A reader that may fail some twenty times in a row, and is given up alone then: the others go on."""
    tx, rx = graph.channel()
    patient = RestartPolicy(threshold=20, max_backoff=5.0, give_up="isolate")
    graph.actor("reader", read_lines, tx, "/var/spool/orders", graph.state(), restart=patient)
    graph.actor("counter", count_lines, rx, graph.state())


def test_each_field_is_an_option() -> None:
    settings = settings_of(Args, "args")
    given = merge(Args, settings, options={"folder": "in", "workers": "8"}, environ={"ORDERS_UNTIL": "2.5"})
    assert given == Args(folder=Path("in"), workers=8, until=2.5)
    assert settings["workers"].env == "STEADY_MP_WORKERS"


@pytest.mark.parametrize("point", ["commit:begin", "commit:journal", "commit:epoch", "commit:done"])
def test_what_can_be_read_again_comes_once(point: str, tmp_path: Path) -> None:
    path = tmp_path / "orders"
    path.write_bytes(b"one\ntwo\nthree\n")
    bench = Bench("reader")
    lines, state = bench.output(), bench.state()
    bench.actor(read_lines, lines.end, str(path), state)
    bench.crash_at(point, 2)
    bench.run()
    assert bench.crashed
    bench.run()
    lines.assert_all([b"one\n", b"two\n", b"three\n"])


def test_what_comes_once_only_goes_with_a_death_before_the_commit(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    bench = Bench("receiver")
    packets = bench.output()
    bench.actor(receive, packets.end, str(fifo))
    link = os.open(fifo, os.O_RDWR)  # who opens it for reading would wait for a writer
    try:
        os.write(link, b"one")
        bench.crash_at("commit:journal")
        bench.run()
        assert bench.crashed
        os.write(link, b"two")
        bench.run()
    finally:
        os.close(link)
    packets.assert_all([b"two"])


def test_the_policy_is_one_that_there_is() -> None:
    graph = Graph("patient")
    build_patient(graph)
    assert graph.policies[0] == replace(RestartPolicy(), threshold=20, max_backoff=5.0, give_up="isolate")
