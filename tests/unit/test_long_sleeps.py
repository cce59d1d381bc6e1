"""Long sleeps: an actor looks up now and then, unasked, and goes on sleeping where nothing has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steady_mp.conditions import Condition
from steady_mp.memory import layout
from steady_mp.parking import SAFETY, Wake
from steady_mp.testing.rig import Overslept, Party, pair

if TYPE_CHECKING:
    from collections.abc import Hashable

    from steady_mp.channel.waits import Alarm


def sink_waits(sink: Party, channel: int, count: int) -> bool:
    return sink.actor().await_for_all(sink.rx(channel).wait_avail(count))


def test_a_safety_wake_that_finds_something_counts_as_a_rescue() -> None:
    _, source, sink, channel = pair()

    def silently() -> Wake:
        sink.bell.rings -= 1
        source.send(channel, 1)
        return Wake.SAFETY

    sink.parker.plans += [lambda: Wake.SAFETY, silently]
    assert sink_waits(sink, channel, 1)
    assert sink.word(layout.RESCUES) == 1


def test_a_safety_wake_that_finds_nothing_costs_no_turn() -> None:
    rig, source, sink, channel = pair()
    asleep = int(rig.clock() * 1e9)

    def nothing() -> Wake:
        rig.clock.advance(SAFETY)
        return Wake.SAFETY

    def seen() -> Wake:
        assert sink.word(layout.WAIT_SINCE_NS) == asleep
        assert sink.word(layout.LOOKED_NS) == asleep + 5e9
        assert sink.word(layout.WAITED_NS) == 5e9
        return nothing()

    def at_last() -> None:
        rig.clock.advance(1)
        source.send(channel, 1)

    sink.parker.plans += [nothing, seen, at_last]
    sink.reached.clear()
    assert sink_waits(sink, channel, 1)
    assert sink.reached.count("commit:begin") == sink.reached.count("park:armed") == sink.word(layout.PARKS) == 1
    assert sink.reached.count("park:woke") == 3
    assert (sink.word(layout.WAITED_NS), sink.word(layout.RESCUES)) == (11e9, 0)
    assert sink.word(layout.PHASE) == layout.PHASE_RUNNING


def test_time_in_which_there_is_no_room_is_charged_while_it_passes() -> None:
    rig, source, _, channel = pair(capacity=1)
    source.send(channel, 1)

    def nothing() -> Wake:
        rig.clock.advance(SAFETY)
        return Wake.SAFETY

    def dies() -> None:
        assert rig.words(channel)[layout.BLOCKED_NS] == 5e9
        raise Overslept

    source.parker.plans += [nothing, dies]
    with pytest.raises(Overslept):
        source.life.actor().await_for_all(source.tx(channel).wait_vacant(1))


def test_behind_a_moment_that_was_waited_for_nothing_was_missed() -> None:
    """A wait for a little more than the safety time-out may be seen late, as one that nobody has ended."""
    rig, _, sink, _ = pair()
    actor = sink.actor()

    def late() -> Wake:
        rig.clock.advance(SAFETY + 1)
        return Wake.SAFETY

    sink.parker.plans.append(late)
    assert actor.await_for_all(actor.wait_timeout(SAFETY + 0.5))
    assert sink.word(layout.RESCUES) == 0


def test_a_ring_that_is_lost_while_more_is_waited_for_ends_the_sleep_too() -> None:
    _, source, sink, channel = pair()
    rx = sink.rx(channel)

    def silently() -> Wake:
        source.send(channel, 1)
        return Wake.SAFETY

    sink.parker.plans += [silently, lambda: source.send(channel, 2, 3)]
    assert sink.actor().await_for_all(rx.wait_avail(1), rx.wait_avail(3))
    assert sink.word(layout.PARKS) == 2


class Broken(Condition):
    """A condition that can be asked only so often."""

    def __init__(self, answers: int) -> None:
        self.answers = answers

    @property
    def key(self) -> Hashable:
        return ("broken",)

    def holds(self) -> bool:
        if not self.answers:
            raise OSError(9, "Bad file descriptor")
        self.answers -= 1
        return False

    def impossible(self) -> bool:
        return False

    def arm(self, alarm: Alarm) -> None:
        """Nothing rings for it."""


def test_a_condition_that_raises_in_a_sleep_leaves_the_actor_awake() -> None:
    rig, _, sink, _ = pair()

    def nothing() -> Wake:
        rig.clock.advance(SAFETY)
        return Wake.SAFETY

    sink.parker.plans.append(nothing)
    with pytest.raises(OSError, match="Bad file descriptor"):
        sink.actor().await_for_all(Broken(2))
    assert sink.word(layout.PHASE) == layout.PHASE_RUNNING
    assert sink.word(layout.WAITED_NS) == 5e9


def test_a_veto_is_asked_again_though_nobody_rings() -> None:
    _, source, sink, channel = pair()
    source.tx(channel).mark_closed()
    source.turn.commit()
    actor, written = sink.life.actor(), []

    def later() -> Wake:
        written.append(True)
        return Wake.SAFETY

    sink.parker.plans += [lambda: Wake.SAFETY, later]
    while actor.is_running(lambda: None if written else "a file is still written"):
        assert not actor.await_for_all(sink.rx(channel).wait_avail(1))
    assert (len(sink.parker.sleeps), sink.word(layout.RESCUES)) == (2, 0)
