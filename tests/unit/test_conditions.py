"""What an actor can wait for, how conditions nest, and what the waits answer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp import ConfigurationError, all_of, any_of
from steady_mp.conditions import Condition
from steady_mp.memory import layout
from steady_mp.testing.rig import Overslept, Party, Rig, pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steady_mp.channel.waits import Alarm


class Fixed(Condition):
    """A condition that is as the test says."""

    def __init__(self, *, holds: bool, possible: bool = True) -> None:
        self._holds = holds
        self._possible = possible
        self.noted = 0

    @property
    def key(self) -> tuple[str, int]:
        return ("fixed", id(self))

    def holds(self) -> bool:
        return self._holds

    def impossible(self) -> bool:
        return not self._possible

    def arm(self, alarm: Alarm) -> None:
        """Nothing will change it."""

    def passed(self) -> None:
        self.noted += 1


Tree = tuple[Condition, bool, bool]


def trees() -> st.SearchStrategy[Tree]:
    """Draw nested conditions with what is right for them: whether they hold, whether they still can."""
    leaves = st.tuples(st.booleans(), st.booleans()).map(
        lambda drawn: (Fixed(holds=drawn[0], possible=drawn[1]), drawn[0], drawn[1])
    )

    def nest(parts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        several = st.lists(parts, min_size=1, max_size=3)
        both = several.map(lambda p: (all_of(*(c for c, _, _ in p)), all(h for _, h, _ in p), all(x for _, _, x in p)))
        either = several.map(
            lambda p: (any_of(*(c for c, _, _ in p)), any(h for _, h, _ in p), any(x for _, _, x in p))
        )
        return st.one_of(both, either)

    return st.recursive(leaves, nest, max_leaves=8)


@given(trees())
def test_nesting_means_what_it_says(tree: Tree) -> None:
    condition, holds, possible = tree
    assert condition.holds() == holds
    assert condition.impossible() == (not possible)


def test_only_the_parts_that_made_it_hold_take_note() -> None:
    near, far, off = Fixed(holds=True), Fixed(holds=True), Fixed(holds=False)
    any_of(all_of(near, off), far, off).passed()
    assert (near.noted, far.noted, off.noted) == (0, 1, 0)
    all_of(near, far).passed()
    assert (near.noted, far.noted) == (1, 2)


def test_the_same_question_has_the_same_key() -> None:
    _, source, sink, channel = pair()
    rx, tx, actor = sink.rx(channel), source.tx(channel), sink.actor()
    questions: list[Callable[[], Condition]] = [
        lambda: rx.wait_avail(1),
        lambda: tx.wait_vacant(2),
        tx.wait_empty,
        actor.wait_shutdown,
        lambda: actor.wait_periodic(1.0),
        lambda: actor.wait_timeout(1.0),
        lambda: actor.wait_readable(0),
        lambda: any_of(rx.wait_avail(1), all_of(tx.wait_empty(), actor.wait_shutdown())),
    ]
    for ask in questions:
        assert ask().key == ask().key
    assert rx.wait_avail(1).key != rx.wait_avail(2).key
    assert any_of(rx.wait_avail(1)).key != all_of(rx.wait_avail(1)).key


# Channels


def test_wait_avail_and_wait_vacant_hold_from_their_count_on() -> None:
    _, source, sink, channel = pair(capacity=4)
    for number in range(4):
        assert [sink.rx(channel).wait_avail(n).holds() for n in (1, 2, 3, 4)] == [number >= n for n in (1, 2, 3, 4)]
        assert [source.tx(channel).wait_vacant(n).holds() for n in (1, 2, 3, 4)] == [
            4 - number >= n for n in (1, 2, 3, 4)
        ]
        source.send(channel, number)


def test_no_more_than_the_capacity_is_waited_for() -> None:
    _, source, sink, channel = pair(capacity=2)
    assert source.tx(channel).wait_vacant(9).holds()
    source.send(channel, 1, 2)
    assert sink.rx(channel).wait_avail(9).holds()


def test_wait_empty_holds_once_the_consumer_has_committed_all() -> None:
    _, source, sink, channel = pair()
    empty = source.tx(channel).wait_empty()
    assert empty.holds()
    source.send(channel, 1, 2)
    sink.take(channel, 1)
    sink.rx(channel).take()
    assert not empty.holds()
    source.parker.plans.append(sink.turn.commit)
    assert source.actor().await_for_all(empty)


def test_wait_empty_works_behind_mark_closed_too() -> None:
    _, source, sink, channel = pair()
    source.tx(channel).send(1)
    source.tx(channel).mark_closed()
    source.parker.plans.append(lambda: sink.take(channel))
    assert source.actor().await_for_all(source.tx(channel).wait_empty())


def test_wait_empty_gives_up_when_the_consumer_leaves_something() -> None:
    _, source, sink, channel = pair()
    source.send(channel, 1)
    sink.rx(channel).close()
    sink.turn.finish()
    assert source.tx(channel).wait_empty().impossible()
    assert not source.actor().await_for_all(source.tx(channel).wait_empty())


# The three waits


class Fork:
    """An actor with two inputs and one output, and the peers at their other ends."""

    def __init__(self, capacity: int = 4) -> None:
        self.rig = Rig()
        self.it = self.rig.party("it")
        self.left, self.right, self.out = (self.rig.party(name) for name in ("left", "right", "out"))
        self.a = self.rig.channel(self.left, self.it, capacity=capacity)
        self.b = self.rig.channel(self.right, self.it, capacity=capacity)
        self.c = self.rig.channel(self.it, self.out, capacity=capacity)
        self.rig.start()
        self.actor = self.it.actor()
        self.has_a = self.it.rx(self.a).wait_avail(1)
        self.has_b = self.it.rx(self.b).wait_avail(1)
        self.room = self.it.tx(self.c).wait_vacant(1)

    def then(self, act: object) -> None:
        """Plan what happens in the next sleep."""
        self.it.parker.plans.append(act)  # type: ignore[arg-type]

    @staticmethod
    def close(party: Party, channel: int) -> None:
        party.tx(channel).mark_closed()
        party.turn.commit()


def test_all_waits_for_the_last_of_them() -> None:
    fork = Fork()
    fork.then(lambda: fork.left.send(fork.a, 1))
    fork.then(lambda: fork.right.send(fork.b, 1))
    assert fork.actor.await_for_all(fork.has_a, fork.has_b, fork.room)
    assert len(fork.it.parker.sleeps) == 2


def test_any_ends_with_the_first_of_them() -> None:
    fork = Fork()
    fork.then(lambda: fork.right.send(fork.b, 1))
    assert fork.actor.await_for_any(fork.has_a, fork.has_b)
    assert len(fork.it.parker.sleeps) == 1


@pytest.mark.parametrize("first", ["upon", "others"])
def test_proceed_upon_ends_with_either(first: str) -> None:
    fork = Fork()
    if first == "upon":
        fork.then(lambda: fork.left.send(fork.a, 1))
    else:
        fork.then(lambda: fork.right.send(fork.b, 1))
    assert fork.actor.await_for_all_or_proceed_upon(fork.has_a, fork.has_b, fork.room)
    assert len(fork.it.parker.sleeps) == 1


def test_proceed_upon_needs_all_of_the_others() -> None:
    fork = Fork()
    fork.it.send(fork.c, *range(4))
    fork.right.send(fork.b, 1)
    with pytest.raises(Overslept):
        fork.actor.await_for_all_or_proceed_upon(fork.has_a, fork.has_b, fork.room)


def test_what_holds_is_answered_at_once_and_commits_nothing() -> None:
    fork = Fork()
    fork.left.send(fork.a, 1, 2)
    fork.right.send(fork.b, 1)
    fork.it.rx(fork.a).take()
    assert fork.actor.await_for_all(fork.has_a, fork.has_b)
    assert fork.actor.await_for_any(fork.has_a, fork.has_b)
    assert fork.actor.await_for_all()
    assert fork.it.control.epoch == 0


def test_a_wait_that_blocks_commits_first() -> None:
    fork = Fork()
    fork.left.send(fork.a, 1)
    fork.it.rx(fork.a).take()
    fork.then(lambda: fork.right.send(fork.b, 1))
    assert fork.actor.await_for_all(fork.has_b)
    assert fork.rig.words(fork.a)[layout.HEAD] == 1


def test_all_is_false_when_one_input_is_closed_and_any_when_both_are() -> None:
    fork = Fork()
    fork.then(lambda: fork.close(fork.left, fork.a))
    assert not fork.actor.await_for_all(fork.has_a, fork.room)
    fork.then(lambda: fork.close(fork.right, fork.b))
    assert not fork.actor.await_for_any(fork.has_a, fork.has_b)


def test_a_closed_input_with_enough_left_still_holds() -> None:
    fork = Fork()
    fork.left.send(fork.a, 1, 2)
    fork.close(fork.left, fork.a)
    two, three = fork.it.rx(fork.a).wait_avail(2), fork.it.rx(fork.a).wait_avail(3)
    assert fork.actor.await_for_all(two)
    assert three.impossible()
    assert not fork.actor.await_for_all(three)


def test_room_that_can_never_come_is_false() -> None:
    fork = Fork()
    fork.it.send(fork.c, *range(4))

    def leave() -> None:
        fork.out.rx(fork.c).close()
        fork.out.turn.finish()

    fork.then(leave)
    assert not fork.actor.await_for_all(fork.room)


def test_a_shutdown_ends_a_wait_and_is_itself_waited_for() -> None:
    fork = Fork()
    fork.then(fork.rig.request_shutdown)
    assert not fork.actor.await_for_all(fork.has_a)
    assert fork.actor.await_for_all(fork.actor.wait_shutdown())
    assert fork.actor.await_for_any(fork.has_a, fork.actor.wait_shutdown())
    fork.left.send(fork.a, 1)
    assert fork.actor.await_for_all(fork.has_a)  # what holds, holds also in a shutdown


# Time-outs and descriptors


def test_wait_timeout_counts_from_its_call() -> None:
    rig, _, sink, channel = pair()
    actor = sink.actor()
    rig.clock.advance(5.0)
    timeout = actor.wait_timeout(2.0)
    sink.parker.plans.append(lambda: rig.clock.advance(2.0))
    assert actor.await_for_any(sink.rx(channel).wait_avail(1), timeout)
    assert sink.parker.sleeps == [(2.0, [])]
    assert not sink.rx(channel).avail()
    assert timeout.holds()


@pytest.mark.parametrize("seconds", [0, 0.0, -1.0])
def test_a_timeout_of_nothing_is_over_at_once(seconds: float) -> None:
    _, _, sink, _ = pair()
    assert sink.actor().await_for_all(sink.actor().wait_timeout(seconds))
    assert not sink.parker.sleeps


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan")])
def test_a_period_of_nothing_is_refused(seconds: float) -> None:
    _, _, sink, _ = pair()
    with pytest.raises(ConfigurationError, match="the period must be above 0 seconds"):
        sink.actor().wait_periodic(seconds)


def test_the_nearest_of_several_times_ends_the_sleep() -> None:
    rig, _, sink, _ = pair()
    actor = sink.actor()
    sink.parker.plans.append(lambda: rig.clock.advance(2.0))
    assert actor.await_for_any(actor.wait_timeout(9.0), actor.wait_timeout(2.0), actor.wait_periodic(5.0))
    assert sink.parker.sleeps == [(2.0, [])]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_wait_readable_watches_its_descriptor(pipe: tuple[int, int]) -> None:
    _, _, sink, channel = pair()
    actor = sink.actor()
    sink.parker.plans.append(lambda: os.write(pipe[1], b"x"))
    assert actor.await_for_any(sink.rx(channel).wait_avail(1), actor.wait_readable(pipe[0]))
    assert sink.parker.sleeps == [(None, [pipe[0]])]


def test_a_descriptor_that_is_not_open_is_an_error_that_names_it() -> None:
    _, _, sink, _ = pair()
    with pytest.raises(OSError, match="descriptor 987654"):
        sink.actor().await_for_all(sink.actor().wait_readable(987654))
