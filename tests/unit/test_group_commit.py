"""Group commit: turns that nobody waits for share a commit, and nobody can tell from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp import turn as turns
from steady_mp import waiting
from steady_mp.channel.group import MOST, group_of
from steady_mp.memory import layout
from steady_mp.memory.layout import PAGE
from steady_mp.parking import Wake
from steady_mp.testing.rig import Abandoned, Killed, Overslept, Party, Rig, pair

if TYPE_CHECKING:
    from steady_mp.actor import Actor

#: Turns that may pass between a reason to commit and the look that finds it.
SOON = 8


class Loop:
    """A behavior taken apart: each `turn` is the body of its loop, between two calls of is_running."""

    def __init__(self, party: Party, channel: int) -> None:
        self.party = party
        self.channel = channel
        self.actor: Actor = party.actor()
        assert self.actor.is_running()

    def turn(self, count: int = 1) -> None:
        for _ in range(count):
            self.party.tx(self.channel).send(self.party.tx(self.channel).position())
        assert self.actor.is_running()

    def turns_until_commit(self, count: int = 1, most: int = 600) -> int:
        before = self.party.control.epoch
        for number in range(1, most + 1):
            self.turn(count)
            if self.party.control.epoch != before:
                return number
        return most + 1


def grouped(*, capacity: int = 4096, burst: int = 1) -> tuple[Rig, Loop, Party]:
    """Make a source whose turns have become known: it sends `burst` messages in each."""
    rig, source, sink, channel = pair(capacity=capacity, ring_bytes=64 * PAGE, grouped=True)
    loop = Loop(source, channel)
    for _ in range(turns._ALONE_AT_FIRST - 1):  # the loop has ended one before its first
        before = source.control.epoch
        loop.turn(burst)
        assert source.control.epoch == before + 1
        sink.take(channel)
    rig.clock.advance(1.0)
    assert loop.turns_until_commit(burst) <= SOON
    sink.take(channel)
    return rig, loop, sink


def test_turns_that_nobody_waits_for_are_put_off() -> None:
    _, loop, sink = grouped()
    epoch = loop.party.control.epoch
    for _ in range(100):
        loop.turn()
    assert loop.party.control.epoch == epoch
    assert sink.rx(loop.channel).avail() == 0
    assert loop.party.turn.pending >= 100


def test_more_turns_begin_unseen_where_they_are_brief_and_fewer_again_once_some_take_long() -> None:
    rig, loop, sink = grouped()
    turn = loop.party.turn

    def unseen() -> int:
        rig.clock.advance(150e-6)
        while turn.left:
            loop.turn()
        loop.turn()  # ends with a look
        loop.turn()  # and this one with a glance at the clock
        return turn.left

    for _ in range(turns._ALONE_AT_FIRST + 1):
        loop.turn()
    assert unseen() == turns._UNSEEN, "not brief: the second of before is theirs as well"
    rig.clock.advance(1.1e-3)
    assert loop.turns_until_commit() <= SOON
    sink.take(loop.channel)
    for _ in range(200):
        loop.turn()
    assert unseen() == turns._UNSEEN_BRIEF
    while turn.left:
        loop.turn()
    loop.actor.commit()  # too few turns since then to say how brief they are
    rig.clock.advance(5e-3)  # the turn at work
    loop.turn()
    sink.take(loop.channel)
    loop.turn()
    assert loop.party.turn.left == turns._UNSEEN


def test_after_a_millisecond_they_are_committed() -> None:
    rig, loop, sink = grouped()
    loop.turn()
    rig.clock.advance(1.1e-3)
    assert loop.turns_until_commit() <= SOON
    assert loop.party.turn.pending == 0
    assert 0 < sink.rx(loop.channel).avail() <= SOON + 1


def test_a_consumer_that_waits_is_served_soon() -> None:
    rig, loop, sink = grouped()
    loop.turn()
    with pytest.raises(Overslept):
        sink.actor().await_for_all(sink.rx(loop.channel).wait_avail(1))
    rig.clock.advance(turns._LOOK)
    assert loop.turns_until_commit() <= SOON
    assert sink.bell.rings == 1


def test_many_staged_messages_are_committed_whatever_the_time() -> None:
    _, loop, sink = grouped(capacity=1 << 16, burst=16)
    assert loop.turns_until_commit(16) <= layout.RECORD_MAX_COUNT // 16 + SOON
    assert sink.rx(loop.channel).avail() >= layout.RECORD_MAX_COUNT


def test_slices_are_committed_by_the_group() -> None:
    _, loop, sink = grouped(capacity=1 << 16, burst=16)
    epoch, slices = loop.party.control.epoch, 0
    while loop.party.control.epoch == epoch:
        loop.party.tx(loop.channel).send_slice(range(512))
        assert loop.actor.is_running()
        slices += 1
    assert MOST // 512 <= slices <= MOST // 512 + SOON
    assert sink.rx(loop.channel).avail() >= MOST


def test_half_a_channel_is_enough() -> None:
    _, loop, sink = grouped(capacity=64)
    assert loop.turns_until_commit() <= 32 + 1
    assert sink.rx(loop.channel).avail() >= 32


@pytest.mark.parametrize(
    ("capacity", "group"), [(1, 1), (2, 1), (3, 1), (64, 32), (513, 256), (768, 256), (1024, 341), (1 << 20, MOST)]
)
def test_a_group_is_half_of_a_small_channel_and_a_third_of_a_large_one(capacity: int, group: int) -> None:
    assert group_of(capacity, spaced=False) == group
    assert group_of(capacity, spaced=True) == max(1, capacity // 2)


def test_a_third_of_a_large_channel_is_enough() -> None:
    _, loop, sink = grouped(capacity=1024)
    assert loop.turns_until_commit() <= 341 + 1
    assert sink.rx(loop.channel).avail() >= 341


def test_a_wait_that_blocks_commits_before() -> None:
    _, loop, sink = grouped()
    loop.turn(3)
    assert sink.rx(loop.channel).avail() == 0
    with pytest.raises(Overslept):
        loop.actor.await_for_all(loop.actor.wait_shutdown())
    assert sink.rx(loop.channel).avail() == 3


def test_a_wait_that_is_over_at_once_does_not() -> None:
    _, loop, sink = grouped()
    loop.turn(3)
    assert loop.actor.await_for_all(loop.party.tx(loop.channel).wait_vacant(1))
    assert sink.rx(loop.channel).avail() == 0


@pytest.mark.parametrize("act", ["commit", "close", "shutdown"])
def test_what_is_asked_for_is_not_put_off(act: str) -> None:
    _, loop, _ = grouped()
    loop.turn()
    epoch = loop.party.control.epoch
    if act == "commit":
        loop.actor.commit()
    elif act == "close":
        loop.party.tx(loop.channel).mark_closed()
        loop.actor.is_running()
    else:
        loop.actor.request_shutdown()
        loop.actor.is_running()
        assert loop.party.supervisor.rings == 1
    assert loop.party.control.epoch == epoch + 1


def test_while_the_graph_drains_every_turn_is_looked_at() -> None:
    rig, loop, _ = grouped()
    rig.request_shutdown()
    rig.clock.advance(turns._LOOK)
    for _ in range(SOON):
        if not loop.actor.is_running():
            return
    pytest.fail("a source without inputs stops at a shutdown")


def test_a_life_that_was_told_so_never_puts_a_commit_off() -> None:
    _, source, _, channel = pair(grouped=True)
    source.control.words[layout.UNGROUPED] = 1
    source.begin()
    loop = Loop(source, channel)
    for _ in range(2 * turns._ALONE_AT_FIRST):
        assert loop.turns_until_commit() == 1


# Turns that have to wait in their middle


def test_a_turn_that_may_have_to_wait_begins_with_nothing_put_off() -> None:
    """Turns send ten each: the one that finds less room than that is alone, and so it can wait in peace."""
    rig, loop, sink = grouped(capacity=64, burst=10)
    while loop.party.tx(loop.channel).vacant() >= 10:
        loop.turn(10)
    assert loop.party.turn.pending == 0

    def make_room() -> None:
        rig.clock.advance(1.0)
        sink.take(loop.channel)

    loop.party.parker.plans.append(make_room)
    loop.turn(10)
    assert not loop.party.parker.plans


def test_a_commit_that_leaves_too_little_room_is_followed_by_another() -> None:
    _, loop, _ = grouped(capacity=64, burst=10)
    loop.party.tx(loop.channel).send_slice(range(60))
    assert loop.actor.is_running()
    loop.turn(1)
    assert loop.party.turn.pending == 0


def test_the_same_for_a_consumer_that_runs_dry() -> None:
    _, source, sink, channel = pair(grouped=True)
    actor = sink.actor()
    for _ in range(turns._ALONE_AT_FIRST + 1):
        source.send(channel, 1, 2, 3)
        assert actor.is_running()
        assert [sink.rx(channel).take() for _ in range(3)] == [1, 2, 3]
    source.send(channel, *range(8))
    for left in (5, 2):
        assert actor.is_running()
        for _ in range(3):
            sink.rx(channel).take()
        assert sink.rx(channel).avail() == left
    assert actor.is_running()
    assert sink.turn.pending == 0


def put_off_then_stuck(loop: Loop) -> None:
    """Put one small turn off and send more in the next one than there is room for."""
    loop.turn(1)
    assert loop.party.turn.pending
    for _ in range(loop.party.tx(loop.channel).vacant() + 1):
        loop.party.tx(loop.channel).send(0)


def test_a_turn_that_is_stuck_with_others_put_off_ends_its_life() -> None:
    rig, loop, sink = grouped(capacity=64)
    sent = sink.rx(loop.channel).position()
    loop.party.tx(loop.channel).send_slice([sent, sent + 1])
    loop.actor.commit()
    loop.party.parker.plans.append(lambda: rig.clock.advance(waiting._PATIENCE))
    with pytest.raises(Abandoned, match="had to wait in its middle"):
        put_off_then_stuck(loop)
    asked, _ = loop.party.parker.sleeps[-1]
    assert asked == pytest.approx(waiting._PATIENCE)
    assert sink.take(loop.channel) == [sent, sent + 1]
    loop.party.begin()
    assert loop.party.tx(loop.channel).position() == sent + 2
    assert Loop(loop.party, loop.channel).turns_until_commit() == 1


def test_one_that_gets_its_room_in_time_goes_on() -> None:
    _, loop, sink = grouped(capacity=64)
    start = sink.rx(loop.channel).position()
    loop.party.tx(loop.channel).send_slice([start, start + 1])
    loop.actor.commit()
    loop.party.parker.plans.append(lambda: sink.take(loop.channel))
    put_off_then_stuck(loop)
    assert loop.actor.is_running()
    assert sink.take(loop.channel) == [start + 2, *[0] * 62]


def test_nothing_can_come_for_a_full_channel_of_what_was_put_off() -> None:
    _, loop, _ = grouped(capacity=64)
    with pytest.raises(Abandoned):
        put_off_then_stuck(loop)
    assert loop.party.word(layout.UNGROUPED) == 1
    assert not loop.party.parker.sleeps


# The result is the same


class Source:
    """Sends 0, 1, 2, … in turns of any size, keeps the next number, and is begun again after each death."""

    def __init__(self, rig: Rig, party: Party, channel: int) -> None:
        self.rig, self.party, self.channel = rig, party, channel

    def live(self, sizes: list[int], most: int) -> bool:
        """Run one life; tell whether all of it was done."""
        actor = self.party.actor()
        following = self.party.state().acquire(lambda: [0])
        tx = self.party.tx(self.channel)
        try:
            for size in sizes * most:
                if not actor.is_running() or following[0] >= most:
                    break
                for _ in range(min(size, most - following[0])):
                    tx.send(following[0])
                    following[0] += 1
            self.party.turn.finish()
        except (Killed, Abandoned):
            return False
        return True


@given(
    capacity=st.sampled_from([1, 4, 64]),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    takes=st.lists(st.integers(1, 70), min_size=1, max_size=5),
    kills=st.lists(st.tuples(st.sampled_from(["commit:snapshot", "commit:epoch", "commit:ring"]), st.integers(1, 20))),
    pace=st.sampled_from([1e-6, 1e-4, 2e-3]),
)
def test_grouping_kills_and_waits_change_no_result(
    capacity: int, sizes: list[int], takes: list[int], kills: list[tuple[str, int]], pace: float
) -> None:
    rig, party, sink, channel = pair(capacity=capacity, grouped=True)
    source = Source(rig, party, channel)
    got: list[int] = []

    class Sleep:
        """While the source sleeps, its consumer takes some."""

        def sleep(self, seconds: float | None, _fds: object) -> Wake:
            rig.clock.advance(pace if seconds is None else min(seconds, pace))
            takes.append(takes.pop(0))
            got.extend(sink.take(channel, takes[-1]))
            return Wake.RUNG

    party.parker = Sleep()  # type: ignore[assignment]
    for _ in range(100):
        if kills:
            party.kill_at(*kills.pop())
        party.begin()
        if source.live(sizes, 150):
            break
    else:
        pytest.fail("it never finished")
    got += sink.take(channel)
    assert got == list(range(150)) == list(range(sink.rx(channel).position()))
