"""The four actors of the pipeline, each alone on a bench: no process, no thread, no waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors import generator, heartbeat, logger, worker
from actors.fizzbuzz import Value, Word, fizzbuzz
from actors.generator import GeneratorState
from actors.logger import LoggerState
from actors.worker import WorkerState
from steady_mp.testing import Bench
from steady_mp.testing.points import ON_BENCH

if TYPE_CHECKING:
    from steady_mp import Actor, Rx, RxBundle, SteadyState, Tx


def test_a_beat_turns_the_numbers_that_are_there_into_messages() -> None:
    bench = Bench("worker")
    beats, numbers, results, state = bench.input(), bench.input(), bench.output(), bench.state()
    bench.actor(worker.run, beats.end, numbers.end, results.end, state)
    numbers.send_all(range(6))
    beats.send_all([0])
    bench.run()
    results.assert_all([Word.FIZZBUZZ, Value(1), Value(2), Word.FIZZ, Value(4), Word.BUZZ])
    assert bench.saved(state) == WorkerState(beats=1, messages=6)


def test_the_generator_waits_for_room_and_then_goes_on() -> None:
    bench = Bench("generator")
    numbers, state = bench.output(capacity=3), bench.state()
    bench.actor(generator.run, numbers.end, state)
    bench.run()
    numbers.assert_all([0, 1, 2])
    bench.run(turns=2)
    numbers.assert_all([3, 4])


def test_a_heart_beats_on_time_and_stops_the_graph() -> None:
    bench = Bench("heartbeat")
    beats, state = bench.output(), bench.state()
    bench.actor(heartbeat.run, beats.end, 0.5, 3, state)
    bench.run(seconds=1.2)
    beats.assert_all([0, 1])
    assert bench.clock() == 1.0
    bench.run(seconds=10)
    beats.assert_all([2])
    assert bench.shutdown_requested
    assert bench.finished


def test_the_totals_are_the_last_line() -> None:
    bench = Bench("logger")
    results, state = bench.input(), bench.state()
    bench.with_state(state, LoggerState(fizz=7))
    bench.actor(logger.run, results.end, state)
    results.send_all([Word.FIZZ, Value(7)], close=True)
    bench.run()
    assert bench.lines == ["Msg Fizz", "Msg Value(7)", "Totals: FizzBuzz 0, Fizz 8, Buzz 0, Value 1"]
    assert bench.finished


@pytest.mark.parametrize("point", ON_BENCH)
def test_wherever_the_worker_dies_no_message_is_lost_or_doubled(point: str) -> None:
    bench = Bench("worker")
    beats, numbers, results, state = bench.input(), bench.input(), bench.output(), bench.state()
    bench.actor(worker.run, beats.end, numbers.end, results.end, state)
    for beat in range(3):
        numbers.send_all(range(5 * beat, 5 * beat + 5))
        beats.send_all([beat])
        bench.crash_at(point)
        bench.run()
        assert bench.crashed
    bench.run()
    results.assert_all(fizzbuzz(number) for number in range(15))


def test_a_generator_can_be_asked_for_just_enough() -> None:
    bench = Bench("generator")
    numbers, state = bench.output(), bench.state()
    bench.actor(generator.run, numbers.end, state)
    bench.run(until=lambda: bench.saved(state) == GeneratorState(value=5))
    numbers.assert_prefix([0, 1])
    assert numbers.take_all() == [2, 3, 4]


def test_a_worker_drains_without_beats() -> None:
    bench = Bench("worker")
    beats, numbers, results, state = bench.input(), bench.input(), bench.output(), bench.state()
    bench.actor(worker.run, beats.end, numbers.end, results.end, state)
    numbers.send_all([1, 2, 3], close=True)
    beats.close()
    bench.request_shutdown()
    bench.run()
    results.assert_all([Value(1), Value(2), Word.FIZZ])
    assert results.is_closed()


def merge(actor: Actor, inputs: RxBundle[int], total: Tx[int]) -> None:
    """Take from whichever lane has something, each in its turn."""
    while actor.is_running():
        lane = actor.await_for_lane(inputs.wait_avail(1))
        if lane is not None:
            total.send(inputs[lane].take())


def test_lanes_are_served_in_turn() -> None:
    bench = Bench("merge")
    inputs, total = bench.input_bundle(2), bench.output()
    bench.actor(merge, inputs.end, total.end)
    inputs[0].send_all([1, 2, 3])
    inputs[1].send_all([10])
    bench.run()
    total.assert_all([1, 10, 2, 3])


def settle(actor: Actor, orders: Rx[int], state: SteadyState[list[int]]) -> None:
    """Note each order, and refuse to stop while one is open."""
    unpaid = state.acquire(list)
    while actor.is_running(veto=lambda: f"{len(unpaid)} unpaid" if unpaid else None):
        if actor.await_for_all(orders.wait_avail(1)):
            unpaid.append(orders.take())


def test_it_stays_until_all_is_paid() -> None:
    bench = Bench("cashier")
    orders, state = bench.input(), bench.state()
    bench.actor(settle, orders.end, state)
    orders.send_all([17], close=True)
    bench.request_shutdown()
    bench.run()
    assert bench.refusal == "1 unpaid"
    bench.with_state(state, [])
    bench.run()
    assert bench.finished
