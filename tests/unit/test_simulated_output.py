"""What is kept of what simulated actors say: what the log of a real run would have."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import pytest

from steady_mp import ConfigurationError, Recycle
from steady_mp.testing import Bench
from steady_mp.testing.simulation import Crash, Outcome, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Actor, Graph, Tx
    from steady_mp.channel.endpoints import Rx


def halves(actor: Actor) -> None:
    """Say something without an end, in each life; the second one is the last one."""
    print("life", actor.generation)  # noqa: T201 - that it is caught is what the tests look at
    print("flushed", end="", flush=True)  # noqa: T201
    print(", buffered", end="")  # noqa: T201
    try:
        if actor.generation == 1:
            actor.await_for_all(actor.wait_timeout(1.0))
            message = "the first one fails"
            raise ValueError(message)
    finally:
        print(", in its end", end="")  # noqa: T201
        print(", seen to", file=sys.stderr, flush=True)  # noqa: T201
        actor.log.info("ended")


def complain(actor: Actor) -> None:
    print("to stderr", file=sys.stderr)  # noqa: T201
    sys.stderr.write("cut")
    if actor.generation == 1:
        sys.exit("no reason")


def two_streams(_actor: Actor) -> None:
    print("one", end="", flush=True)  # noqa: T201
    print(" line", file=sys.stderr)  # noqa: T201
    print("another", end="")  # noqa: T201
    sys.stdout.write(" line\nand its rest")
    print("before", file=sys.stderr)  # noqa: T201


def count(actor: Actor, numbers: Tx[int]) -> None:
    """Send four, and say which it comes to."""
    while actor.is_running() and numbers.position() < 4:
        print(numbers.position(), end=" ")  # noqa: T201
        numbers.send(numbers.position())


def hear(actor: Actor, numbers: Rx[int]) -> None:
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            print(numbers.take())  # noqa: T201


def recycled(graph: Graph) -> None:
    tx, rx = graph.channel(4)
    graph.actor("counter", count, tx, recycle=Recycle(max_messages=2))
    graph.actor("hearer", hear, rx)


def said(behavior: Callable[[Actor], None], *crashes: Crash) -> list[str]:
    def build(graph: Graph) -> None:
        graph.actor("one", behavior)

    return simulate(build, crashes=crashes).printed("one")


def test_behind_a_kill_there_is_what_had_left_the_process() -> None:
    assert said(halves, Crash("one", "park:armed")) == [
        *("life 1", "flushed"),
        *("life 2", "flushed, seen to", "ended", ", buffered, in its end"),
    ]


def test_one_that_fails_is_heard_to_its_end() -> None:
    assert said(halves) == [
        *("life 1", "flushed, seen to", "ended", ", buffered, in its end"),
        *("life 2", "flushed, seen to", "ended", ", buffered, in its end"),
    ]


def test_what_goes_to_stderr_is_kept_and_the_callers_stays_his() -> None:
    before = sys.stdout, sys.stderr
    assert said(complain) == ["to stderr", "cut", "to stderr", "cut"]
    assert (sys.stdout, sys.stderr) == before


def test_what_is_written_as_bytes_is_kept_too() -> None:
    def write(_actor: Actor) -> None:
        assert sys.stdout.buffer.write("größer\n".encode()) == 9
        sys.stderr.buffer.write(b"\xff at last")
        sys.stderr.buffer.flush()

    assert said(write) == ["größer", r"\xff at last"]


def test_both_streams_are_one_pipe() -> None:
    assert said(two_streams) == ["one line", "another line", "and its restbefore"]


def report_trouble(actor: Actor) -> None:
    """Log a warning, a traceback, nothing, and what has an end of a line in it."""
    logging.getLogger("some.module").warning("it is hot")
    try:
        int("good")
    except ValueError:
        actor.log.exception("it failed")
    actor.log.info("")
    actor.log.info("one\ntwo")


def test_what_is_logged_is_kept_as_a_log_and_a_bench_show_it() -> None:
    lines = said(report_trouble)
    bench = Bench()
    bench.actor(report_trouble)
    bench.run()
    assert lines == bench.lines
    assert lines[:3] == ["WARNING: it is hot", "ERROR: it failed", "Traceback (most recent call last):"]
    assert lines[-4:] == ["ValueError: invalid literal for int() with base 10: 'good'", "", "one", "two"]


def test_an_outcome_knows_nobody_by_a_wrong_name() -> None:
    outcome = simulate(recycled)
    for ask in (outcome.actor, outcome.printed):
        with pytest.raises(ConfigurationError, match=r"no actor 'nobody' in graph .*: there are counter, hearer$"):
            ask("nobody")
    with pytest.raises(ConfigurationError, match=r"no channel 'nobody' in graph .*: there are counter→hearer$"):
        outcome.sent("nobody")
    assert outcome.sent("counter→hearer") == 4


@pytest.mark.parametrize("seed", range(4))
def test_a_recycled_life_leaves_what_it_had_begun_to_say(seed: int) -> None:
    def check(outcome: Outcome) -> None:
        assert outcome.printed("counter") == ["0 1 ", "2 3 "]
        assert outcome.printed("hearer") == ["0", "1", "2", "3"]

    simulate(recycled, seed=seed, check=check)
