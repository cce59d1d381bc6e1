"""The loop of a behavior: what its head sees, and when."""

from __future__ import annotations

import pytest

from steady_mp.testing.rig import Rig

TURNS_TO_TRUST = 20


def test_a_wait_in_vain_makes_the_next_turn_look_up() -> None:
    """Found as a rare hang: the head of the loop did not look, and the wait after it slept for ever."""
    rig = Rig()
    source, sink = rig.party("source"), rig.party("sink", grouped=True)
    numbers = rig.channel(source, sink, capacity=64)
    rig.start()
    actor, rx = sink.actor(), sink.rx(numbers)
    source.send(numbers, *range(TURNS_TO_TRUST + 1))
    for _ in range(TURNS_TO_TRUST):
        assert actor.is_running()
        rx.take()
    assert actor.is_running()
    rx.take()
    source.tx(numbers).mark_closed()
    source.turn.commit()
    sink.turn.commit()
    sink.turn.left = 3  # as after a look that found short turns
    assert actor.is_running()
    assert not actor.await_for_all(rx.wait_avail(1))
    assert not actor.is_running()


@pytest.mark.parametrize("capacity", [1, 2, 8])
def test_a_full_channel_calls_for_a_commit_even_if_it_filled_in_the_last_one(capacity: int) -> None:
    rig = Rig()
    source, sink = rig.party("source", grouped=True), rig.party("sink")
    numbers = rig.channel(source, sink, capacity=capacity)
    rig.start()
    actor, tx = source.actor(), source.tx(numbers)
    for _ in range(TURNS_TO_TRUST):
        assert actor.is_running()
        tx.send(1)
        source.turn.commit()
        sink.take(numbers)
    for _ in range(capacity):
        assert actor.is_running()
        tx.send(1)
    assert actor.is_running()
    assert source.turn.pending == 0, "the next send waits in the middle of a turn with nothing put off"
