"""The bench itself: public API, and what the other tests stand on."""

from __future__ import annotations

import contextlib
import gc
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ConfigurationError, SteadyError
from steady_mp.errors import ClosedByMe, DoesNotFit, MessageTooLarge, NotPicklable
from steady_mp.testing import Bench, ManualClock
from steady_mp.testing.points import FAULT_POINTS, ON_BENCH

if TYPE_CHECKING:
    from steady_mp import Actor, Rx, SteadyState, Tx


def doubler(actor: Actor, numbers: Rx[int], doubles: Tx[int], state: SteadyState[list[int]]) -> None:
    seen = state.acquire(list)
    while actor.is_running():
        number = numbers.take()
        seen.append(number)
        doubles.send(2 * number)


def put_on_bench(capacity: int = 64) -> tuple[Bench, Any, Any, Any]:
    bench = Bench("doubler")
    numbers, doubles, state = bench.input(capacity), bench.output(capacity), bench.state()
    bench.actor(doubler, numbers.end, doubles.end, state)
    return bench, numbers, doubles, state


def test_an_end_of_a_bench_that_is_gone_is_no_end_of_the_next_one() -> None:
    """Who is told apart by its place in memory is taken for whoever gets that place next."""
    ends = []
    for _ in range(20):
        ends.append(Bench().input().end)
        gc.collect()
    assert len({end.graph for end in ends}) == 20  # type: ignore[attr-defined]


def test_a_behavior_runs_until_it_would_wait_for_ever() -> None:
    bench, numbers, doubles, state = put_on_bench()
    assert bench.saved(state) is None
    numbers.send_all([1, 2])
    bench.run()
    assert doubles.take_all() == [2, 4]
    assert bench.saved(state) == [1, 2]
    assert not bench.finished


def test_each_run_is_a_life_that_goes_on_from_the_last_commit() -> None:
    bench, numbers, doubles, _ = put_on_bench()
    for number in range(3):
        numbers.send_all([number])
        bench.run()
        assert bench.generation == number + 1
        assert doubles.take_all() == [2 * number]


def test_turns_are_counted_by_calls_of_is_running() -> None:
    bench, numbers, doubles, _ = put_on_bench()
    numbers.send_all([1, 2, 3, 4])
    bench.run(turns=3)
    assert doubles.take_all() == [2, 4, 6]
    assert numbers.left() == 1


def test_a_condition_that_has_held_is_not_asked_again() -> None:
    bench, numbers, doubles, _ = put_on_bench()
    numbers.send_all(range(5))
    bench.run(until=lambda: 4 in doubles.take_all())  # it takes what it asks for
    assert numbers.left() == 2


def test_the_end_of_the_stream_ends_the_behavior_and_closes_its_outputs() -> None:
    bench, numbers, doubles, _ = put_on_bench()
    numbers.send_all([1], close=True)
    bench.run()
    assert bench.finished
    assert not doubles.is_closed()
    assert doubles.take_all() == [2]
    assert doubles.is_closed()
    bench.run()
    assert bench.generation == 1  # what has finished has no further life


def test_an_exception_is_raised_and_what_was_not_committed_is_undone() -> None:
    def fails(actor: Actor, numbers: Rx[int], state: SteadyState[list[int]]) -> None:
        seen = state.acquire(list)
        while actor.is_running():
            seen.append(numbers.take())
            if numbers.is_empty() and actor.generation == 1:
                message = "on purpose"
                raise ValueError(message)

    bench = Bench()
    numbers, state = bench.input(), bench.state()
    bench.actor(fails, numbers.end, state)
    numbers.send_all([1, 2])
    with pytest.raises(ValueError, match="on purpose"):
        bench.run()
    assert bench.saved(state) == [1]
    assert numbers.left() == 1
    bench.run()
    assert bench.saved(state) == [1, 2]


@pytest.mark.parametrize("point", FAULT_POINTS)
def test_a_planned_crash_strikes_once(point: str) -> None:
    bench, numbers, doubles, _ = put_on_bench()
    bench.crash_at(point)
    numbers.send_all([1, 2, 3])
    bench.run()
    assert bench.crashed == (point in ON_BENCH)
    bench.run()
    assert not bench.crashed
    assert doubles.take_all() == [2, 4, 6]


def test_a_wait_for_a_time_ends_when_so_much_may_pass() -> None:
    def ticker(actor: Actor, ticks: Tx[int]) -> None:
        while actor.is_running():
            if actor.await_for_all(actor.wait_timeout(1.0)):
                ticks.send(0)

    bench = Bench()
    ticks = bench.output()
    bench.actor(ticker, ticks.end)
    bench.run(seconds=0.9)
    assert ticks.take_all() == []
    bench.run(seconds=3.5)
    assert ticks.take_all() == [0, 0, 0]
    assert bench.clock() == 3.0


def test_a_request_for_a_shutdown_shows_and_a_refusal_says_why() -> None:
    def asks(actor: Actor) -> None:
        while actor.is_running(veto=lambda: "still counting"):
            actor.request_shutdown()
            actor.await_for_all(actor.wait_timeout(1e9))

    bench = Bench()
    bench.actor(asks)
    assert bench.refusal == ""
    bench.run()
    assert bench.shutdown_requested
    assert bench.refusal == "still counting"
    assert not bench.finished


def test_a_request_committed_in_a_crash_is_not_forgotten() -> None:
    def asks(actor: Actor) -> None:
        actor.request_shutdown()
        actor.commit()

    bench = Bench()
    bench.actor(asks)
    bench.crash_at("commit:epoch")
    bench.run()
    bench.run(turns=0)
    assert bench.shutdown_requested


def test_a_behavior_on_the_bench_may_be_any_function_with_a_logger(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench("talker")
    bench.actor(lambda actor, text: actor.log.warning(text), "hello")
    with caplog.at_level(logging.WARNING):
        bench.run()
    assert caplog.record_tuples == [("talker", logging.WARNING, "hello")]
    assert bench.finished


@pytest.mark.parametrize("usual", [logging.DEBUG, logging.ERROR])
def test_what_is_below_the_level_is_not_kept_whatever_others_want(usual: int, caplog: pytest.LogCaptureFixture) -> None:
    def talker(actor: Actor) -> None:
        actor.log.debug("debug")
        actor.log.info("info")

    bench = Bench()
    bench.actor(talker)
    with caplog.at_level(usual):
        bench.run()
    assert bench.lines == ["info"]
    assert ("debug" in caplog.messages) == (usual == logging.DEBUG)


def test_an_input_that_is_too_small_says_so() -> None:
    _, numbers, _, _ = put_on_bench(capacity=2)
    numbers.send_all([1])
    with pytest.raises(SteadyError, match="2 messages for room for 1: give the input a larger capacity"):
        numbers.send_all([2, 3])
    assert numbers.left() == 1


def test_things_are_done_in_their_order() -> None:
    bench = Bench()
    numbers = bench.input()
    with pytest.raises(ConfigurationError, match="put an actor on the bench first"):
        bench.run()
    with pytest.raises(ConfigurationError, match="put an actor on the bench first"):
        numbers.send_all([1])
    bench.actor(lambda _actor, _numbers: None, numbers.end)
    for too_late in (bench.input, bench.output):
        with pytest.raises(ConfigurationError, match="declare inputs and outputs before the actor"):
            too_late()


def test_what_cant_be_pickled_is_refused_on_the_bench_too() -> None:
    bench = Bench()
    with pytest.raises(ConfigurationError, match=r"actor 'actor': options\['key'\] is a _thread.lock"):
        bench.actor(lambda _actor, options: options, {"key": threading.Lock()})


def test_a_manual_clock_goes_forward_only() -> None:
    clock = ManualClock(5.0)
    clock.advance(1.5)
    assert clock() == 6.5
    with pytest.raises(ValueError, match="can't go back"):
        clock.advance(-1.0)


# Behind the end of a life


def stops(actor: Actor, results: Tx[str]) -> None:
    results.send("bye")
    actor.request_shutdown()


@pytest.mark.parametrize("point", ["commit:epoch", "commit:publish", "commit:published", "commit:done"])
def test_who_dies_behind_its_last_commit_has_finished(point: str) -> None:
    bench = Bench()
    results = bench.output()
    bench.actor(stops, results.end)
    bench.crash_at(point)
    bench.run()
    assert (bench.crashed, bench.finished, bench.shutdown_requested) == (True, True, True)
    results.assert_all(["bye"])  # as behind any death, the neighbours see what holds
    assert results.is_closed()
    bench.run()
    assert (bench.crashed, bench.generation) == (False, 1)


def test_who_dies_before_its_last_commit_has_not_finished() -> None:
    bench = Bench()
    results = bench.output()
    bench.actor(stops, results.end)
    bench.crash_at("commit:journal")
    bench.run()
    assert (bench.finished, results.avail(), bench.shutdown_requested) == (False, 0, False)
    bench.run()
    assert bench.finished
    results.assert_all(["bye"])


@pytest.mark.parametrize("point", ["", "commit:journal", "commit:done", "park:sleep"])
def test_a_life_that_is_over_does_nothing_any_more(point: str) -> None:
    def holds_on(actor: Actor, numbers: Rx[int], doubles: Tx[object]) -> None:
        try:
            while actor.is_running():
                doubles.send(2 * numbers.take())
        finally:
            doubles.send("bye")
            actor.request_shutdown()
            actor.commit()

    bench = Bench()
    numbers, doubles = bench.input(), bench.output()
    bench.actor(holds_on, numbers.end, doubles.end)
    numbers.send_all([1, 2])
    if point:
        bench.crash_at(point, 2 if point.startswith("commit") else 1)
    bench.run()
    assert bench.crashed == bool(point)
    assert numbers.left() == {"commit:journal": 1}.get(point, 0)
    bench.run()
    doubles.assert_all([2, 4])
    assert not bench.shutdown_requested


def test_time_does_not_pass_for_who_is_dead() -> None:
    def lingers(actor: Actor, numbers: Rx[int]) -> None:
        try:
            numbers.take()
        finally:
            for _ in range(3):
                with contextlib.suppress(BaseException):
                    actor.await_for_all(actor.wait_timeout(1.0))

    bench = Bench()
    numbers = bench.input()
    bench.actor(lingers, numbers.end)
    bench.run(seconds=10.0)
    assert bench.clock() == 0.0
    assert not bench.finished


@pytest.mark.parametrize("last_word", [ValueError, SystemExit])
def test_what_a_dead_life_raises_is_lost(last_word: type[BaseException]) -> None:
    def translates(_actor: Actor, numbers: Rx[int]) -> None:
        try:
            numbers.take()
        except BaseException as error:
            raise last_word from error

    bench = Bench()
    numbers = bench.input()
    bench.actor(translates, numbers.end)
    bench.run()
    assert not bench.finished
    numbers.close()
    with pytest.raises(last_word):  # this life is not over: that its input is, is an error of the behavior's own
        bench.run()


def test_ctrl_c_comes_through_whatever_is_over() -> None:
    def interrupted(_actor: Actor, numbers: Rx[int]) -> None:
        try:
            numbers.take()
        finally:
            raise KeyboardInterrupt

    bench = Bench()
    numbers = bench.input()
    bench.actor(interrupted, numbers.end)
    with pytest.raises(KeyboardInterrupt):
        bench.run()


# Room and time


def test_a_message_may_be_as_large_as_in_a_graph() -> None:
    def sends(_actor: Actor, results: Tx[bytes]) -> None:
        results.send(b"x" * 1_000_000)

    bench = Bench()
    results = bench.output()
    bench.actor(sends, results.end)
    bench.run()
    assert results.take_all() == [b"x" * 1_000_000]


@pytest.mark.parametrize(
    ("dtype", "batch", "error"),
    [
        (None, ["one", lambda: None], NotPicklable),
        (None, ["one", "x" * 9000], MessageTooLarge),
        ("q", [1, "two"], DoesNotFit),
        (bytes, [b"one", 2], DoesNotFit),
    ],
)
def test_of_what_cant_be_sent_nothing_is_sent(dtype: Any, batch: list[Any], error: type[SteadyError]) -> None:
    bench = Bench()
    numbers = bench.input(dtype=dtype, ring_bytes=None if dtype == "q" else 4096)
    bench.actor(lambda _actor, _numbers: None, numbers.end)
    with pytest.raises(error):
        numbers.send_all(batch, close=True)
    assert numbers.left() == 0
    numbers.send_all(batch[:1])
    assert numbers.left() == 1


@pytest.mark.parametrize("dtype", [None, bytes])
def test_of_more_bytes_than_there_is_room_for_nothing_is_sent(dtype: Any) -> None:
    bench = Bench()
    numbers = bench.input(dtype=dtype, name="numbers", ring_bytes=4096)
    bench.actor(lambda _actor, _numbers: None, numbers.end)
    numbers.send_all([b"x" * 1000])
    with pytest.raises(
        SteadyError, match="message 4 of 4: the ring of numbers, 4096 bytes, has too few of them free: give"
    ):
        numbers.send_all([b"y" * 1000] * 4)
    assert numbers.left() == 1
    numbers.send_all([b"z" * 1000], close=True)
    assert numbers.left() == 2
    with pytest.raises(ClosedByMe, match="'numbers' was closed by this actor"):
        numbers.send_all([b"1"])


def test_beats_that_add_up_to_the_time_are_all_there() -> None:
    def beats(actor: Actor, ticks: Tx[int]) -> None:
        beat = actor.wait_periodic(0.1)
        while actor.is_running():
            if actor.await_for_all(beat):
                ticks.send(0)

    bench = Bench()
    ticks = bench.output()
    bench.actor(beats, ticks.end)
    bench.run(seconds=0.3)
    ticks.assert_all([0, 0, 0])
