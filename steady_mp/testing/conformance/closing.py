"""Closing: how a channel ends, at either end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.channel.endpoints import SendOutcome
from steady_mp.errors import ClosedByMe, EndOfStream, PeerGone
from steady_mp.testing.conformance.kind import Kind, fill
from steady_mp.testing.rig import Killed

if TYPE_CHECKING:
    from steady_mp.testing.conformance.link import Link, MakeLink


def refuses(link: Link, value: Any, error: type[Exception]) -> None:
    """Check that nothing can be sent any more, whatever the way."""
    tx = link.tx()
    position = tx.position()
    assert tx.try_send(value) is SendOutcome.CLOSED
    with pytest.raises(error, match=tx.name):
        tx.send(value)
    with pytest.raises(error, match=tx.name):
        tx.send_slice([value, value])
    assert tx.position() == position


class Closing(Kind):
    """Part of `ChannelConformance`."""

    def test_a_closed_channel_gives_what_is_in_it_and_then_its_end(self, make: MakeLink) -> None:
        link, values = make(), self.values(3)
        link.send(values[:2])
        link.tx().send(values[2])
        link.close()
        rx = link.rx()
        for value in values:
            assert not rx.is_closed_and_empty()
            assert self.plain(rx.take()) == self.plain(value)
        assert rx.is_closed_and_empty()
        with pytest.raises(EndOfStream, match=rx.name):
            rx.take()
        assert (rx.try_take(), rx.try_peek(), rx.take_slice(9)) == (None, None, [])

    def test_an_empty_channel_can_be_closed(self, make: MakeLink) -> None:
        link = make()
        assert not link.rx().is_closed_and_empty()
        link.close()
        assert link.rx().is_closed_and_empty()

    def test_closing_is_part_of_the_turn(self, make: MakeLink) -> None:
        link = make()
        link.tx().mark_closed()
        assert not link.rx().is_closed_and_empty()
        assert not link.rx().statistics().closed
        link.source.turn.commit()
        assert link.rx().is_closed_and_empty()

    def test_who_has_closed_can_send_nothing_any_more(self, make: MakeLink) -> None:
        link, value = make(), self.values(1)[0]
        link.tx().mark_closed()
        refuses(link, value, ClosedByMe)
        link.source.turn.commit()
        refuses(link, value, ClosedByMe)
        link.source.begin()
        refuses(link, value, ClosedByMe)
        assert link.rx().is_closed_and_empty()

    def test_a_close_that_never_was_committed_never_was(self, make: MakeLink) -> None:
        link, values = make(), self.values(1)
        link.tx().mark_closed()
        link.source.kill_at("commit:journal")
        with pytest.raises(Killed):
            link.source.turn.commit()
        link.source.begin()
        assert not link.rx().is_closed_and_empty()
        link.send(values)
        assert self.all_plain(link.take()) == self.all_plain(values)
        assert not link.rx().is_closed_and_empty()

    def test_a_consumer_that_has_finished_is_gone_for_the_producer(self, make: MakeLink) -> None:
        """Noticed behind its next commit at the latest: what was staged before is committed for nobody."""
        link, values = make(), self.values(3)
        link.tx().send(values[0])
        link.sink.finish()
        link.source.turn.commit()
        refuses(link, values[1], PeerGone)
        link.source.begin()
        refuses(link, values[1], PeerGone)

    def test_a_consumer_that_finishes_ends_the_wait_for_room(self, make: MakeLink) -> None:
        link, values = make(capacity=2), self.values(3)
        fill(link, values)
        link.source.parker.plans.append(link.sink.finish)
        with pytest.raises(PeerGone, match=link.tx().name):
            link.tx().send(values[2])
        assert link.tx().position() == 2

    def test_a_close_ends_the_wait_for_a_message(self, make: MakeLink) -> None:
        link = make()
        link.sink.parker.plans.append(link.close)
        with pytest.raises(EndOfStream, match=link.rx().name):
            link.rx().take()

    def test_what_comes_with_the_close_is_taken_first(self, make: MakeLink) -> None:
        link, values = make(), self.values(1)

        def send_and_close() -> None:
            link.tx().send(values[0])
            link.close()

        link.sink.parker.plans.append(send_and_close)
        assert self.plain(link.rx().take()) == self.plain(values[0])
        with pytest.raises(EndOfStream):
            link.rx().take()
