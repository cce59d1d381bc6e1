"""Spaced commits: as seldom as asked for, and never so that somebody waits for ever, or for the graph to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import CommitEvery, ConfigurationError, Graph
from steady_mp.memory import layout
from steady_mp.testing.rig import Abandoned, Overslept, Rig
from steady_mp.testing.simulation.simulate import explore
from steady_mp.turn import _ALONE_AT_FIRST
from tests.support import anything, paced

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.testing.simulation.outcome import Outcome

MESSAGES = 60


class Line:
    """source → middle → sink. The middle spaces its commits, and knows its turns already."""

    def __init__(self, every: CommitEvery, *, capacity: int = 64) -> None:
        self.rig = Rig()
        self.source, self.sink = self.rig.party("source"), self.rig.party("sink")
        self.middle = self.rig.party("middle", grouped=True, commit_every=every)
        self.numbers = self.rig.channel(self.source, self.middle, capacity=capacity)
        self.results = self.rig.channel(self.middle, self.sink, capacity=capacity)
        self.rig.start()
        self.loop = self.middle.actor()
        self.sent = 0
        for _ in range(_ALONE_AT_FIRST):
            assert self.loop.is_running()
            self.feed()
            self.middle.tx(self.results).send(self.middle.rx(self.numbers).take())
            self.loop.commit()
            self.sink.take(self.results)
        assert self.loop.is_running()
        self.epoch = self.middle.control.epoch

    def feed(self) -> None:
        self.source.send(self.numbers, self.sent)
        self.sent += 1

    def turn(self) -> None:
        """Let the next message come after the middle has begun to wait for it."""
        self.middle.parker.plans.append(self.feed)
        assert self.loop.await_for_all(self.middle.rx(self.numbers).wait_avail(1))
        self.middle.tx(self.results).send(self.middle.rx(self.numbers).take())
        assert self.loop.is_running()

    @property
    def commits(self) -> int:
        return self.middle.control.epoch - self.epoch


def oversleep(wait: Callable[[], Any]) -> None:
    """Let somebody fall asleep whom nobody wakes."""
    with pytest.raises(Overslept):
        wait()


def test_a_slow_stream_commits_once_a_second() -> None:
    line = Line(CommitEvery(seconds=1.0))
    for _ in range(50):
        line.rig.clock.advance(0.1)
        line.turn()
    assert 4 <= line.commits <= 6


def test_one_that_spaces_its_commits_looks_up_all_the_same() -> None:
    """Else it would be taken for stuck between two commits."""
    line = Line(CommitEvery(seconds=1000.0))
    line.rig.clock.advance(100.0)
    for _ in range(6):  # where turns were short, four may begin unseen
        assert line.loop.is_running()
    assert line.commits == 0
    assert line.middle.control.words[layout.LOOKED_NS] == int(line.rig.clock() * 1e9)


def test_after_so_many_turns_it_commits_whatever_the_time() -> None:
    line = Line(CommitEvery(seconds=100.0, turns=5))
    for _ in range(21):
        line.turn()
    assert line.commits == 4


def test_what_is_put_off_is_due_while_it_sleeps_and_then_it_sleeps_for_good() -> None:
    line = Line(CommitEvery(seconds=1.0))
    line.turn()
    assert line.commits == 0
    line.middle.parker.clock = line.rig.clock
    line.middle.parker.sleeps.clear()
    oversleep(lambda: line.loop.await_for_all(line.middle.rx(line.numbers).wait_avail(1)))
    assert [seconds for seconds, _ in line.middle.parker.sleeps] == [pytest.approx(1.0), None]
    assert line.commits == 1
    assert line.sink.rx(line.results).avail() == 1


def test_half_a_channel_is_enough() -> None:
    line = Line(CommitEvery(seconds=100.0), capacity=8)
    for _ in range(4):
        line.turn()
    assert line.commits == 1


def test_a_drain_commits_before_the_sleep() -> None:
    line = Line(CommitEvery(seconds=100.0))
    line.turn()

    def drain() -> None:
        line.rig.request_shutdown()

    line.middle.parker.plans.append(drain)
    assert not line.loop.await_for_all(line.middle.rx(line.numbers).wait_avail(1))
    oversleep(lambda: line.loop.await_for_all(line.middle.rx(line.numbers).wait_avail(1)))
    assert line.commits == 1


def test_a_producer_that_waits_for_the_room_gets_it() -> None:
    line = Line(CommitEvery(seconds=100.0))
    line.turn()

    def wait_empty() -> None:
        oversleep(lambda: line.source.actor().await_for_all(line.source.tx(line.numbers).wait_empty()))
        assert line.middle.bell.rings  # it was told that the room is held back

    line.middle.parker.plans.append(wait_empty)
    oversleep(lambda: line.loop.await_for_all(line.middle.rx(line.numbers).wait_avail(1)))
    assert line.commits == 1
    assert line.source.bell.rings


def test_a_consumer_that_waits_does_not_hasten_it() -> None:
    line = Line(CommitEvery(seconds=100.0))
    oversleep(lambda: line.sink.actor().await_for_all(line.sink.rx(line.results).wait_avail(1)))
    for _ in range(5):
        line.turn()
    assert line.commits == 0


def test_a_wait_inside_of_a_turn_repeats_the_turns_one_by_one_when_the_commit_is_due() -> None:
    line = Line(CommitEvery(seconds=1.0))
    line.turn()
    line.middle.parker.clock = line.rig.clock
    line.feed()
    line.middle.rx(line.numbers).take()
    with pytest.raises(Abandoned):
        line.middle.rx(line.numbers).take()
    assert line.rig.clock() == pytest.approx(1.0)
    assert line.middle.word(layout.UNGROUPED)
    line.middle.begin()
    assert not line.middle.turn.spaced
    assert line.middle.rx(line.numbers).avail() == 2


@pytest.mark.parametrize("options", [{"seconds": 0}, {"seconds": True}, {"seconds": 1.0, "turns": 0}])
def test_what_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"CommitEvery: .* must be a"):
        CommitEvery(**options)
    with pytest.raises(ConfigurationError, match=r"actor 'it': commit_every 3: give it CommitEvery"):
        Graph("g").actor("it", paced.take, commit_every=3)  # type: ignore[arg-type]


def test_seeds_with_crashes_are_exact_and_nobody_waits_for_a_day() -> None:
    explore(paced.fill, seeds=range(25), crashes=2, check=paced.check)


@pytest.mark.parametrize("number", range(6))
def test_actors_that_do_anything_are_exact_at_every_cadence(number: int) -> None:
    def build(graph: Graph) -> None:
        anything.fill(graph, number, MESSAGES, paced=True)

    def exact(outcome: Outcome) -> None:
        assert anything.faults(outcome.states, MESSAGES) == []

    explore(build, seeds=range(number * 100, number * 100 + 4), crashes=2, check=exact)
