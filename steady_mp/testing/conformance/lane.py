"""LaneConformance: what lanes have to do beside what every channel does: views, and when they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from steady_mp.errors import ClosedByMe, DoesNotFit, OutOfReach, PeerGone, ViewInUse
from steady_mp.testing.conformance.channel import ChannelConformance
from steady_mp.testing.conformance.surviving import die, oversleep
from steady_mp.testing.points import DONE, UNDONE

if TYPE_CHECKING:
    from steady_mp.channel.endpoints import Rx
    from steady_mp.channel.lane import LaneRx, LaneTx
    from steady_mp.testing.conformance.link import Link, MakeLink

_ROUNDS = 60


def _tx(link: Link) -> LaneTx[Any]:
    return cast("LaneTx[Any]", link.tx())


def _rx(link: Link) -> LaneRx[Any]:
    return cast("LaneRx[Any]", link.rx())


class LaneConformance(ChannelConformance):
    """The contract of `LaneTx` and `LaneRx`, as tests; see `ChannelConformance`. Override `shown` and `filled` too."""

    #: No stretch of slots ever wraps.
    mirrored = False
    refusal = DoesNotFit
    #: What using a released view raises; `struct.pack_into` has an error of its own for that.
    released = (ValueError, TypeError)

    def shown(self, view: memoryview) -> list[Any]:
        """Return the items that a view shows, as values of their own."""
        message = f"{type(self).__name__} must override `shown`: the items in a view"
        raise NotImplementedError(message)

    def filled(self, view: memoryview, values: list[Any]) -> None:
        """Write `values` into the first slots of a view."""
        message = f"{type(self).__name__} must override `filled`: how items are written into a view"
        raise NotImplementedError(message)

    def peeked(self, rx: Rx[Any], count: int) -> list[Any]:
        """Return what `peek_slice` shows, as values of their own."""
        views = cast("LaneRx[Any]", rx).peek_slice(count)
        return [item for view in views for item in self.shown(view)]

    def poke(self, link: Link, values: list[Any]) -> int:
        """Send as many of `values` as there is room for, where they will stand; tell how many."""
        done = 0
        for view in _tx(link).poke_slice(len(values)):
            count = len(self.shown(view))
            self.filled(view, values[done : done + count])
            done += count
        _tx(link).advance_send(done)
        return done

    # What they show

    def test_what_is_poked_is_peeked_round_after_round(self, make: MakeLink) -> None:
        link, got, sent = make(capacity=7), [], 0
        values = self.values(5 * _ROUNDS)
        wrapped = 0
        for number in range(_ROUNDS):
            wrapped += len(_tx(link).poke_slice(7)) > 1
            sent += self.poke(link, values[sent : sent + 1 + number % 5])
            link.source.turn.commit()
            found = self.peeked(link.rx(), 1 + number % 6)
            got += found
            _rx(link).advance_take(len(found))
            link.sink.turn.commit()
        got += link.take()
        assert sent > _ROUNDS
        assert (wrapped == 0) == self.mirrored
        assert self.all_plain(got) == self.all_plain(values[:sent])

    def test_all_ways_to_send_and_take_mix(self, make: MakeLink) -> None:
        link, values = make(), self.values(8)
        link.tx().send(values[0])
        assert self.poke(link, values[1:3]) == 2
        link.tx().send_slice(values[3:6])
        assert self.poke(link, values[6:]) == 2
        link.source.turn.commit()
        got = [link.rx().take(), *self.peeked(link.rx(), 3)]
        _rx(link).advance_take(3)
        got += [link.rx().try_take(), *link.rx().take_slice(2), link.rx().try_peek()]
        assert self.all_plain(got) == self.all_plain(values)

    def test_only_what_is_advanced_is_sent_and_taken(self, make: MakeLink) -> None:
        link, values = make(), self.values(6)
        for view in _tx(link).poke_slice(6):
            self.filled(view, values[: len(self.shown(view))])
        _tx(link).advance_send(2)
        assert (link.tx().position(), link.tx().vacant(), link.rx().avail()) == (2, 6, 0)
        link.source.turn.commit()
        assert self.all_plain(self.peeked(link.rx(), 9)) == self.all_plain(values[:2])
        _rx(link).advance_take(1)
        assert (link.rx().position(), link.rx().avail(), link.tx().vacant()) == (1, 1, 6)
        link.sink.turn.commit()
        assert link.tx().vacant() == 7

    def test_views_are_no_more_than_what_there_is(self, make: MakeLink) -> None:
        link, values = make(capacity=4), self.values(4)
        assert _rx(link).peek_slice(9) == ()
        assert sum(len(self.shown(view)) for view in _tx(link).poke_slice(99)) == 4
        link.send(values)
        assert _tx(link).poke_slice(1) == ()
        assert len(self.peeked(link.rx(), 99)) == 4

    def test_messages_cant_be_changed_by_who_reads_them(self, make: MakeLink) -> None:
        link, values = make(), self.values(1)
        link.send(values)
        for view in _rx(link).peek_slice(1):
            assert view.readonly
            with pytest.raises((TypeError, ValueError)):
                self.filled(view, values)

    @pytest.mark.parametrize("count", [-1, 3])
    def test_an_advance_beyond_what_there_is_changes_nothing(self, make: MakeLink, count: int) -> None:
        link = make()
        link.send(self.values(2))
        _tx(link).poke_slice(2)
        with pytest.raises(OutOfReach, match=link.tx().name):
            _tx(link).advance_send(count)
        with pytest.raises(OutOfReach, match=link.rx().name):
            _rx(link).advance_take(count)
        assert (link.tx().position(), link.rx().position()) == (2, 0)

    def test_an_advance_by_nothing_is_nothing(self, make: MakeLink) -> None:
        link = make()
        link.send(self.values(2))
        _tx(link).advance_send(0)
        _rx(link).advance_take(0)
        assert (link.tx().position(), link.rx().position()) == (2, 0)

    def test_who_cant_send_gets_no_slots(self, make: MakeLink) -> None:
        link = make()
        link.tx().mark_closed()
        with pytest.raises(ClosedByMe, match=link.tx().name):
            _tx(link).poke_slice(1)
        other = make()
        other.sink.finish()
        with pytest.raises(PeerGone, match=other.tx().name):
            _tx(other).poke_slice(1)

    def test_slots_that_were_handed_out_are_not_sent_behind_the_end(self, make: MakeLink) -> None:
        link = make()
        _tx(link).poke_slice(1)
        link.tx().mark_closed()
        with pytest.raises(ClosedByMe, match=link.tx().name):
            _tx(link).advance_send(1)
        other = make()
        _tx(other).poke_slice(1)
        other.sink.finish()
        with pytest.raises(PeerGone, match=other.tx().name):
            _tx(other).advance_send(1)
        assert (link.tx().position(), other.tx().position()) == (0, 0)

    # When they end

    def test_a_view_ends_with_the_commit_that_gives_its_slots_away(self, make: MakeLink) -> None:
        link, values = make(), self.values(4)
        (poked,) = _tx(link).poke_slice(4)
        self.filled(poked, values)
        link.source.turn.commit()  # nothing of it was sent
        self.filled(poked, values)
        _tx(link).advance_send(3)
        self.filled(poked, values)  # staged only
        link.source.turn.commit()
        with pytest.raises(self.released):
            self.filled(poked, values)
        (peeked,) = _rx(link).peek_slice(3)
        link.sink.turn.commit()
        assert self.all_plain(self.shown(peeked)) == self.all_plain(values[:3])
        _rx(link).advance_take(1)
        assert self.all_plain(self.shown(peeked)) == self.all_plain(values[:3])
        link.sink.turn.commit()
        with pytest.raises(self.released):
            self.shown(peeked)

    def test_a_view_of_what_comes_later_goes_on(self, make: MakeLink) -> None:
        link, values = make(), self.values(4)
        link.send(values)
        _rx(link).advance_take(1)
        (later,) = _rx(link).peek_slice(3)
        link.sink.turn.commit()
        assert self.all_plain(self.shown(later)) == self.all_plain(values[1:])

    def test_what_was_made_from_a_view_refuses_the_commit(self, make: MakeLink) -> None:
        """Nothing was committed by it, and it can be repeated once that is gone."""
        link, values = make(), self.values(4)
        (poked,) = _tx(link).poke_slice(4)
        self.filled(poked, values)
        part = poked[1:2]
        _tx(link).advance_send(4)
        with pytest.raises(ViewInUse, match=f"{link.tx().name}.*array or a slice.*del it"):
            link.source.turn.commit()
        assert link.rx().avail() == 0
        del part
        link.source.turn.commit()
        assert link.rx().avail() == 4
        (peeked,) = _rx(link).peek_slice(4)
        part = peeked[1:2]
        del peeked
        _rx(link).advance_take(2)
        with pytest.raises(ViewInUse, match=f"{link.rx().name}.*array or a slice.*del it"):
            link.sink.turn.commit()
        assert link.tx().vacant() == 4
        del part
        link.sink.turn.commit()
        assert link.tx().vacant() == 6

    def test_views_that_nobody_keeps_cost_nothing(self, make: MakeLink) -> None:
        link = make()
        link.send(self.values(2))
        for _ in range(200):
            _rx(link).peek_slice(2)
            _tx(link).poke_slice(2)
        for end in (link.rx(), link.tx()):
            assert len(cast("Any", end)._loans._loans) < 50  # noqa: SLF001 - who keeps them is seen from inside only

    # Crashes

    @pytest.mark.parametrize("point", [*UNDONE, *DONE])
    def test_what_was_poked_is_sent_as_a_whole_or_not_at_all(self, make: MakeLink, point: str) -> None:
        link, values = make(), self.values(6)
        link.send(values[:2])
        oversleep(link.sink, link.rx().wait_avail(4))  # so that the commit comes to its ring
        self.poke(link, values[2:5])
        die(link.source, point, link.source.turn.commit)
        link.source.begin()
        sent = 5 if point in DONE else 2
        assert (link.tx().position(), link.rx().avail()) == (sent, sent)
        self.poke(link, values[sent:])
        link.source.turn.commit()
        assert self.all_plain(link.take()) == self.all_plain(values)

    @pytest.mark.parametrize("point", [*UNDONE, *DONE])
    def test_what_was_peeked_is_taken_as_a_whole_or_not_at_all(self, make: MakeLink, point: str) -> None:
        link, values = make(capacity=6), self.values(6)
        link.send(values)
        oversleep(link.source, link.tx().wait_vacant(3))
        assert self.all_plain(self.peeked(link.rx(), 4)) == self.all_plain(values[:4])
        _rx(link).advance_take(4)
        die(link.sink, point, link.sink.turn.commit)
        link.sink.begin()
        taken = 4 if point in DONE else 0
        assert (link.rx().position(), link.tx().vacant()) == (taken, taken)
        assert self.all_plain(self.peeked(link.rx(), 9)) == self.all_plain(values[taken:])
