"""Channels of an actor to itself: what it waits for there comes of its own commit, and of nobody else's."""

from __future__ import annotations

import pytest

from steady_mp import CommitEvery
from steady_mp.memory import layout
from steady_mp.testing.rig import Overslept, Party, Rig


def alone(capacity: int = 4, **options: object) -> tuple[Party, int]:
    rig = Rig()
    party = rig.party("actor", **options)  # type: ignore[arg-type]
    channel = rig.channel(party, party, capacity=capacity)
    rig.start()
    return party, channel


def test_what_a_turn_has_sent_to_itself_can_be_taken_in_the_same_turn() -> None:
    party, channel = alone()
    party.tx(channel).send(1)
    assert party.rx(channel).take() == 1
    assert party.word(layout.EARLY_COMMITS) == 1
    assert not party.parker.sleeps


def test_a_queue_of_ones_own_that_is_full_takes_what_a_turn_makes_of_a_message() -> None:
    party, channel = alone()
    for number in range(4):
        party.tx(channel).send(number)
    party.turn.commit()
    assert party.rx(channel).take() == 0
    party.tx(channel).send(4)
    party.turn.commit()
    assert party.rx(channel).take_slice(9) == [1, 2, 3, 4]
    assert not party.parker.sleeps


def test_a_commit_that_is_spaced_comes_at_once_for_a_wait_for_ones_own_message() -> None:
    party, channel = alone(grouped=True, commit_every=CommitEvery(seconds=100.0))
    actor, tx, rx = party.actor(), party.tx(channel), party.rx(channel)
    for number in range(40):  # the first turns are committed alone
        assert actor.is_running()
        tx.send(number)
        assert actor.await_for_all(rx.wait_avail(1))
        assert rx.take() == number
    assert not party.parker.sleeps


def test_who_waits_for_a_message_that_nobody_has_sent_sleeps() -> None:
    party, channel = alone()
    with pytest.raises(Overslept):
        party.rx(channel).take()
    assert len(party.parker.sleeps) == 1
