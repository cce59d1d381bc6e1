"""A receiving end with holes: positions that were put aside still stand in the channel, and are never seen."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.life import Life
from steady_mp.memory.letters import Mail
from steady_mp.testing.rig import Overslept, Party, pair

if TYPE_CHECKING:
    from steady_mp import Actor
    from steady_mp.channel.lettered import LetteredRx

#: Characters of a message that is decoded when it is taken, not before.
LARGE = 70_000


def reborn(sink: Party, *holes: int) -> tuple[Actor, LetteredRx[Any]]:
    """Begin the next life of the sink, behind which these messages were put aside."""
    place = dataclasses.replace(sink.life._place, mail=lambda _: Mail(frozenset(holes)))
    life = Life(place, 2)
    return life.actor(), life.ends[0]


def test_a_look_at_large_messages_shows_them_and_takes_none() -> None:
    _, source, sink, channel = pair(ring_bytes=1 << 20)
    sent = [letter * LARGE for letter in "abcd"]
    source.send(channel, *sent)
    _, rx = reborn(sink, 1)
    left = [sent[0], sent[2], sent[3]]
    assert rx.peek_slice(2) == left[:2]
    assert rx.peek_slice(9) == left
    assert rx.look(9) == left
    assert rx.try_peek() == left[0]
    assert rx.take_slice(9) == left


@pytest.mark.parametrize("holes", [(3,), (1, 2), (0,), (0, 3), (1, 2, 3)])
def test_a_wait_for_all_that_a_channel_holds_ends_with_what_the_holes_leave(holes: tuple[int, ...]) -> None:
    """A hole keeps its room until it is passed, so more can't come before something is taken."""
    _, source, sink, channel = pair(capacity=4)
    source.send(channel, 0, 1, 2, 3)
    actor, rx = reborn(sink, *holes)
    left = [number for number in range(4) if number not in holes]
    while holes and holes[0] == 0:  # what stands first is passed at once, and its room given back
        holes = holes[1:]
    if len(left) + len(holes) < 4:
        with pytest.raises(Overslept):
            actor.await_for_all(rx.wait_avail(4))
        source.send(channel, 4)
        left.append(4)
    assert actor.await_for_all(rx.wait_avail(4))
    assert rx.avail() == len(left)
    assert rx.take_slice(4) == left
    assert not rx.has(1)


def test_and_behind_them_it_is_a_channel_like_any() -> None:
    _, source, sink, channel = pair(capacity=4)
    source.send(channel, 0, 1)
    actor, rx = reborn(sink, 1)
    with pytest.raises(Overslept):
        actor.await_for_all(rx.wait_avail(4))
    source.send(channel, 2, 3)
    assert actor.await_for_all(rx.wait_avail(3))
    assert rx.take_slice(4) == [0, 2, 3]
    actor.commit()
    source.send(channel, 4, 5, 6)
    with pytest.raises(Overslept):
        actor.await_for_all(rx.wait_avail(4))
