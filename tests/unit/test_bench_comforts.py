"""What makes a test on the bench short, and its failure readable."""

from __future__ import annotations

import functools
import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ConfigurationError, Rx, RxBundle, StateError, SteadyState, Tx, TxBundle
from steady_mp.testing import Bench

if TYPE_CHECKING:
    from steady_mp import Actor


@dataclass
class Tally:
    count: int = 0


def doubler(actor: Actor, numbers: Rx[int], doubles: Tx[int], state: SteadyState[Tally]) -> None:
    tally = state.acquire(Tally)
    while actor.is_running():
        number = numbers.take()
        tally.count += 1
        actor.log.info("doubles %d", number)
        doubles.send(2 * number)


def put_on_bench(**options: Any) -> tuple[Bench, Any, Any, Any]:
    bench = Bench("doubler", **options)
    numbers, doubles, state = bench.input(name="numbers"), bench.output(name="doubles"), bench.state()
    bench.actor(doubler, numbers.end, doubles.end, state)
    return bench, numbers, doubles, state


def three_doubled() -> tuple[Bench, Any]:
    bench, numbers, doubles, _ = put_on_bench()
    numbers.send_all([1, 2, 3])
    bench.run()
    return bench, doubles


# Assertions


def test_all_that_was_sent_is_compared_and_taken() -> None:
    _, doubles = three_doubled()
    doubles.assert_all([2, 4, 6])
    doubles.assert_all([])


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ([2, 4], r"^doubles: message 2 differs \(2 expected, 3 sent: 0 missing, 1 extra\)"),
        ([2, 5, 6], r"^doubles: message 1 differs \(3 expected, 3 sent: 1 missing, 1 extra\)"),
        ([2, 4, 6, 8], r"^doubles: message 3 differs \(4 expected, 3 sent: 1 missing, 0 extra\)"),
    ],
)
def test_anything_else_is_told_and_taken_too(expected: list[int], told: str) -> None:
    _, doubles = three_doubled()
    with pytest.raises(AssertionError, match=told):
        doubles.assert_all(expected)
    assert doubles.avail() == 0


def test_a_prefix_leaves_the_rest() -> None:
    bench, doubles = three_doubled()
    doubles.assert_prefix([2])
    doubles.assert_prefix(iter([4]))
    assert doubles.avail() == 1
    bench.run()
    with pytest.raises(AssertionError, match=r"message 2 differs \(2 expected, 1 sent: 2 missing, 1 extra\)"):
        doubles.assert_prefix([7, 8])


def test_numbers_in_a_difference_are_positions_in_the_channel() -> None:
    bench, numbers, doubles, _ = put_on_bench()
    for number in range(3):
        numbers.send_all([number])
        bench.run()
        if number < 2:
            doubles.assert_all([2 * number])
    with pytest.raises(AssertionError, match="message 2 differs"):
        doubles.assert_all([5])


# Running until


def test_a_run_ends_with_the_turn_behind_which_a_condition_holds() -> None:
    bench, numbers, doubles, state = put_on_bench()
    numbers.send_all(range(10))
    bench.run(until=lambda: doubles.avail() == 4)
    assert (doubles.avail(), numbers.left()) == (4, 6)
    bench.run(until=lambda: bench.saved(state) == Tally(7))
    assert numbers.left() == 3
    bench.run(until=lambda: numbers.left() == 3)  # holds before the first turn
    assert numbers.left() == 3


def test_a_condition_that_never_holds_is_a_failure() -> None:
    bench, numbers, doubles, _ = put_on_bench()
    numbers.send_all(range(3))
    never = "and what `until` asks for did not come to hold"
    with pytest.raises(AssertionError, match=f"'doubler' ended life 1, {never}"):
        bench.run(until=lambda: doubles.avail() == 4)
    with pytest.raises(AssertionError, match=f"ended life 2, {never}"):
        bench.run(turns=2, until=lambda: doubles.avail() == 4)
    numbers.close()
    for _ in range(2):
        with pytest.raises(AssertionError, match=f"'doubler' has finished, {never}"):
            bench.run(until=lambda: doubles.avail() == 4)
    bench.run(until=doubles.avail)


def test_a_condition_that_the_last_turn_brings_is_met() -> None:
    bench, numbers, _, _ = put_on_bench()
    numbers.send_all([1], close=True)
    bench.run(until=lambda: bench.finished)


def test_a_life_can_run_no_other_one() -> None:
    bench, _, _, _ = put_on_bench()
    with pytest.raises(ConfigurationError, match="'doubler' is running: what it calls can't run it again"):
        bench.run(until=bench.run)


def test_a_planned_crash_may_come_before_the_condition() -> None:
    bench, numbers, doubles, _ = put_on_bench()
    numbers.send_all(range(9))
    bench.crash_at("commit:begin", 3)
    bench.run(until=lambda: doubles.avail() == 5)
    assert bench.crashed
    bench.run(until=lambda: doubles.avail() == 5)
    doubles.assert_all([0, 2, 4, 6, 8])


# Crashes


def test_a_crash_at_a_point_that_does_not_exist_is_refused() -> None:
    bench = Bench()
    for point, hit in (("commit:jornal", 1), ("commit:journal", 0)):
        with pytest.raises(
            ConfigurationError, match=rf"crash_at\('{point}', {hit}\): hit 1 or more of one of start:beg"
        ):
            bench.crash_at(point, hit)


# States


def test_an_actor_can_begin_with_a_given_state() -> None:
    bench = Bench()
    numbers, doubles, state = bench.input(), bench.output(), bench.state()
    bench.with_state(state, Tally(count=40))
    bench.actor(doubler, numbers.end, doubles.end, state)
    assert bench.saved(state) == Tally(count=40)
    numbers.send_all([1, 2])
    bench.run()
    assert bench.saved(state) == Tally(count=42)
    assert bench.generation == 1


def test_a_state_can_be_given_between_two_lives_and_leaves_all_else() -> None:
    def both(actor: Actor, numbers: Rx[int], one: SteadyState[Tally], other: SteadyState[list[int]]) -> None:
        tally, seen = one.acquire(Tally), other.acquire(list)
        while actor.is_running():
            seen.append(numbers.take())
            tally.count += 1

    bench = Bench()
    numbers, one, other = bench.input(), bench.state(), bench.state()
    bench.actor(both, numbers.end, one, other)
    numbers.send_all("ab")
    bench.run(turns=1)
    bench.with_state(one, Tally(100))
    assert numbers.left() == 1
    bench.run()
    assert (bench.saved(one), bench.saved(other)) == (Tally(101), ["a", "b"])


def test_a_state_that_cant_be_saved_is_refused() -> None:
    bench, _, _, state = put_on_bench()
    with pytest.raises(StateError, match="can't be pickled"):
        bench.with_state(state, [lambda: None])


def test_a_state_is_given_where_a_life_follows() -> None:
    bench, numbers, _, state = put_on_bench()
    numbers.send_all([1], close=True)
    with pytest.raises(ConfigurationError, match="a state can be given before a life, not in the middle of a life"):
        bench.run(until=lambda: bench.with_state(state, Tally()))
    bench.run()
    with pytest.raises(ConfigurationError, match="not behind the last life: the actor has finished"):
        bench.with_state(state, Tally())


def test_a_state_of_another_bench_is_refused() -> None:
    bench = Bench()
    for wrong in (Bench().state(), bench.input().end, Tally()):
        for use in (bench.saved, lambda state: bench.with_state(state, 1)):
            with pytest.raises(ConfigurationError, match=r"is no state of this bench: bench.state\(\) makes one"):
                use(wrong)  # type: ignore[arg-type]


# Lines


def test_what_an_actor_says_is_kept_in_order() -> None:
    def talker(actor: Actor) -> None:
        print("printed")  # noqa: T201 - what is tested
        actor.log.info("logged %d", actor.generation)
        actor.log.debug("too low")
        print("to stderr", file=sys.stderr)  # noqa: T201
        logging.getLogger("some.library").error("by a library\nin two lines")
        print("without", end=" ")  # noqa: T201
        print("an end", end="", flush=True)  # noqa: T201

    bench = Bench("talker")
    bench.actor(talker)
    bench.run()
    assert bench.lines == [
        "printed",
        "logged 1",
        "to stderr",
        "ERROR: by a library",
        "in two lines",
        "without an end",
    ]


def test_an_output_is_still_all_that_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    def writer(_actor: Actor) -> None:
        sys.stdout.writelines(["one\n", "two", "\n"])
        sys.stdout.flush()
        assert sys.stdout.encoding == usual.encoding
        assert not sys.stdout.isatty()

    usual = sys.stdout
    bench = Bench()
    bench.actor(writer)
    bench.run()
    assert bench.lines == ["one", "two"]
    assert capsys.readouterr().out == "one\ntwo\n"


def test_lines_are_kept_for_the_capture_of_the_test_as_well(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def talker(actor: Actor) -> None:
        print("life", actor.generation)  # noqa: T201 - what is tested
        actor.log.info("in it")

    bench = Bench()
    bench.actor(talker)
    bench.run()
    print("afterwards")  # noqa: T201
    logging.getLogger().info("afterwards")
    assert capsys.readouterr().out == "life 1\nafterwards\n"
    assert caplog.messages == ["in it"]
    assert bench.lines == ["life 1", "in it"]


@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_the_level_of_the_run_counts_and_is_taken_back(level: int) -> None:
    def fails(actor: Actor) -> None:
        actor.log.debug("debug")
        actor.log.warning("warning")
        message = "on purpose"
        raise ValueError(message)

    root = logging.getLogger()
    before = (root.level, root.handlers[:], sys.stdout, sys.stderr)
    bench = Bench(log_level=level)
    bench.actor(fails)
    with pytest.raises(ValueError, match="on purpose"):
        bench.run()
    assert (root.level, root.handlers[:], sys.stdout, sys.stderr) == before
    assert bench.lines == (["debug"] if level == logging.DEBUG else []) + ["WARNING: warning"]


def test_all_lives_say_their_lines_and_what_was_not_said_is_told() -> None:
    bench, numbers, _, _ = put_on_bench()
    for number in (1, 2):
        numbers.send_all([number])
        bench.run()
    bench.assert_logged("doubles 1")
    bench.assert_logged("2")
    with pytest.raises(
        AssertionError, match=r"'doubler' has not said 'doubles 3'; it has said:\n  doubles 1\n  doubles 2$"
    ):
        bench.assert_logged("doubles 3")
    with pytest.raises(AssertionError, match=r"has not said 'x'; it has said: nothing$"):
        Bench().assert_logged("x")


# Bundles


def merge(actor: Actor, inputs: RxBundle[int], outputs: TxBundle[int]) -> None:
    """Send each number to the lane that it came from, and the sum so far to the last one."""
    total = 0
    while actor.is_running():
        lane = actor.await_for_lane(inputs.wait_avail(1))
        if lane is not None:
            number = inputs[lane].take()
            total += number
            outputs[lane].send(number)
            outputs[len(outputs) - 1].send(total)


def test_bundles_are_fed_and_read_lane_by_lane() -> None:
    bench = Bench()
    inputs, outputs = bench.input_bundle(2, name="in"), bench.output_bundle(3, 4)
    bench.actor(merge, inputs.end, outputs.end)
    inputs[0].send_all([1, 2])
    inputs[1].send_all([10])
    bench.run()
    assert (len(inputs), len(outputs)) == (2, 3)
    assert [lane.avail() for lane in outputs] == [2, 1, 3]
    assert outputs.take_all() == [[1, 2], [10], [1, 11, 13]]
    inputs.close()
    bench.run()
    assert bench.finished
    assert all(lane.is_closed() for lane in outputs)


def test_a_lane_has_the_name_of_its_bundle() -> None:
    bench = Bench()
    inputs, outputs = bench.input_bundle(1), bench.output_bundle(2, name="sums")
    bench.actor(merge, inputs.end, outputs.end)
    with pytest.raises(AssertionError, match=r"^sums\[1\]: message 0 differs"):
        outputs[1].assert_all([1])


# What does not fit


def test_a_behavior_that_cant_be_called_with_its_arguments_is_refused() -> None:
    bench = Bench("doubler")
    numbers, doubles, state = bench.input(name="numbers"), bench.output(name="doubles"), bench.state()
    with pytest.raises(
        ConfigurationError,
        match=r"actor 'doubler': doubler\(actor, …\) can't take 2 arguments: missing a required argument: 'state'",
    ):
        bench.actor(doubler, numbers.end, doubles.end)
    with pytest.raises(ConfigurationError, match="can't take 4 arguments: too many positional arguments"):
        bench.actor(doubler, numbers.end, doubles.end, state, 1)
    with pytest.raises(ConfigurationError, match=r"partial.*can't take 3 arguments"):
        bench.actor(functools.partial(doubler, state=state), numbers.end, 1, 2)


@pytest.mark.parametrize("count", [0, -1, 1.5, True])
def test_sizes_that_make_no_sense_are_refused(count: Any) -> None:
    bench = Bench()
    for make, what in (
        (lambda: bench.input(count), "capacity"),
        (lambda: bench.output(count), "capacity"),
        (lambda: bench.input(1, ring_bytes=count), "ring_bytes"),
        (lambda: bench.input_bundle(count), "lanes"),
        (lambda: bench.output_bundle(count), "lanes"),
    ):
        with pytest.raises(ConfigurationError, match=f"^{what} {count}: must be a whole number from"):
            make()


def test_an_end_of_the_wrong_kind_is_refused() -> None:
    def swapped(actor: Actor, numbers: Rx[int]) -> None: ...

    swapped.__annotations__.update(actor=object, numbers=Rx[int])  # what is imported for types only can't be looked up
    bench = Bench()
    doubles = bench.output(name="doubles")
    with pytest.raises(
        ConfigurationError,
        match=r"parameter 'numbers' wants a receiving end \(Rx\) and was given the sending end of dou",
    ):
        bench.actor(swapped, doubles.end)


def test_an_end_that_is_not_handed_over_is_refused() -> None:
    bench = Bench()
    numbers, _ = bench.input(name="numbers"), bench.output(name="doubles")
    with pytest.raises(
        ConfigurationError, match="'actor' is not handed the sending end of doubles: hand it over, or do"
    ):
        bench.actor(lambda _actor, _numbers: None, numbers.end)


def test_an_end_of_another_bench_is_refused() -> None:
    numbers = Bench().input(name="numbers")
    with pytest.raises(ConfigurationError, match="the receiving end of numbers belongs to another bench"):
        Bench().actor(lambda _actor, _numbers: None, numbers.end)
