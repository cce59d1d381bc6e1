"""Scripts of a scripted actor, and those of its steps that spare the process that plays them."""

from __future__ import annotations

import os
import pickle
import signal
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ConfigurationError
from steady_mp.testing import Bench
from steady_mp.testing.scripted import Script, claim, perform
from steady_mp.testing.simulation import simulate
from steady_mp.testing.steps import (
    Commit,
    Diary,
    Die,
    Exit,
    ExitNow,
    Freeze,
    HangAsleep,
    HangBusy,
    HangInC,
    LeakDescriptor,
    LeakMemory,
    LeakProcess,
    LiveOn,
    OneOfAKind,
    PassOn,
    Raise,
    RaiseUnpicklable,
    Refuse,
    RequestShutdown,
    Say,
    Send,
    Step,
    Take,
)

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp import Graph

ALONE: tuple[Step, ...] = (
    *(Die(), Die(signal.SIGTERM), ExitNow(3), HangBusy(), HangAsleep(), HangInC()),
    *(Freeze(), LeakDescriptor(), LeakProcess()),
)


def put_on_bench(*lives: list[Step]) -> tuple[Bench, Any, Any, Any]:
    """Put an actor with one input, one output and a diary on a bench."""
    bench = Bench("scripted")
    numbers, results, diary = bench.input(), bench.output(), bench.state()
    bench.actor(perform, Script.each_life(*lives), numbers.end, results.end, diary)
    return bench, numbers, results, diary


def test_the_steps_of_a_life_are_played_in_order_and_then_it_has_finished(capsys: pytest.CaptureFixture[str]) -> None:
    bench, numbers, results, diary = put_on_bench([Say("first"), Take(2), Send("ab"), Say("last")])
    numbers.send_all(range(3))
    bench.run()
    assert capsys.readouterr().out == "first\nlast\n"
    assert results.take_all() == ["a", "b"]
    assert results.is_closed()
    assert bench.finished
    assert bench.saved(diary) == Diary(lives=[1], taken=2, sent=2)


def test_each_life_has_its_steps_and_the_last_ones_are_for_all_further_lives() -> None:
    bench, _, results, diary = put_on_bench([Send([1]), Raise()], [Send([2]), Commit(), Raise()], [Send([3]), Raise()])
    for _ in range(4):
        with pytest.raises(RuntimeError, match="on order"):
            bench.run()
    assert results.take_all() == [2]  # what was not committed is undone
    assert bench.saved(diary) == Diary(lives=[1, 2, 3, 4], sent=1)


def test_what_is_passed_on_counts_by_position_not_by_life() -> None:
    bench, numbers, results, diary = put_on_bench([PassOn(until=3), Take(), Raise(ValueError, "no")], [PassOn()])
    numbers.send_all("abcde", close=True)
    with pytest.raises(ValueError, match="no"):
        bench.run()
    assert numbers.left() == 2
    bench.run()
    assert bench.finished
    assert results.take_all() == list("abcde")
    assert bench.saved(diary) == Diary(lives=[1, 2], taken=5, sent=5)


@pytest.mark.parametrize("life", [[PassOn(until=3), Raise()], [Take(3), Raise()]])
def test_a_stream_that_ends_too_early_finishes_the_actor(life: list[Step]) -> None:
    bench, numbers, _, _ = put_on_bench(life)
    numbers.send_all("ab", close=True)
    bench.run()
    assert bench.finished


def test_steps_behind_the_end_of_a_stream_are_played_where_it_was_to_be_expected() -> None:
    bench, numbers, _, _ = put_on_bench([PassOn(), Raise(ValueError, "at the very end")])
    numbers.send_all("ab", close=True)
    with pytest.raises(ValueError, match="at the very end"):
        bench.run()


def test_ends_are_named_by_their_places_among_inputs_and_outputs() -> None:
    bench = Bench()
    first, one, second, other = bench.input(), bench.output(), bench.input(), bench.output()
    script = Script.each_life([Take(2, input=1), Send("x", output=1), PassOn(until=1, output=1), Send("y")])
    bench.actor(perform, script, first.end, one.end, second.end, other.end)
    first.send_all([1])
    second.send_all([2, 3])
    bench.run()
    assert (first.left(), second.left()) == (0, 0)
    assert (one.take_all(), other.take_all()) == (["y"], ["x", 1])


def test_a_good_actor_drops_what_comes_and_stops_with_its_inputs() -> None:
    bench, numbers, results, diary = put_on_bench([LiveOn()])
    numbers.send_all(range(3))
    bench.run()
    assert (numbers.left(), bench.finished) == (0, False)
    numbers.send_all(range(2), close=True)
    bench.run()
    assert bench.finished
    assert results.is_closed()
    assert bench.saved(diary) == Diary(lives=[1, 2], taken=5)


def test_a_good_actor_without_inputs_stops_with_the_graph() -> None:
    bench = Bench()
    bench.actor(perform, Script.each_life([LiveOn()]))
    bench.run()
    assert not bench.finished
    bench.request_shutdown()
    bench.run()
    assert bench.finished


def test_a_refusal_has_a_reason_and_no_end() -> None:
    bench, numbers, _, _ = put_on_bench([Refuse("3 orders unpaid")])
    numbers.send_all(range(3), close=True)
    bench.request_shutdown()
    for _ in range(3):
        bench.run(seconds=1e6)
        assert not bench.finished
    assert bench.refusal == "3 orders unpaid"
    assert numbers.left() == 0


def test_an_actor_without_inputs_can_refuse_too() -> None:
    bench = Bench()
    bench.actor(perform, Script.each_life([Refuse("never")]))
    bench.request_shutdown()
    bench.run(seconds=1e6)
    assert (bench.finished, bench.refusal) == (False, "never")


def test_a_shutdown_is_asked_for_in_the_turn() -> None:
    bench, _, _, _ = put_on_bench([RequestShutdown(), Raise()], [RequestShutdown()])
    with pytest.raises(RuntimeError):
        bench.run()
    assert not bench.shutdown_requested
    bench.run()
    assert bench.shutdown_requested


def test_an_error_that_cant_be_pickled() -> None:
    bench, _, _, _ = put_on_bench([RaiseUnpicklable("one of a kind")])
    with pytest.raises(OneOfAKind, match="one of a kind") as caught:
        bench.run()
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        pickle.dumps(caught.value)


def test_an_exit_is_an_exit_on_the_bench_too() -> None:
    bench, _, _, _ = put_on_bench([Exit(7)])
    with pytest.raises(SystemExit) as caught:
        bench.run()
    assert caught.value.code == 7


def test_leaked_memory_is_there_and_goes_with_the_life() -> None:
    def resident() -> int:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - shorter
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    class Look(Step):
        def play(self, scene: Any) -> None:  # noqa: ARG002
            seen.append(resident())

    size = 64 << 20
    seen: list[int] = [resident()]
    for _ in range(2):
        bench = Bench()
        bench.actor(lambda actor: perform(actor, Script.each_life([LeakMemory(size), Look()])))
        bench.run()
    assert seen[1] - seen[0] > 0.9 * size
    assert seen[2] - seen[1] < 0.1 * size  # the allocator may keep it, for the next life


@pytest.mark.parametrize("step", ALONE, ids=str)
def test_what_would_strike_the_test_itself_is_refused_before_anything_is_played(step: Step) -> None:
    bench, _, results, diary = put_on_bench([Send([1]), Commit(), step])
    with pytest.raises(ConfigurationError, match=r"would strike the test itself: play it in a graph") as caught:
        bench.run()
    assert str(caught.value).startswith(str(step))
    assert results.take_all() == []
    assert bench.saved(diary) is None


@pytest.mark.parametrize("step", ALONE, ids=str)
def test_what_would_strike_the_test_itself_is_refused_in_a_simulation_too(step: Step) -> None:
    def build(graph: Graph) -> None:
        graph.actor("scripted", perform, Script.each_life([Raise()], [step], [Say("a life that goes well")]))

    with pytest.raises(ConfigurationError, match=r"would strike the test itself: play it in a graph") as caught:
        simulate(build)
    assert str(caught.value).startswith(str(step))


def test_a_script_is_a_value_that_shows_what_it_says() -> None:
    script = Script.each_life([Take(3), Die()], [LiveOn()])
    assert pickle.loads(pickle.dumps(script)) == script  # noqa: S301 - made in this line
    assert [script.life(n) for n in (1, 2, 3)] == [(Take(3), Die()), (LiveOn(),), (LiveOn(),)]
    assert repr(script.life(1)[0]) == "Take(count=3, input=0)"


def test_a_wrong_script_says_what_is_wrong() -> None:
    wrong: Any
    for wrong, wanted in (
        ((), r"Script.each_life\(\): give it a list of steps for each life"),
        (([Take()], Take()), r"life 2 is Take\(count=1, input=0\), a single step: put it into a list"),
        (([Take(), Take],), r"life 1 has <class .*Take'>, which is no step of steady_mp.testing.steps"),
        (([Take()], 7), r"life 2 has 7, which is no step"),
    ):
        with pytest.raises(ConfigurationError, match=wanted):
            Script.each_life(*wrong)


@pytest.mark.parametrize("number", [0, -1, 1000, signal.SIGCHLD, signal.SIGSTOP, signal.SIGCONT])
def test_nobody_dies_of_a_harmless_signal(number: int) -> None:
    with pytest.raises(ConfigurationError, match="no process dies of that; name a signal that ends one"):
        Die(number)


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        (Take(input=1), "the script wants input 1 of an actor that has 1: hand it another Rx"),
        (Send("x", output=2), "the script wants output 2 of an actor that has 1: hand it another Tx"),
        (PassOn(input=-1), "the script wants input -1 of an actor that has 1"),
    ],
)
def test_an_end_that_is_not_there_is_named(step: Step, wanted: str) -> None:
    bench, _, _, _ = put_on_bench([step])
    with pytest.raises(ConfigurationError, match=wanted):
        bench.run()


def test_what_is_no_end_is_refused() -> None:
    bench = Bench()
    bench.actor(perform, Script.each_life([LiveOn()]), 7)
    with pytest.raises(ConfigurationError, match="perform was handed 7: it takes ends of channels"):
        bench.run()


@pytest.mark.parametrize("letter", ["a", "ü", "名", "🐟", "/", "%"])
def test_each_name_that_an_actor_may_have_has_a_claim_of_its_own(letter: str, tmp_path: Path) -> None:
    held = [claim(tmp_path, name, 1) for name in (letter, letter * 63 + "b", letter * 63 + "c")]
    assert len(list(tmp_path.iterdir())) == len(held)
    for fd in held:
        os.close(fd)
