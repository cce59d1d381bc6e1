"""Waits in the middle of a turn: they end no turn, unless nothing could ever move again."""

from __future__ import annotations

import logging

import pytest

from steady_mp.channel.producing import ProducingEnd
from steady_mp.memory import layout
from steady_mp.memory.layout import PAGE
from steady_mp.testing.rig import Killed, Overslept, Party, Rig, pair


def commits(party: Party) -> int:
    return party.control.epoch


def waits(party: Party, channel: int, count: int = 1) -> None:
    """Let the party wait for messages, and leave it asleep."""
    with pytest.raises(Overslept):
        party.actor().await_for_all(party.rx(channel).wait_avail(count))


class Talk:
    """`ask` sends questions to `serve` and gets answers from it."""

    def __init__(self, capacity: int = 4) -> None:
        self.rig = Rig()
        self.ask, self.serve = self.rig.party("ask"), self.rig.party("serve")
        self.questions = self.rig.channel(self.ask, self.serve, capacity=capacity)
        self.answers = self.rig.channel(self.serve, self.ask, capacity=capacity)
        self.rig.start()

    def answer(self) -> None:
        """Wake up, take the questions that there are, and answer each."""
        for end in self.serve.turn.ends:
            end.disarm()
        self.serve.send(self.answers, *[2 * question for question in self.serve.take(self.questions)])


# A send and a take that block are no commit points


def test_room_that_comes_between_two_looks_tears_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    _, source, sink, channel = pair(capacity=4)
    source.send(channel, 0, 1, 2)
    source.turn.end()
    tx, before = source.tx(channel), commits(source)
    tx.send(3)
    look, coming = ProducingEnd.is_choked, [lambda: sink.take(channel, 3)]

    def late(end: ProducingEnd[object]) -> bool:
        """Look as one does whom the system has put aside for a while."""
        while coming:
            coming.pop()()
        return look(end)

    monkeypatch.setattr(ProducingEnd, "is_choked", late)
    tx.send(4)
    assert not coming
    assert source.word(layout.EARLY_COMMITS) == 0
    assert commits(source) == before


def test_a_send_that_waits_for_room_does_not_end_the_turn() -> None:
    _, source, sink, channel = pair(capacity=2)
    source.send(channel, 0, 1)
    before = commits(source)
    source.parker.plans.append(lambda: sink.take(channel, 1))
    source.tx(channel).send(2)
    assert commits(source) == before
    source.begin()
    assert source.tx(channel).position() == 2


def test_a_take_in_the_middle_of_a_turn_does_not_end_it() -> None:
    _, source, sink, channel = pair()
    source.send(channel, "a")
    assert sink.rx(channel).take() == "a"
    sink.parker.plans.append(lambda: source.send(channel, "b"))
    assert sink.rx(channel).take() == "b"
    assert commits(sink) == 0


def test_a_take_at_the_start_of_a_turn_commits_the_state_before_it_sleeps() -> None:
    _, source, sink, channel = pair()
    sink.state().acquire(lambda: ["kept"])
    sink.parker.plans.append(lambda: source.send(channel, "a"))
    assert sink.rx(channel).take() == "a"
    assert commits(sink) == 1
    sink.begin()
    assert sink.state().acquire(list) == ["kept"]
    assert sink.rx(channel).take() == "a"


def test_one_that_finds_its_message_at_once_commits_nothing() -> None:
    _, source, sink, channel = pair()
    sink.state().acquire(lambda: ["kept"])
    source.send(channel, "a")
    sink.rx(channel).take()
    assert commits(sink) == 0


# Torn turns


def test_a_turn_that_sends_more_than_the_channel_holds_is_torn_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    _, source, sink, channel = pair(capacity=2)
    got: list[int] = []
    source.parker.plans.extend([lambda: got.extend(sink.take(channel))] * 4)
    for number in range(7):
        source.tx(channel).send(number)
    source.turn.commit()
    assert got + sink.take(channel) == list(range(7))
    assert source.word(layout.EARLY_COMMITS) == 3
    (line,) = caplog.messages
    assert "it takes or sends more than channel channel 0 (capacity 2) lets it" in line
    assert "raise the capacity" in line


def test_a_slice_larger_than_the_channel_arrives_too() -> None:
    _, source, sink, channel = pair(capacity=3)
    got: list[object] = []
    source.parker.plans.extend([lambda: got.extend(sink.take(channel, 2))] * 20)
    sent = [None, "text", 1, 2, 3, 2.5, [1], b"b", 10**30, *range(20)]
    source.tx(channel).send_slice(sent)
    source.turn.commit()
    assert got + sink.take(channel) == sent


def test_a_consumer_that_waits_for_all_that_fits_gets_the_staged_part_too() -> None:
    """Two are committed, one is staged, and three is what it takes to wake the consumer."""
    _, source, sink, channel = pair(capacity=3)
    source.send(channel, 0, 1)
    waits(sink, channel, 3)
    source.tx(channel).send(2)
    source.parker.plans.append(lambda: sink.take(channel))
    source.tx(channel).send(3)
    assert sink.bell.rings == 1
    assert source.word(layout.EARLY_COMMITS) == 1


def test_the_same_for_one_that_comes_to_wait_later() -> None:
    """It sleeps, and is not told that three can't come: the producer holds the third one."""
    _, source, sink, channel = pair(capacity=3)
    source.send(channel, 0, 1)
    source.tx(channel).send(2)
    source.parker.plans.append(lambda: waits(sink, channel, 3))
    source.parker.plans.append(lambda: sink.take(channel))
    source.tx(channel).send(3)
    assert source.bell.rings >= 1
    assert sink.bell.rings == 1


def test_one_that_waits_for_more_than_the_bytes_allow_is_told(caplog: pytest.LogCaptureFixture) -> None:
    _, source, sink, channel = pair(capacity=64)
    source.send(channel, bytes(PAGE // 2))

    def ask_for_three() -> None:
        assert not sink.actor().await_for_all(sink.rx(channel).wait_avail(3))
        assert sink.take(channel) == [bytes(PAGE // 2)]

    source.parker.plans.append(ask_for_three)
    source.tx(channel).send(bytes(PAGE // 2))
    source.turn.commit()
    assert sink.take(channel) == [bytes(PAGE // 2)]
    assert caplog.messages == [
        "channel channel 0 is full of bytes with 1 messages, and more are waited for: give it a larger ring_bytes"
    ]


def test_one_whose_messages_come_between_two_looks_is_told_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It has found none; by the time it asks why, the channel is full of them, and the producer waits for room."""
    _, source, sink, channel = pair(capacity=2)
    source.send(channel, 0, 1)
    asked: list[bool] = []

    def ask_late() -> None:
        asked.append(sink.rx(channel).wait_avail(1).impossible())
        sink.take(channel)

    source.parker.plans.append(ask_late)
    source.tx(channel).send(2)
    assert asked == [False]
    assert caplog.messages == []


def test_a_question_whose_server_sleeps_is_committed_before_the_wait_for_its_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    talk = Talk()
    waits(talk.serve, talk.questions)
    talk.ask.tx(talk.questions).send(21)
    talk.ask.parker.plans.append(talk.answer)
    assert talk.ask.rx(talk.answers).take() == 42
    assert talk.serve.bell.rings == 1
    assert talk.ask.word(layout.EARLY_COMMITS) == 1
    assert "it waits for channel channel 1 while somebody waits for what it has sent" in caplog.text


def test_a_server_that_comes_to_need_a_staged_question_rings_for_it() -> None:
    talk = Talk()
    talk.ask.tx(talk.questions).send(21)

    def come_to_need_it() -> None:
        waits(talk.serve, talk.questions)
        assert talk.ask.bell.rings == 1

    talk.ask.parker.plans.append(come_to_need_it)
    talk.ask.parker.plans.append(talk.answer)
    assert talk.ask.rx(talk.answers).take() == 42
    assert talk.serve.bell.rings == 1


@pytest.mark.parametrize("point", ["park:armed", "park:sleep"])
def test_one_that_comes_on_the_way_to_sleep_is_seen_or_rings(point: str) -> None:
    talk = Talk()
    talk.ask.tx(talk.questions).send(21)
    talk.ask.at(point, lambda: waits(talk.serve, talk.questions))
    if point == "park:sleep":
        talk.ask.parker.plans.append(lambda: None)  # the ring that came
    talk.ask.parker.plans.append(talk.answer)
    assert talk.ask.rx(talk.answers).take() == 42
    assert len(talk.ask.parker.sleeps) == (1 if point == "park:armed" else 2)


def test_room_that_is_staged_counts_for_a_producer_that_waits_for_it() -> None:
    """`ask` took an answer, and can send no question before `serve`, which waits for that room, takes one."""
    talk = Talk(capacity=1)
    talk.ask.send(talk.questions, 1)
    talk.serve.send(talk.answers, "old")
    with pytest.raises(Overslept):
        talk.serve.actor().await_for_all(talk.serve.tx(talk.answers).wait_vacant(1))
    assert talk.ask.rx(talk.answers).take() == "old"
    talk.ask.parker.plans.append(talk.answer)
    talk.ask.tx(talk.questions).send(2)
    assert talk.serve.bell.rings == 1
    assert talk.ask.word(layout.EARLY_COMMITS) == 1


def test_after_the_wait_nothing_is_said_to_be_held_back() -> None:
    talk = Talk()
    talk.ask.tx(talk.questions).send(21)
    talk.ask.parker.plans.append(lambda: talk.serve.send(talk.answers, 0))
    talk.ask.rx(talk.answers).take()
    assert talk.rig.words(talk.questions)[layout.TX_HELD] == 0
    assert talk.rig.words(talk.answers)[layout.RX_HELD] == 0
    assert talk.ask.word(layout.EARLY_COMMITS) == 0


# Nobody spins


class Spinning(BaseException):
    """A wait went round many times without a sleep."""


def forbid_spinning(party: Party) -> None:
    """Let a wait that commits again and again fail, instead of hang."""

    def look() -> None:
        if party.reached.count("commit:begin") > 20:
            raise Spinning
        party.at("commit:begin", look)

    party.at("commit:begin", look)


def test_a_server_that_is_frozen_in_its_sleep_makes_nobody_spin() -> None:
    talk = Talk()
    waits(talk.serve, talk.questions)
    forbid_spinning(talk.ask)
    talk.ask.tx(talk.questions).send(21)
    with pytest.raises(Overslept):
        talk.ask.rx(talk.answers).take()
    assert talk.serve.bell.rings == 1
    assert talk.ask.word(layout.EARLY_COMMITS) == 1


def test_a_consumer_that_waits_for_more_than_the_bytes_allow_makes_nobody_spin() -> None:
    _, source, sink, channel = pair(capacity=64)
    source.send(channel, bytes(PAGE // 2))
    waits(sink, channel, 3)
    forbid_spinning(source)
    source.tx(channel).send(bytes(PAGE // 4))
    with pytest.raises(Overslept):
        source.tx(channel).send(bytes(PAGE // 2))


# Deaths


@pytest.mark.parametrize("hit", [1, 2])
@pytest.mark.parametrize("point", ["commit:journal", "commit:epoch", "commit:publish", "park:armed", "park:sleep"])
def test_a_death_in_such_a_wait_repeats_from_the_last_commit(point: str, hit: int) -> None:
    _, source, sink, channel = pair(capacity=2)
    got: list[int] = []

    def live() -> None:
        following = source.state().acquire(lambda: [0])
        source.parker.plans.clear()
        source.parker.plans.extend([lambda: got.extend(sink.take(channel, 1))] * 40)
        while following[0] < 20:
            source.tx(channel).send(following[0])
            following[0] += 1
        source.turn.commit()

    source.kill_at(point, hit)
    for _ in range(3):
        try:
            live()
        except Killed:
            source.begin()
    assert got + sink.take(channel) == list(range(20))


# Who is blocked


def test_who_lacks_room_is_blocked_also_where_the_channel_is_not_full() -> None:
    """Not full of messages: there is room for one where two are to be sent, or none in the ring for a long one."""
    _, source, _, channel = pair(capacity=4, ring_bytes=PAGE)
    source.send(channel, b"x" * 1500, b"x" * 1500)
    tx = source.tx(channel)
    for wait in (lambda: source.actor().await_for_all(tx.wait_vacant(3)), lambda: tx.send(b"x" * 1500)):
        with pytest.raises(Overslept):
            wait()
        assert source.word(layout.BLOCKED_ON) == 1


def test_who_has_the_room_it_waits_for_and_waits_for_more_is_not_blocked() -> None:
    talk = Talk()
    with pytest.raises(Overslept):
        talk.ask.actor().await_for_all(
            talk.ask.tx(talk.questions).wait_vacant(1), talk.ask.rx(talk.answers).wait_avail(1)
        )
    assert talk.ask.word(layout.BLOCKED_ON) == 0
