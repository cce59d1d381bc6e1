"""Surviving: a turn happens as a whole or not at all, wherever its actor dies."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.testing.conformance.kind import Kind
from steady_mp.testing.points import DONE, FAULT_POINTS, PARKED, START, UNDONE
from steady_mp.testing.rig import Killed, Overslept

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.channel.waits import Condition
    from steady_mp.testing.conformance.link import Link, MakeLink
    from steady_mp.testing.rig import Party

_LIVES = 60
_ROOM = 3


def oversleep(party: Party, condition: Condition) -> None:
    """Let an actor wait for something, and leave it asleep: it has asked to be rung, and nobody has."""
    with pytest.raises(Overslept):
        party.actor().await_for_all(condition)


def doze(link: Link, party: Party, victim: str) -> None:
    """Leave the victim's peer asleep for one more than there is, so that the victim has somebody to ring."""
    tx, rx = link.tx(), link.rx()
    there, wait = (tx.vacant(), tx.wait_vacant) if party is link.source else (rx.avail(), rx.wait_avail)
    if party.name != victim and there < _ROOM:
        with contextlib.suppress(Overslept):
            party.actor().await_for_all(wait(there + 1))


def die(party: Party, point: str, work: Callable[[], object]) -> None:
    """Let an actor die at `point` of what it does."""
    party.kill_at(point)
    with pytest.raises(Killed):
        work()


class Surviving(Kind):
    """Part of `ChannelConformance`."""

    @pytest.mark.parametrize("point", [*UNDONE, *DONE])
    def test_a_producers_death_undoes_the_turn_or_it_holds(self, make: MakeLink, point: str) -> None:
        link, values = make(), self.values(6)
        link.send(values[:2])
        oversleep(link.sink, link.rx().wait_avail(4))  # so that the commit comes to its ring
        for value in values[2:5]:
            link.tx().send(value)
        die(link.source, point, link.source.turn.commit)
        sent = 5 if point in DONE else 2
        assert link.rx().avail() in {2, sent}  # the peer may look before the next life begins
        link.source.begin()
        assert (link.tx().position(), link.tx().vacant()) == (sent, 8 - sent)
        assert link.rx().avail() == sent
        link.send(values[sent:])
        assert self.all_plain(link.take()) == self.all_plain(values)

    @pytest.mark.parametrize("point", [*UNDONE, *DONE])
    def test_a_consumers_death_undoes_the_turn_or_it_holds(self, make: MakeLink, point: str) -> None:
        link, values = make(capacity=6), self.values(6)
        link.send(values)
        assert self.all_plain(link.take(1)) == self.all_plain(values[:1])
        oversleep(link.source, link.tx().wait_vacant(3))
        rx = link.rx()
        assert self.all_plain([rx.take(), *rx.take_slice(2)]) == self.all_plain(values[1:4])
        die(link.sink, point, link.sink.turn.commit)
        taken = 4 if point in DONE else 1
        assert link.tx().vacant() in {1, taken}
        link.sink.begin()
        assert (link.rx().position(), link.rx().avail()) == (taken, 6 - taken)
        assert link.tx().vacant() == taken
        assert self.all_plain(link.take()) == self.all_plain(values[taken:])

    @pytest.mark.parametrize("point", PARKED)
    def test_who_dies_in_its_sleep_has_committed_before(self, make: MakeLink, point: str) -> None:
        link, values = make(), self.values(3)
        for value in values[:2]:
            link.tx().send(value)
        link.source.parker.plans.append(lambda: None)
        die(link.source, point, lambda: link.source.actor().await_for_all(link.tx().wait_vacant(8)))
        link.source.begin()
        assert link.tx().position() == link.rx().avail() == 2
        link.rx().take()
        link.sink.parker.plans.append(lambda: None)
        die(link.sink, point, lambda: link.sink.actor().await_for_all(link.rx().wait_avail(8)))
        link.sink.begin()
        assert (link.rx().position(), link.rx().avail()) == (1, 1)
        link.send(values[2:])
        assert self.all_plain(link.take()) == self.all_plain(values[1:])

    @pytest.mark.parametrize("point", START[1:])
    def test_a_death_at_the_start_changes_nothing(self, make: MakeLink, point: str) -> None:
        link, values = make(), self.values(5)
        link.send(values[:4])
        link.take(2)
        for party in (link.source, link.sink):
            die(party, point, party.begin)
            die(party, point, party.begin)
            party.begin()
        assert (link.tx().position(), link.rx().position()) == (4, 2)
        link.send(values[4:])
        assert self.all_plain(link.take()) == self.all_plain(values[2:])

    def test_a_message_has_one_number_in_all_lives(self, make: MakeLink) -> None:
        link, values = make(), self.values(4)
        link.send(values[:3])
        link.take(1)
        for _ in range(3):
            rx = link.rx()
            assert rx.position() == 1
            assert self.plain(rx.take()) == self.plain(values[1])
            assert rx.position() == 2
            link.tx().send(values[3])
            assert link.tx().position() == 4
            link.sink.begin()
            link.source.begin()
            assert link.tx().position() == 3

    def test_a_part_of_what_was_sent_at_once_can_be_taken(self, make: MakeLink) -> None:
        """Records, batches, slices: however a turn was written, each message in it is taken by itself."""
        link, values = make(), self.values(8)
        link.tx().send_slice(values[:5])
        for value in values[5:]:
            link.tx().send(value)
        link.source.turn.commit()
        for number, value in enumerate(values):
            assert link.rx().position() == number
            assert self.all_plain(link.take(1)) == [self.plain(value)]
            link.sink.begin()
        assert link.tx().vacant() == 8

    def test_what_the_dead_had_asked_for_is_dropped(self, make: MakeLink) -> None:
        link, values = make(capacity=2), self.values(4)
        oversleep(link.sink, link.rx().wait_avail(1))
        link.sink.begin()
        link.send(values[:2])
        oversleep(link.source, link.tx().wait_vacant(1))
        link.source.begin()
        link.take()
        assert (link.sink.bell.rings, link.source.bell.rings) == (0, 0)

    @pytest.mark.parametrize("point", FAULT_POINTS[1:])
    def test_whoever_dies_again_and_again_all_arrives_once(self, make: MakeLink, point: str) -> None:
        for victim in ("source", "sink"):
            kills = [self._live_and_die(make(capacity=_ROOM), victim, point, hit) for hit in (1, 2)]
            assert kills[0], f"the {victim} never came to {point}"

    def _live_and_die(self, link: Link, victim: str, point: str, hit: int) -> int:
        """Let one of the two die whenever it comes to `point`; return how often it did."""
        kills, values = 0, self.values(20)

        def source() -> None:
            tx = link.tx()
            for value in values[tx.position() :][: min(2, tx.vacant())]:
                tx.send(value)
            link.source.turn.commit()
            link.source.actor().await_for_any(tx.wait_vacant(_ROOM), link.source.actor().wait_timeout(1.0))

        def sink() -> None:
            got: list[Any] = link.sink.state().acquire(list)
            got += self.all_plain(link.rx().take_slice(2))
            link.sink.turn.commit()
            link.sink.actor().await_for_any(link.rx().wait_avail(_ROOM), link.sink.actor().wait_timeout(1.0))

        for party in (link.source, link.sink):
            party.parker.clock = link.rig.clock  # a sleep that nobody ends takes the time that it may
        for life in range(_LIVES):
            for party, work in ((link.source, source), (link.sink, sink)):
                if party.name == victim and life % 3:
                    party.kill_at(point, hit)
                try:
                    if life % 2:
                        party.begin()
                    work()
                    doze(link, party, victim)
                except Killed:
                    kills += 1
                    party.spare()
                    party.begin()
        assert link.sink.state().acquire(list) == self.all_plain(values)
        assert (link.tx().position(), link.rx().position()) == (20, 20)
        return kills
