"""The head of a behavior's loop, and what else an actor says of itself."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from steady_mp import EndOfStream
from steady_mp.memory import layout
from steady_mp.testing.rig import Killed, Overslept, Party, Rig, pair


def close(party: Party, channel: int) -> None:
    party.tx(channel).mark_closed()
    party.turn.commit()


def test_an_actor_knows_its_name_its_life_and_its_logger() -> None:
    _, source, _, _ = pair()
    assert (source.actor().name, source.actor().generation) == ("source", 1)
    assert source.actor().log is logging.getLogger("source")
    source.begin()
    assert source.actor().generation == 2


# is_running


def test_a_source_runs_until_a_shutdown_is_requested() -> None:
    rig, source, _, _ = pair()
    actor = source.actor()
    assert actor.is_running()
    rig.request_shutdown()
    assert not actor.is_running()


def test_an_actor_without_any_channel_is_a_source_too() -> None:
    rig = Rig()
    party = rig.party("alone")
    rig.start()
    actor = party.actor()
    assert actor.is_running()
    rig.request_shutdown()
    assert not actor.is_running()


def test_a_sink_runs_until_its_inputs_are_closed_and_empty_shutdown_or_not() -> None:
    rig, source, sink, channel = pair()
    actor = sink.actor()
    rig.request_shutdown()
    assert actor.is_running()
    source.send(channel, 1)
    close(source, channel)
    assert actor.is_running()
    sink.rx(channel).take()
    assert not actor.is_running()


def test_it_runs_while_one_of_several_inputs_is_open() -> None:
    rig = Rig()
    left, right, sink = rig.party("left"), rig.party("right"), rig.party("sink")
    a, b = rig.channel(left, sink), rig.channel(right, sink)
    rig.start()
    close(left, a)
    assert sink.actor().is_running()
    close(right, b)
    assert not sink.actor().is_running()


def test_it_is_a_commit_point() -> None:
    _, source, sink, channel = pair()
    source.tx(channel).send(1)
    assert source.actor().is_running()
    assert sink.take(channel) == [1]


# The veto


def test_a_veto_is_asked_last_and_says_why() -> None:
    _, source, sink, channel = pair()
    actor, asked, reasons = sink.actor(), [], ["3 orders unpaid", "2 orders unpaid", None]

    def veto() -> str | None:
        asked.append(1)
        return reasons.pop(0)

    assert actor.is_running(veto)
    close(source, channel)
    assert not asked
    assert actor.is_running(veto)
    assert sink.control.refusal == "3 orders unpaid"
    assert actor.is_running(veto)
    assert sink.control.refusal == "2 orders unpaid"
    assert not actor.is_running(veto)


@pytest.mark.parametrize("answer", [True, False, 3])
def test_a_veto_that_gives_no_reason_is_refused(answer: Any) -> None:
    _, source, sink, channel = pair()
    actor = sink.actor()
    close(source, channel)
    with pytest.raises(TypeError, match=f"the veto of is_running answered {answer}: let it return the reason to go on"):
        actor.is_running(lambda: answer)


def test_a_query_commands_nothing() -> None:
    rig, source, _, channel = pair()
    rig.request_shutdown()
    assert not source.actor().is_running()
    assert not source.actor().is_running()
    source.tx(channel).send("it may still finish its work")


# Asking for a shutdown


def test_a_request_is_part_of_the_turn() -> None:
    _, source, _, _ = pair()
    source.actor().request_shutdown()
    assert source.supervisor.rings == 0
    assert not source.word(layout.REQUESTED)
    source.begin()
    assert not source.control.journal().requested
    source.actor().request_shutdown()
    source.actor().commit()
    assert source.supervisor.rings == 1
    assert source.word(layout.REQUESTED)


def test_asking_twice_rings_once() -> None:
    _, source, _, _ = pair()
    actor = source.actor()
    for _ in range(3):
        actor.request_shutdown()
        actor.commit()
    assert source.supervisor.rings == 1


@pytest.mark.parametrize("point", ["commit:epoch", "commit:published", "commit:done"])
def test_a_request_that_is_committed_survives_its_actor(point: str) -> None:
    _, source, _, _ = pair()
    source.actor().request_shutdown()
    source.kill_at(point)
    with pytest.raises(Killed):
        source.actor().commit()
    source.begin()
    assert source.control.journal().requested
    assert source.word(layout.REQUESTED)


# The end


def test_the_last_commit_says_that_the_actor_has_finished() -> None:
    _, source, _, _ = pair()
    source.turn.finish()
    assert source.word(layout.FINISHED)
    source.begin()
    assert source.control.journal().finished


def test_turns_are_counted() -> None:
    _, source, _, channel = pair(grouped=True)
    actor = source.actor()
    for _ in range(100):
        actor.is_running()
        source.tx(channel).try_send(1)
    actor.commit()
    assert source.word(layout.TURNS) == 101


def test_a_take_at_the_end_of_the_stream_leaves_the_loop_by_itself() -> None:
    _, source, sink, channel = pair()
    source.send(channel, 1)
    close(source, channel)
    assert sink.rx(channel).take() == 1
    with pytest.raises(EndOfStream):
        sink.rx(channel).take()


def test_a_false_wait_wakes_the_head_of_the_loop() -> None:
    """Whether anything is left is seen at once, though the loop's turns are short and put off."""
    rig, source, sink, channel = pair(grouped=True)
    actor = sink.actor()
    for _ in range(40):
        actor.is_running()
    close(source, channel)
    rig.request_shutdown()
    for _ in range(2):  # a second wait of the same turn answers too: it could sleep for ever
        assert not actor.await_for_all(sink.rx(channel).wait_avail(1))
    assert not actor.is_running()
    assert actor.is_running(veto=lambda: "not yet")
    assert sink.control.refusal == "not yet"
    with pytest.raises(Overslept):
        actor.await_for_all(sink.rx(channel).wait_avail(1))
    assert not actor.is_running(veto=lambda: None)
    assert not sink.control.refusal


def test_a_veto_that_this_turn_has_lifted_does_not_let_a_second_wait_sleep() -> None:
    """What the veto said at the head of the loop is old news by then."""
    rig, source, sink, channel = pair()
    actor = sink.actor()
    owed = ["a reply"]
    close(source, channel)
    rig.request_shutdown()
    assert actor.is_running(veto=lambda: owed[0] if owed else None)
    assert sink.control.refusal == "a reply"
    assert not actor.await_for_all(sink.rx(channel).wait_avail(1))
    with pytest.raises(Overslept):
        actor.await_for_all(sink.rx(channel).wait_avail(1))
    owed.clear()
    for _ in range(2):
        assert not actor.await_for_all(sink.rx(channel).wait_avail(1))
    assert not actor.is_running(veto=lambda: owed[0] if owed else None)
    assert not sink.control.refusal
