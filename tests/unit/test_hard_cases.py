"""The two ends of a channel where something has gone wrong in the middle, or was asked for in an odd moment."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import pytest

from steady_mp.life import Life
from steady_mp.memory import layout
from steady_mp.memory.letters import Mail, Order, Suspect
from steady_mp.memory.standing import seconds_in_its_code
from steady_mp.testing.rig import Overslept, Party, Rig, pair

PAGE = 4096


class Bad:
    """What can't be unpickled; `size` makes it long."""

    def __init__(self, size: int = 1) -> None:
        self.text = "x" * size

    def __setstate__(self, state: object) -> None:
        message = "a bad message"
        raise ValueError(message)


LARGE = 100_000


# Room


def test_a_slice_of_bytes_that_does_not_fit_overwrites_nothing() -> None:
    _, source, sink, channel = pair(ring_bytes=PAGE, dtype=bytes)
    tx = source.tx(channel)
    first = [b"x" * 2000, b"y" * 1500, b"p" * 17]
    for message in first:
        tx.send(message)
    with pytest.raises(Overslept):
        tx.send_slice([b"q" * 503, b"z" * 400])
    seen = []
    while (taken := sink.rx(channel).try_take()) is not None:
        seen.append(taken)
    assert seen[:3] == first


@pytest.mark.parametrize("before", [0, 1, 100, 200])
def test_a_slice_of_more_bytes_than_there_is_room_for_overwrites_nothing_and_keeps_its_place(before: int) -> None:
    _, source, sink, channel = pair(capacity=4096, ring_bytes=PAGE)
    tx = source.tx(channel)
    source.send(channel, bytes(100))
    for number in range(before):
        tx.send(number)
    with pytest.raises(Overslept):
        tx.send_slice(range(before, 1000))
    sent = tx.position()
    assert sent > 1 + before
    assert tx.statistics().bytes_in_flight <= PAGE
    source.turn.commit()
    assert sink.rx(channel).take_slice(1001) == [bytes(100), *range(sent - 1)]
    sink.turn.commit()
    tx.send_slice(range(sent - 1, sent + 99))
    source.turn.commit()
    assert sink.rx(channel).take_slice(1001) == list(range(sent - 1, sent + 99))


def test_a_look_for_room_to_poke_gives_none_away() -> None:
    _, source, sink, channel = pair(ring_bytes=PAGE, dtype=bytes)
    tx: Any = source.tx(channel)
    sent = [b"x" * 2000, b"y" * 17]
    for message in sent:
        tx.send(message)
    room = tx._spare  # to the last byte of what could be sent without a look
    assert tx.try_poke(2024) is None
    with contextlib.suppress(Overslept):
        while room > 4:
            message = b"z" * min(room - 4, 500)
            tx.send(message)
            sent.append(message)
            room -= len(message) + 4
    source.turn.commit()
    words = sink.life._place.stores[0].words
    assert words[layout.TAIL_POS] - words[layout.HEAD_POS] <= PAGE
    assert sink.take(channel) == sent


def test_a_commit_that_was_refused_leaves_no_room_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    _, source, sink, channel = pair(capacity=1024, ring_bytes=PAGE)
    tx, written = source.tx(channel), 0

    def refuse(*_: object) -> None:
        message = "not now"
        raise ValueError(message)

    with monkeypatch.context() as patch:
        patch.setattr(type(source.turn._control), "write_journal", refuse)
        for number in range(200):
            try:
                tx.send(number)
            except (Overslept, ValueError):  # it waits for room, and a wait commits
                break
            written += 1
            with pytest.raises(ValueError, match="not now"):
                source.turn.commit()
    assert tx._written() <= PAGE
    source.turn.commit()
    assert sink.take(channel) == list(range(written))


@pytest.mark.parametrize("size", [-1, -100])
def test_no_room_of_less_than_nothing_is_handed_out(size: int) -> None:
    _, source, _, channel = pair(ring_bytes=PAGE, dtype=bytes)
    tx: Any = source.tx(channel)
    for poke in (tx.poke, tx.try_poke):
        with pytest.raises(ValueError, match=f"channel 'channel 0': a message of {size} bytes"):
            poke(size)


# What can't be unpickled


def test_a_large_message_that_can_not_be_unpickled_stays() -> None:
    rig, source, sink, channel = pair(capacity=1, ring_bytes=1 << 20)
    source.send(channel, Bad(LARGE))
    rx = sink.rx(channel)
    for take in (rx.take, rx.try_take, lambda: rx.take_slice(1)):
        with pytest.raises(ValueError, match="a bad message"):
            take()
        assert rx.position() == 0
    sink.turn.commit()
    assert rig.words(channel)[layout.HEAD] == 0


@pytest.mark.parametrize("size", [1, LARGE])
def test_the_good_ones_before_it_are_delivered_first(size: int) -> None:
    _, source, sink, channel = pair(ring_bytes=1 << 20)
    source.send(channel, [1], [2], Bad(size), [3])
    rx = sink.rx(channel)
    assert rx.take() == [1]
    assert rx.take() == [2]
    with pytest.raises(ValueError, match="a bad message"):
        rx.take()
    assert rx.position() == 2


@pytest.mark.parametrize("size", [1, LARGE])
def test_a_slice_with_one_among_them_loses_nothing(size: int) -> None:
    _, source, sink, channel = pair(ring_bytes=1 << 20)
    source.send(channel, [1], Bad(size), [3])
    rx = sink.rx(channel)
    with pytest.raises(ValueError, match="a bad message"):
        rx.take_slice(3)
    assert rx.position() == 0
    assert rx.take_slice(1) == [[1]]
    assert rx.position() == 1


# Closed


def in_a_row() -> tuple[dict[str, Party], int, int]:
    """Return left, middle and right by name, and the channels into the middle and out of it."""
    rig = Rig()
    parties = {name: rig.party(name) for name in ("left", "middle", "right")}
    coming = rig.channel(parties["left"], parties["middle"])
    going = rig.channel(parties["middle"], parties["right"], capacity=4)
    rig.start()
    return parties, coming, going


def test_a_wait_for_room_in_a_channel_that_this_actor_has_closed() -> None:
    parties, coming, going = in_a_row()
    left, middle = parties["left"], parties["middle"]
    tx, rx, actor = middle.tx(going), middle.rx(coming), middle.actor()
    tx.mark_closed()
    middle.turn.commit()
    with pytest.raises(Overslept):
        actor.await_for_any(tx.wait_vacant(1), rx.wait_avail(1))
    left.send(coming, 1)
    assert actor.await_for_any(tx.wait_vacant(1), rx.wait_avail(1))
    assert not actor.await_for_all(tx.wait_vacant(1))


def test_and_one_that_had_messages_in_it() -> None:
    parties, coming, going = in_a_row()
    middle = parties["middle"]
    tx, rx, actor = middle.tx(going), middle.rx(coming), middle.actor()
    middle.send(going, 1, 2, 3, 4)
    parties["right"].take(going, 2)
    tx.mark_closed()
    middle.turn.commit()
    with pytest.raises(Overslept):
        actor.await_for_any(tx.wait_vacant(1), rx.wait_avail(1))
    assert len(middle.parker.sleeps) == 1


# Letters


def reborn(sink: Any, *orders: Order | None, holes: frozenset[int]) -> tuple[Life, Any]:
    place = dataclasses.replace(sink.life._place, mail=lambda _: Mail(holes, orders))
    life = Life(place, 2)
    return life, life.ends[0]


def test_an_order_that_was_withdrawn_behind_one_that_waits_counts_behind_it() -> None:
    _, source, sink, channel = pair()
    source.send(channel, "a", "b", "c")
    letter = Order(0, b"\x80\x05\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94.")
    for _ in range(2):
        life, rx = reborn(sink, letter, None, holes=frozenset({0, 1}))
        assert life.actor().is_running()
        life.turn.commit()
    assert rx.take_slice(9) == ["a", "c"]
    life.turn.commit()
    _, rx = reborn(sink, letter, None, holes=frozenset({0, 1}))
    assert rx.take_slice(9) == []


def test_a_letter_that_was_taken_is_a_change() -> None:
    _, source, sink, channel = pair()
    source.send(channel, "a", "b")
    source.tx(channel).mark_closed()
    source.turn.commit()
    orders = [Order(n, b"\x80\x05\x8c\x01" + letter + b"\x94.") for n, letter in enumerate((b"a", b"b"))]
    life, rx = reborn(sink, *orders, holes=frozenset({0, 1}))
    actor, got = life.actor(), []
    while actor.is_running():
        assert not actor.await_for_all(rx.wait_avail(3))
        got.append(rx.try_take())
    assert got == ["a", "b"]


def test_a_letter_that_has_killed_twice_is_known_before_it_is_taken() -> None:
    _, source, sink, channel = pair()
    source.send(channel, "a", "b")
    letter = Order(0, b"\x80\x05\x8c\x01a\x94.")
    suspects = (Suspect(0, layout.LETTER, layout.LETTER, ({}, {})), Suspect(0, 1, 1, ({},)))
    place = dataclasses.replace(sink.life._place, mail=lambda _: Mail(frozenset({0}), (letter,), suspects))
    rx = Life(place, 2).ends[0]
    assert rx.is_showstopper(2)
    assert not rx.is_showstopper(3)
    assert rx.take() == "a"
    assert rx.is_showstopper(1)
    assert not rx.is_showstopper(2)


# Signals


class Alarmed(Exception):
    """What a signal's handler raises."""


def alarm() -> None:
    raise Alarmed


def test_a_sleep_that_a_signal_ends_leaves_nothing_said() -> None:
    rig, source, sink, channel = pair(capacity=2)
    sink.parker.plans.append(alarm)
    with pytest.raises(Alarmed):
        sink.actor().await_for_all(sink.rx(channel).wait_avail(1))
    assert sink.word(layout.PHASE) == layout.PHASE_RUNNING
    source.send(channel, 1, 2)
    source.parker.plans.append(alarm)
    with pytest.raises(Alarmed):
        source.tx(channel).send(3)
    assert source.word(layout.PHASE) == layout.PHASE_RUNNING
    assert rig.words(channel)[layout.TX_STUCK] == 0


def test_and_who_is_awake_by_it_is_in_its_code_since_then_and_waits_for_nothing() -> None:
    rig, source, sink, channel = pair(capacity=1)
    rig.clock.advance(1)

    def late() -> None:
        rig.clock.advance(4)
        raise Alarmed

    sink.parker.plans.append(late)
    with pytest.raises(Alarmed):
        sink.actor().await_for_all(sink.rx(channel).wait_avail(1))
    assert seconds_in_its_code(sink.control.words, rig.clock()) == 0
    assert sink.word(layout.WAITED_NS) == 4e9
    assert rig.words(channel)[layout.WAKE_TAIL] == layout.NEVER
    source.send(channel, 1)
    source.parker.plans.append(late)
    with pytest.raises(Alarmed):
        source.tx(channel).send(2)
    assert rig.words(channel)[layout.WAKE_HEAD] == layout.NEVER
    assert rig.words(channel)[layout.BLOCKED_NS] == 4e9


def test_a_signal_behind_the_commit_spoils_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    _, source, sink, channel = pair()
    put_in_force = type(source.turn._control).put_in_force

    def interrupted(control: Any, epoch: int) -> None:
        put_in_force(control, epoch)
        raise Alarmed

    source.tx(channel).send(1)
    with monkeypatch.context() as patch:
        patch.setattr(type(source.turn._control), "put_in_force", interrupted)
        with pytest.raises(Alarmed):
            source.turn.commit()
    held, seen = source.control.journal(), []
    write_journal = type(source.turn._control).write_journal

    def watched(control: Any, epoch: int, packed: bytes) -> None:
        write_journal(control, epoch, packed)
        seen.append(control.journal())

    source.tx(channel).send(2)
    monkeypatch.setattr(type(source.turn._control), "write_journal", watched)
    source.turn.commit()
    assert seen == [held]
    assert source.control.epoch == 2
    assert sink.take(channel) == [1, 2]


@pytest.mark.parametrize("dtype", [None, "q"])
@pytest.mark.parametrize("point", ["commit:epoch", "commit:publish", "commit:published", "commit:ring", "commit:done"])
def test_a_signal_while_a_commit_is_shown_leaves_nobody_asleep(point: str, dtype: str | None) -> None:
    rig = Rig()
    source, sinks = rig.party("source", grouped=True), [rig.party("first"), rig.party("second")]
    channels = [rig.channel(source, sink, dtype=dtype) for sink in sinks]
    rig.start()
    for sink, channel in zip(sinks, channels, strict=True):
        with pytest.raises(Overslept):
            sink.actor().await_for_all(sink.rx(channel).wait_avail(1))
        source.tx(channel).send(1)
    source.at(point, alarm)
    with pytest.raises(Alarmed):
        source.turn.commit()
    source.turn.commit()
    assert [sink.bell.rings > 0 for sink in sinks] == [True, True]
    assert [sink.take(channel) for sink, channel in zip(sinks, channels, strict=True)] == [[1], [1]]
    assert not source.turn.pending
    for channel in channels:
        source.tx(channel).send(2)
    source.turn.commit()
    assert [sink.take(channel) for sink, channel in zip(sinks, channels, strict=True)] == [[2], [2]]


@pytest.mark.parametrize("point", ["commit:epoch", "commit:published", "commit:done"])
def test_a_signal_while_a_request_for_shutdown_is_shown_leaves_the_supervisor_told(point: str) -> None:
    _, source, _, _ = pair()
    source.turn.request_shutdown()
    source.at(point, alarm)
    with pytest.raises(Alarmed):
        source.turn.commit()
    source.turn.commit()
    assert source.word(layout.REQUESTED) == 1
    assert source.supervisor.rings > 0
