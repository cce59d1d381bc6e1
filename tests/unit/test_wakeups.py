"""No wake-up is ever lost: a peer may move between any two steps of an actor that goes to sleep.

The actor's bell works as the real one: a ring that came while it was awake ends its next sleep at once.
When it sleeps, no ring is pending and no peer moves any more, then what it waits for must not hold.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steady_mp import EndOfStream, PeerGone
from steady_mp.conditions import Condition, all_of, any_of
from steady_mp.memory import layout
from steady_mp.parking import Wake
from steady_mp.testing.rig import Overslept, Party, Rig, pair

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from steady_mp.channel.waits import Alarm

CAPACITY = 4
MOVES = ("x", "x", "y", "y", "z", "x closed", "y closed", "z gone", "shutdown")
#: A moment in which nobody moves comes before most moves: that is how they reach every step of the actor.
moves = st.lists(st.sampled_from((*[None] * 9, *MOVES)), max_size=60)


class Meanwhile(Condition):
    """A condition whose every question gives the peers a chance to move first, and then once more."""

    __slots__ = ("_meanwhile", "_part")

    def __init__(self, part: Condition, meanwhile: Callable[[], None]) -> None:
        self._part = part
        self._meanwhile = meanwhile

    @property
    def key(self) -> Hashable:
        return self._part.key

    def holds(self) -> bool:
        self._meanwhile()
        return self._part.holds()

    def impossible(self) -> bool:
        self._meanwhile()
        return self._part.impossible()

    def arm(self, alarm: Alarm) -> None:
        self._meanwhile()
        self._part.arm(alarm)
        self._meanwhile()


class Scene:
    """An actor with the inputs x and y and the output z, and peers that follow a script of moves."""

    def __init__(self, script: Sequence[str | None]) -> None:
        self.rig = Rig()
        self.middle = self.rig.party("middle")
        self.peers = {name: self.rig.party(name) for name in "xyz"}
        self.x = self.rig.channel(self.peers["x"], self.middle, capacity=CAPACITY)
        self.y = self.rig.channel(self.peers["y"], self.middle, capacity=CAPACITY)
        self.z = self.rig.channel(self.middle, self.peers["z"], capacity=CAPACITY)
        self.rig.start()
        self.middle.send(self.z, *range(CAPACITY))
        self.middle.parker = self  # type: ignore[assignment]
        self.middle.begin()
        self.script = list(script)
        self.heard = self.middle.bell.rings

    def meanwhile(self) -> None:
        """Make the next move of the script; None is a moment in which nobody moves."""
        if self.script and (move := self.script.pop(0)) is not None:
            self.move(move)

    def move(self, move: str) -> None:
        name, _, what = move.partition(" ")
        if name == "shutdown":
            self.rig.request_shutdown()
            self.middle.bell.ring()
            return
        peer = self.peers[name]
        if name == "z":
            if not peer.word(layout.FINISHED):  # who has finished moves no more
                peer.take(self.z, 0 if what else 1)
            if what:
                peer.rx(self.z).close()
                peer.turn.finish()
            return
        tx = peer.tx(self.x if name == "x" else self.y)
        if what:
            tx.mark_closed()
        else:
            tx.try_send(0)
        peer.turn.commit()

    def sleep(self, _seconds: float | None, _fds: Sequence[int]) -> Wake:
        """Sleep as a process does: until a ring, while the peers move on."""
        while self.middle.bell.rings == self.heard:
            if not self.script:
                raise Overslept
            self.meanwhile()
        self.heard = self.middle.bell.rings
        return Wake.RUNG


def leaves(scene: Scene) -> st.SearchStrategy[Condition]:
    counts = st.integers(1, CAPACITY)
    middle = scene.middle
    return st.one_of(
        counts.map(middle.rx(scene.x).wait_avail),
        counts.map(middle.rx(scene.y).wait_avail),
        counts.map(middle.tx(scene.z).wait_vacant),
        st.builds(middle.tx(scene.z).wait_empty),
        st.builds(middle.actor().wait_shutdown),
    ).map(lambda part: Meanwhile(part, scene.meanwhile))


def nested(scene: Scene) -> st.SearchStrategy[Condition]:
    def pack(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        several = st.lists(parts, min_size=2, max_size=3)
        return st.one_of(several.map(lambda all_: all_of(*all_)), several.map(lambda any_: any_of(*any_)))

    return st.recursive(leaves(scene), pack, max_leaves=4)


@settings(max_examples=3 * settings().max_examples)
@given(data=st.data(), script=moves)
def test_no_wake_up_is_lost_wherever_the_peers_move(data: st.DataObject, script: list[str | None]) -> None:
    scene = Scene(script)
    actor = scene.middle.actor()
    condition = data.draw(nested(scene))
    for _ in range(3):  # in a drain the first answers come without a sleep
        try:
            met = actor.await_for_all(condition)
        except Overslept:
            assert not condition.holds()
            if scene.rig.run[layout.SHUTDOWN] or condition.impossible():
                # It sleeps because it has been told so; a change that it has not seen would tell it again.
                with pytest.raises(Overslept):
                    actor.await_for_all(condition)
            return
        if met:
            assert condition.holds()
            return
        assert scene.rig.run[layout.SHUTDOWN] or condition.impossible()


@given(
    verb=st.sampled_from(["send", "take"]),
    script=moves,
    staged=st.integers(0, 2),
)
def test_a_wait_inside_a_turn_loses_none_either(verb: str, script: list[str | None], staged: int) -> None:
    scene = Scene(script)
    middle = scene.middle
    for _ in range(staged):
        scene.move("x")
        middle.rx(scene.x).take()
    try:
        if verb == "send":
            with contextlib.suppress(PeerGone):
                middle.tx(scene.z).send(1)
        else:
            with contextlib.suppress(EndOfStream):
                middle.rx(scene.x).take()
    except Overslept:
        assert not (middle.tx(scene.z).vacant() if verb == "send" else middle.rx(scene.x).avail())


def test_in_a_drain_a_move_anywhere_ends_the_sleep() -> None:
    """The wait is for x; what comes at y may still be a reason to go round the loop once more."""
    for move in ("y", "y closed", "z"):
        scene = Scene([])
        scene.rig.request_shutdown()
        actor, wait = scene.middle.actor(), scene.middle.rx(scene.x).wait_avail(1)
        assert not actor.await_for_all(wait)
        scene.script.append(move)
        assert not actor.await_for_all(wait)
        assert scene.middle.word(layout.PARKS) == 1


# The single steps of the argument


def sink_waits(sink: Party, channel: int, count: int) -> bool:
    return sink.actor().await_for_all(sink.rx(channel).wait_avail(count))


@pytest.mark.parametrize("point", ["park:armed", "park:sleep"])
def test_a_message_on_the_way_to_sleep_ends_the_wait(point: str) -> None:
    _, source, sink, channel = pair()
    sink.at(point, lambda: source.send(channel, 1))
    sink.parker.plans.append(lambda: None)
    assert sink_waits(sink, channel, 1)
    slept = len(sink.parker.sleeps)
    # Before the second look it is seen; behind it the peer sees who waits, and rings.
    assert (slept, sink.bell.rings) == ((0, 1) if point == "park:armed" else (1, 1))


def test_one_of_several_targets_overtaken_while_arming_keeps_the_actor_awake() -> None:
    """The armed target is the least one; a tail that reached it before it was seen would ring for none of them."""
    _, source, sink, channel = pair()
    rx = sink.rx(channel)
    near, far = rx.wait_avail(1), rx.wait_avail(3)
    moved: list[int] = []

    def move() -> None:
        if not moved and rx._armed < layout.NEVER:
            moved.append(1)
            rx._words[layout.WAKE_TAIL] = layout.NEVER  # the store of the armed target is still on its way
            source.send(channel, 1)
            rx._words[layout.WAKE_TAIL] = rx._armed

    sink.parker.plans.append(lambda: source.send(channel, 2, 3))
    assert sink.actor().await_for_all(Meanwhile(near, move), Meanwhile(far, move))
    assert moved
    assert sink.bell.rings == 1
    assert len(sink.parker.sleeps) == 1


@pytest.mark.parametrize("counts", [(1, 3), (3, 1), (2, 1, 4)])
def test_of_several_targets_at_one_end_the_nearest_wakes(counts: tuple[int, ...]) -> None:
    _, source, sink, channel = pair(capacity=4)
    sink.parker.plans.append(lambda: source.send(channel, 1))
    assert sink.actor().await_for_any(*map(sink.rx(channel).wait_avail, counts))
    assert sink.bell.rings == 1
    source.send(channel, 2, 3, 4)
    source.parker.plans.append(lambda: sink.take(channel, 1))
    assert source.actor().await_for_any(*map(source.tx(channel).wait_vacant, counts))
    assert source.bell.rings == 1


@given(wanted=st.integers(1, 6), batches=st.lists(st.integers(1, 3), max_size=4))
def test_a_neighbour_is_rung_once_and_only_when_its_target_is_crossed(wanted: int, batches: list[int]) -> None:
    _, source, sink, channel = pair()
    sink.rx(channel).arm(wanted)
    sent = 0
    for batch in batches:
        before = sent
        source.send(channel, *range(batch))
        sent += batch
        assert sink.bell.rings == (sent >= wanted)
        assert sink.rx(channel).is_overtaken() == (sent >= wanted)
        assert before < wanted or sink.bell.rings == 1


def test_nobody_is_rung_who_asked_for_nothing() -> None:
    _, source, sink, channel = pair()
    source.send(channel, 1, 2)
    sink.take(channel)
    source.tx(channel).mark_closed()
    source.turn.commit()
    assert source.bell.rings == sink.bell.rings == 0


def test_closing_rings_whoever_waits_whatever_for() -> None:
    _, source, sink, channel = pair()
    sink.rx(channel).arm(9)
    source.tx(channel).mark_closed()
    source.turn.commit()
    assert sink.bell.rings == 1


def test_an_actor_that_is_awake_again_asks_for_nothing() -> None:
    rig, source, sink, channel = pair()
    sink.parker.plans.append(lambda: source.send(channel, 1))
    assert sink_waits(sink, channel, 1)
    assert rig.words(channel)[layout.WAKE_TAIL] == layout.NEVER
    assert sink.word(layout.PHASE) == layout.PHASE_RUNNING
    assert sink.word(layout.PARKS) == 1


def test_what_the_dead_had_asked_for_is_dropped() -> None:
    rig, _, sink, channel = pair()
    with pytest.raises(Overslept):
        sink_waits(sink, channel, 1)
    assert rig.words(channel)[layout.WAKE_TAIL] == 1
    sink.begin()
    assert rig.words(channel)[layout.WAKE_TAIL] == layout.NEVER
