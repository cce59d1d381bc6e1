"""Nobody spins while the graph drains: loop passes are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.testing import Bench
from steady_mp.testing.rig import Overslept, Rig

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Actor, Rx, Tx

#: More passes than any of these loops needs; a loop that spins would go on for ever.
MANY = 50


class Loop:
    """A behavior that counts the passes of its loop and ends the test where they are too many."""

    def __init__(self, body: Callable[..., object]) -> None:
        self.body = body
        self.passes = 0
        self.answers: list[object] = []

    def run(self, actor: Actor, *args: Any) -> None:
        while actor.is_running():
            self.passes += 1
            assert self.passes <= MANY, "the loop spins"
            self.answers.append(self.body(actor, *args))


def one_of_each(actor: Actor, rx: Rx[int], tx: Tx[int]) -> bool:
    return actor.await_for_all(rx.wait_avail(1), tx.wait_vacant(1))


def two_waits(actor: Actor, rx: Rx[int], tx: Tx[int]) -> tuple[bool, bool]:
    return actor.await_for_all(rx.wait_avail(2)), actor.await_for_any(rx.wait_avail(1), tx.wait_empty())


def nested(actor: Actor, rx: Rx[int], tx: Tx[int]) -> bool:
    return actor.await_for_all_or_proceed_upon(rx.wait_avail(3), tx.wait_vacant(1), rx.wait_avail(2))


BODIES = [one_of_each, two_waits, nested]


def bench_with(loop: Loop) -> tuple[Bench, Any, Any]:
    bench = Bench()
    rx, tx = bench.input(4), bench.output(1)
    bench.actor(loop.run, rx.end, tx.end)
    return bench, rx, tx


@pytest.mark.parametrize("body", BODIES)
def test_an_actor_whose_input_stays_open_parks(body: Callable[..., object]) -> None:
    loop = Loop(body)
    bench, rx, _ = bench_with(loop)
    bench.request_shutdown()
    bench.run()
    assert not bench.finished
    assert loop.passes <= 3
    rx.close()
    bench.run()
    assert bench.finished


def test_false_comes_once_and_again_only_after_something_changed() -> None:
    rig = Rig()
    it, left, right, out = (rig.party(name) for name in ("it", "left", "right", "out"))
    a, b, c = rig.channel(left, it), rig.channel(right, it), rig.channel(it, out)
    rig.start()
    actor, has_a = it.actor(), it.rx(a).wait_avail(1)
    rig.request_shutdown()

    def close() -> None:
        right.tx(b).mark_closed()
        right.turn.commit()

    assert not actor.await_for_all(has_a)
    changes: list[Callable[[], object]] = [
        lambda: right.send(b, 1),
        lambda: it.rx(b).take(),
        lambda: it.tx(c).send(1),
        lambda: out.take(c),
        close,
    ]
    for change in changes:
        with pytest.raises(Overslept):
            actor.await_for_all(has_a)
        change()
        assert not actor.await_for_all(has_a)
    left.send(a, 1)
    assert actor.await_for_all(has_a)


def test_a_wait_that_nothing_can_meet_parks_without_a_shutdown_too() -> None:
    loop = Loop(lambda actor, few, other: actor.await_for_all(few.wait_avail(3), other.wait_avail(1)))
    bench = Bench()
    few, other = bench.input(), bench.input()
    bench.actor(loop.run, few.end, other.end)
    few.send_all([1, 2], close=True)
    bench.run()
    assert loop.answers == [False]
    other.send_all([1])  # a change: it is told once more that three will never come
    bench.run()
    assert loop.answers == [False, False]


def test_a_producer_whose_consumer_takes_nothing_parks() -> None:
    """It keeps an input that is open, so that it may not stop."""
    loop = Loop(lambda actor, rx, tx: actor.await_for_all(tx.wait_vacant(1)) and tx.send(rx.position()))
    bench, _, tx = bench_with(loop)
    bench.request_shutdown()
    bench.run()
    assert loop.passes <= 3
    tx.take_all()
    bench.run()
    assert loop.passes <= 6


@pytest.mark.parametrize("until", [False, True], ids=["a second each", "until a moment"])
def test_a_time_out_that_is_another_one_in_each_pass_is_the_same_question(
    until: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    def body(actor: Actor, rx: Rx[int], _tx: Tx[int]) -> bool:
        bench.clock.advance(1e-3)
        return actor.await_for_any(rx.wait_avail(1), actor.wait_timeout(9.5 - bench.clock() if until else 1.0))

    loop = Loop(body)
    bench, _, _ = bench_with(loop)
    bench.request_shutdown()
    bench.run(seconds=9.0)
    assert loop.passes <= (3 if until else 11)


def test_a_timed_wait_goes_on_with_its_times_in_a_shutdown() -> None:
    loop = Loop(lambda actor, rx, _tx: actor.await_for_any(rx.wait_avail(1), actor.wait_periodic(1.0)))
    bench, _, _ = bench_with(loop)
    bench.request_shutdown()
    bench.run(seconds=5.5)
    assert loop.answers == [False, True, True, True, True, True]


def test_a_veto_does_not_spin_either() -> None:
    class Vetoing(Loop):
        def run(self, actor: Actor, *args: Any) -> None:
            while actor.is_running(veto=lambda: "not yet"):
                self.passes += 1
                assert self.passes <= MANY, "the loop spins"
                self.body(actor, *args)

    loop = Vetoing(one_of_each)
    bench, rx, _ = bench_with(loop)
    rx.close()
    bench.request_shutdown()
    bench.run()
    assert not bench.finished
    assert bench.refusal == "not yet"
    assert loop.passes <= 3
