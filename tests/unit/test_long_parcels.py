"""Long messages of a bytes lane: each is a record of its own, and they are handed over by quarters of the ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steady_mp import turn as turns
from steady_mp.cadence import CommitEvery
from steady_mp.channel.bytes_tx import SMALL
from steady_mp.errors import ClosedByMe, MessageTooLarge, PeerGone
from steady_mp.memory import layout
from steady_mp.testing.rig import Killed, Rig
from tests.support.bytes_lane import Lane

if TYPE_CHECKING:
    from collections.abc import Callable

RING = 1 << 16
#: Two of them are more than a quarter of the ring, one is less.
LONG = SMALL + 1000
#: Fault points at which the commit has not happened yet.
BEFORE = ("commit:begin", "commit:records", "commit:snapshot", "commit:journal")
#: Those at which it has.
BEHIND = ("commit:epoch", "commit:publish", "commit:published", "commit:done")


def message(number: int, size: int = LONG) -> bytes:
    return number.to_bytes(4, "little") * (size // 4)


class Turns:
    """The source and the sink of a lane, whose turns send and take one message each, and put their commits off."""

    def __init__(self, size: int = LONG, ring_bytes: int = RING) -> None:
        self.lane = Lane(capacity=1024, ring_bytes=ring_bytes, grouped=True)
        self.size = size
        self.source, self.sink = self.lane.source.actor(), self.lane.sink.actor()
        assert self.source.is_running()
        assert self.sink.is_running()
        for _ in range(turns._ALONE_AT_FIRST + 1):  # each is committed alone: it becomes known what a turn takes
            self.send()
            self.source.commit()
            self.take()
        self.sink.commit()

    def send(self) -> None:
        tx = self.lane.tx
        tx.send(message(tx.position(), self.size))
        assert self.source.is_running()

    def take(self) -> None:
        position = self.lane.rx.position()
        assert self.lane.rx.take() == message(position, self.size)
        assert self.sink.is_running()

    def commit(self) -> None:
        self.source.commit()
        self.sink.commit()

    def committed(self) -> tuple[int, int]:
        """Return how many messages were sent, and taken, by what is committed."""
        words = self.lane.rig.words(self.lane.channel)
        return words[layout.TAIL], words[layout.HEAD]


def test_a_quarter_of_the_ring_that_is_staged_is_committed() -> None:
    both = Turns()
    sent, _ = both.committed()
    both.send()
    assert both.committed()[0] == sent
    both.send()
    assert both.committed()[0] == sent + 2


def test_a_quarter_of_the_ring_that_is_taken_is_given_back_though_there_is_more() -> None:
    both = Turns()
    for _ in range(5):
        both.send()
    both.commit()
    _, taken = both.committed()
    both.take()
    assert both.committed()[1] == taken
    both.take()
    assert both.committed()[1] == taken + 2
    assert both.lane.rx.avail() == 3


def test_short_ones_are_given_back_by_a_quarter_of_the_ring_too() -> None:
    both = Turns(1000)
    for _ in range(7):  # records of six, less than an eighth of the ring each
        for _ in range(6):
            both.send()
        both.source.commit()
    _, taken = both.committed()
    for _ in range(12):
        both.take()
    assert both.committed()[1] == taken
    for _ in range(8):
        both.take()
    assert both.committed()[1] > taken


@pytest.mark.parametrize("size", [20_000, RING // 2 - layout.RECORD.size])
def test_one_that_is_more_than_a_quarter_is_committed_by_itself(size: int) -> None:
    both = Turns(size - size % 4)
    for _ in range(40):
        sent, taken = both.committed()
        both.send()
        assert both.committed() == (sent + 1, taken)
        both.take()
        assert both.committed() == (sent + 1, taken + 1)


def test_commits_that_are_spaced_stay_spaced() -> None:
    rig = Rig()
    source = rig.party("source", grouped=True, commit_every=CommitEvery(seconds=1.0))
    sink = rig.party("sink")
    channel = rig.channel(source, sink, capacity=1024, ring_bytes=RING, dtype=bytes)
    rig.start()
    actor = source.actor()
    for _ in range(turns._ALONE_AT_FIRST + 1):
        source.tx(channel).send(message(1))
        assert actor.is_running()
        actor.commit()
        sink.take(channel)
    committed = source.control.epoch
    for number in range(3):
        source.tx(channel).send(message(number))
        assert actor.is_running()
    assert source.control.epoch == committed


def test_short_ones_before_a_long_one_stay_before_it() -> None:
    lane = Lane(ring_bytes=RING)
    values = [b"a", b"b", message(1), b"c", message(2), message(3), b"d"]
    lane.send(*values)
    assert lane.take() == values


def test_a_long_one_gives_up_what_was_poked() -> None:
    lane = Lane(ring_bytes=RING)
    view = lane.tx.poke(LONG)
    lane.send(message(7))
    with pytest.raises(ValueError, match="released"):
        view[0] = 1
    assert lane.take() == [message(7)]


@pytest.mark.parametrize(("capacity", "room"), [(3, 3), (64, 7)])
def test_a_full_lane_is_waited_for_by_number_and_by_bytes(capacity: int, room: int) -> None:
    lane = Lane(capacity=capacity, ring_bytes=RING)
    lane.send(*map(message, range(room)))
    lane.source.parker.plans.append(lambda: lane.take(1))
    lane.tx.send(message(room))
    assert not lane.source.parker.plans
    lane.source.turn.commit()
    assert lane.take() == [message(number) for number in range(1, room + 1)]


def test_padding_takes_room_as_well() -> None:
    """There is room for one more message, but not behind the padding that it needs."""
    lane = Lane(ring_bytes=RING)
    lane.send(message(0, SMALL + 108), *map(message, range(1, 7)))
    assert lane.take(1) == [message(0, SMALL + 108)]
    lane.source.parker.plans.append(lambda: lane.take(1))
    lane.tx.send(message(7))
    assert not lane.source.parker.plans
    lane.source.turn.commit()
    assert lane.take() == [message(number) for number in range(2, 8)]


@pytest.mark.parametrize(
    ("close", "error"),
    [(lambda lane: lane.sink.finish(), PeerGone), (lambda lane: lane.tx.mark_closed(), ClosedByMe)],
)
def test_what_can_not_be_sent_any_more_says_so(close: Callable[[Lane], None], error: type[Exception]) -> None:
    lane = Lane(ring_bytes=RING)
    close(lane)
    with pytest.raises(error):
        lane.tx.send(message(1))
    assert lane.tx.position() == 0


def test_one_that_would_never_fit_is_refused_though_there_is_room_now() -> None:
    lane = Lane(ring_bytes=RING)
    with pytest.raises(MessageTooLarge):
        lane.tx.send(bytes(RING // 2))
    assert lane.tx.position() == 0


@pytest.mark.parametrize("point", [*BEFORE, *BEHIND])
def test_a_death_while_long_ones_are_staged(point: str) -> None:
    lane = Lane(ring_bytes=RING)
    lane.send(message(0))
    lane.source.kill_at(point)
    with pytest.raises(Killed):
        lane.send(message(1), message(2))
    lane.source.begin()
    assert lane.tx.position() == (1 if point in BEFORE else 3)
    lane.send(*map(message, range(lane.tx.position(), 5)))
    assert lane.take() == [message(number) for number in range(5)]


@pytest.mark.parametrize("point", [*BEFORE, *BEHIND])
def test_a_death_with_long_ones_in_hand(point: str) -> None:
    lane = Lane(ring_bytes=RING)
    lane.send(*map(message, range(5)))
    lane.sink.kill_at(point)
    assert [lane.rx.take(), lane.rx.take()] == [message(0), message(1)]
    with pytest.raises(Killed):
        lane.sink.turn.commit()
    lane.sink.begin()
    first = 0 if point in BEFORE else 2
    assert lane.rx.position() == first
    assert lane.take() == [message(number) for number in range(first, 5)]
