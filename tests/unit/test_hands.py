"""What an actor has in hand, as its death leaves it."""

from __future__ import annotations

import dataclasses
import pickle
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from steady_mp.channel.kinds import Shape
from steady_mp.channel.lookup import LONGEST
from steady_mp.life import Life
from steady_mp.memory import layout
from steady_mp.memory.hands import Held, held, unsettled
from steady_mp.memory.letters import Letter, Letters, Mail
from steady_mp.memory.letters import Order as Due
from steady_mp.memory.mapping import Mapping
from steady_mp.supervisor.hand import InHand, hand, in_hand, repr_of
from steady_mp.supervisor.seat import Seat
from steady_mp.testing.bench_side import ACTOR, TEST, Channels, NeverSleeps, Side
from steady_mp.testing.clock import ManualClock
from steady_mp.testing.rig import pair

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp.channel.endpoints import Rx, Tx
    from steady_mp.channel.ring import Ring


class Order:
    """A message of a class of its own, pickled in `send`."""

    def __init__(self, number: int) -> None:
        self.number = number


class Trap:
    """A message that is the end of whoever unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _snap, ()


def _snap() -> None:
    raise RuntimeError("snap")


class World:
    """An actor with two inputs, and the test at their other ends."""

    def __init__(self) -> None:
        self.channels = Channels("taker")
        clock, run = ManualClock(), Mapping(None, 4096).words
        for name in ("numbers", "beats"):
            self.channels.add(name, 64, 1 << 16, Shape(), actor_sends=False)
        self.side = Side(ACTOR, self.channels, clock, run)
        self.test = Side(TEST, self.channels, clock, run).begin(NeverSleeps())

    def send(self, *values: Any, channel: int = 0) -> None:
        tx: Tx[Any] = self.test.ends[channel]
        for value in values:
            tx.send(value)
        self.test.turn.commit()

    def life(self) -> tuple[Life, Rx[Any], Rx[Any]]:
        life = self.side.begin(NeverSleeps())
        return life, life.ends[0], life.ends[1]

    def held(self) -> list[Held]:
        assert self.side.control is not None
        return held(self.side.control)

    def hand(self) -> InHand | None:
        assert self.side.control is not None
        return hand(self.side.control, self.channels.plan(), ACTOR)


def test_nothing_is_in_hand_before_anything_was_taken_nor_behind_a_commit() -> None:
    world = World()
    world.send(*range(10))
    life, numbers, _ = world.life()
    assert world.hand() is None
    numbers.take()
    assert world.hand() is not None
    life.turn.commit()
    assert world.hand() is None
    numbers.try_peek()
    life.turn.commit()  # there is nothing to commit, and the turn is over all the same
    assert world.hand() is None


def test_a_message_that_is_taken_or_only_looked_at_is_in_hand() -> None:
    world = World()
    world.send(*(Order(n) for n in range(5)))
    life, numbers, _ = world.life()
    assert numbers.take().number == 0
    life.turn.commit()
    numbers.try_peek()
    assert world.hand() == InHand(0, "numbers", 0, 1, 1)
    assert [order.number for order in numbers.peek_slice(3)] == [1, 2, 3]
    assert world.hand() == InHand(0, "numbers", 0, 1, 3)


def test_a_group_of_turns_leaves_a_range_and_the_life_behind_it_the_very_message() -> None:
    world = World()
    world.send(*range(60))
    _, numbers, _ = world.life()
    for _ in range(3):
        numbers.take()
    [found] = world.held()
    assert found.head == 0
    assert found.first <= 2 <= found.last < found.reach == 60
    life, numbers, _ = world.life()  # it died, and so is told from now on
    for number in range(60):
        assert numbers.take() == number
        assert world.held()[0][1:4] == (0, number, number)
    life.turn.commit()
    world.send(*range(60))
    numbers.take()
    assert world.held()[0].last > 60, "what is in reach without a look, once nobody is under suspicion"


def test_turns_are_committed_alone_until_what_was_in_hand_is_behind() -> None:
    world = World()
    world.send(*range(40))
    _, numbers, _ = world.life()
    numbers.take_slice(40)
    life, numbers, _ = world.life()
    for number in range(40):
        assert numbers.take() == number
        life.turn.end()
        assert world.held() == []
    assert not life.turn._wary[0]()


def test_two_ends_are_told_apart_and_the_one_read_last_comes_first() -> None:
    world = World()
    world.send(1, 2, 3)
    world.send("a", "b", channel=1)
    _, numbers, beats = world.life()
    numbers.take()
    beats.take()
    _, numbers, beats = world.life()  # a life behind a death: in a group of turns the order can't be told
    numbers.take()
    beats.take()
    assert [each.end for each in world.held()] == [1, 0]
    found = world.hand()
    assert found is not None
    assert found.name == "beats"
    numbers.take()
    assert [each.end for each in world.held()] == [0, 1]


def test_a_slice_is_in_hand_as_a_whole() -> None:
    world = World()
    world.send(*range(10))
    life, numbers, _ = world.life()
    numbers.take_slice(4)
    life.turn.commit()
    numbers.take_slice(3)
    assert world.held()[0][1:3] == (4, 4)
    found = world.hand()
    assert found is not None
    assert found.first == 4
    assert found.last >= 6


def test_what_can_not_be_unpickled_is_in_hand_in_the_life_behind_the_first_one() -> None:
    world = World()
    world.send(Order(0), Order(1), Trap(), Order(3))
    life, numbers, _ = world.life()
    numbers.take()
    life.turn.commit()
    with pytest.raises(RuntimeError):
        numbers.take_slice(2)
    assert world.side.control is not None
    assert [each.last for each in unsettled(world.side.control)] == [2]
    life, numbers, _ = world.life()
    numbers.take()
    with pytest.raises(RuntimeError):
        numbers.take()
    assert world.hand() == InHand(0, "numbers", 0, 2, 2)


def test_its_repr_is_bounded_and_runs_nobodys_code() -> None:
    world = World()
    world.send(Order(0), Order(1), Trap(), ["x" * 5000] * 5)
    world.life()
    assert world.side.control is not None
    ring = cast("Ring", world.side.begin(NeverSleeps())._place.stores[0])
    control = world.side.control
    assert repr_of(ring, control, InHand(0, "numbers", 0, 0, 1)) == "Order(number=1)"
    assert "_snap" in repr_of(ring, control, InHand(0, "numbers", 0, 2, 2))
    assert len(repr_of(ring, control, InHand(0, "numbers", 0, 3, 3))) == LONGEST
    assert "no message 4" in repr_of(ring, control, InHand(0, "numbers", 0, 4, 4))


def test_the_room_of_what_was_put_aside_is_given_back_by_a_life_that_takes_nothing() -> None:
    world = World()
    world.send(0)
    life, _, _ = world.life()
    place = dataclasses.replace(life._place, mail=lambda channel: Mail(frozenset() if channel else frozenset({0})))
    life = Life(place, 2)
    assert not life.turn.touched
    life.turn.commit()
    assert place.stores[0].words[layout.HEAD] == 1
    epoch = place.control.epoch
    life.turn.commit()
    assert place.control.epoch == epoch


def test_a_letter_in_hand_is_shown_as_it_was_put_aside(tmp_path: Path) -> None:
    rig, source, sink, channel = pair()
    source.send(channel, "a")
    source.send(channel, "b")
    sink.take(channel, 1)
    mail = Mail(frozenset({0}), (Due(0, pickle.dumps("a")),))
    Life(dataclasses.replace(sink.life._place, mail=lambda _: mail), 2).ends[0].take()
    letters = Letters(tmp_path)
    letters.put(
        Letter(channel="", index=0, position=0, actor="", policy="dead_letter", time=0.0, shown="'a', as it was")
    )
    seat: Any = SimpleNamespace(index=1, control=sink.control, _letters=letters)
    seat.letter_shown = partial(Seat.letter_shown, seat)
    found = {"channel": "channel 0", "first": 0, "last": 0, "value": "'a', as it was"}
    assert in_hand(seat, rig.plan(), rig.mappings) == found
    (letters.path / "0-0").write_bytes(b"")
    assert in_hand(seat, rig.plan(), rig.mappings) == {**found, "value": None}
