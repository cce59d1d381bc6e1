"""When a life has been long enough: limits that can be met, looked at where everything is committed."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from steady_mp import ConfigurationError, Recycle
from steady_mp.channel.waits import Alarm
from steady_mp.life import Life
from steady_mp.memory.layout import PAGE, SHUTDOWN
from steady_mp.memory.letters import Mail, Order
from steady_mp.memory.mapping import Mapping
from steady_mp.recycling import Recycling, resident_bytes
from steady_mp.testing.clock import ManualClock
from steady_mp.testing.rig import pair

if TYPE_CHECKING:
    from collections.abc import Callable


class Retired(Exception):
    pass


@dataclass
class End:
    sends: bool
    at: int = 0

    def position(self) -> int:
        return self.at

    def mark(self) -> tuple[int, ...]:
        return self.at, 0


@dataclass
class Limited:
    limits: Recycle
    rss: int = 0
    ends: list[Any] = field(default_factory=lambda: [End(sends=False, at=5), End(sends=True, at=70)])
    clock: ManualClock = field(default_factory=ManualClock)
    run: memoryview = field(default_factory=lambda: Mapping(None, PAGE).words)

    def __post_init__(self) -> None:
        self.recycling = Recycling(
            self.limits, run=self.run, retire=self.retire, clock=self.clock, rss=lambda: self.rss
        )
        self.recycling.begin(self.ends)

    def retire(self, reason: str) -> NoReturn:
        raise Retired(reason)

    def look(self) -> None:
        self.recycling.look(self.ends)


def refused(act: Callable[[], object], words: str) -> None:
    with pytest.raises(Retired, match=words):
        act()


def test_messages_are_those_that_this_life_has_taken() -> None:
    life = Limited(Recycle(max_messages=10))
    life.ends[0].at, life.ends[1].at = 14, 170
    life.look()
    life.ends[0].at = 15
    refused(life.look, "max_messages 10 reached")


def test_a_dead_letter_that_comes_back_is_no_way_that_this_life_has_gone() -> None:
    """It has the number that it always had, far behind what is taken now."""
    _, source, sink, channel = pair()
    for number in range(20):
        source.send(channel, number)
        assert sink.take(channel) == [number]
    mail = Mail(frozenset(), (Order(3, pickle.dumps("a letter")),))
    life = Life(replace(sink.life._place, mail=lambda _: mail), 2)
    (rx,) = life.ends
    reborn = Limited(Recycle(max_messages=2), ends=life.ends)
    assert (rx.position(), rx.take(), rx.position()) == (3, "a letter", 20)
    reborn.look()
    source.send(channel, 20, 21)
    assert rx.take() == 20
    reborn.look()
    assert rx.take() == 21
    refused(reborn.look, "max_messages 2 reached")


def test_a_source_counts_what_it_has_sent() -> None:
    life = Limited(Recycle(max_messages=10), ends=[End(sends=True)])
    life.look()
    life.ends[0].at = 10
    refused(life.look, "max_messages 10 reached")


def test_age_is_of_this_life() -> None:
    life = Limited(Recycle(max_age=60.0))
    life.clock.advance(59.9)
    life.look()
    life.clock.advance(0.1)
    refused(life.look, "max_age 60 s reached")


def test_the_size_is_looked_at_now_and_then() -> None:
    life = Limited(Recycle(max_rss=1000), rss=500)
    life.look()
    life.rss = 1000
    life.look()  # too soon for another look
    life.clock.advance(1.0)
    refused(life.look, "max_rss 1,000 passed with 1,000 bytes")


@pytest.mark.parametrize(
    ("limits", "again", "until"),
    [
        (Recycle(max_rss=1000), True, None),
        (Recycle(max_age=60.0, max_rss=1000), True, 60.0),
        (Recycle(max_age=60.0), False, 60.0),
        (Recycle(max_messages=1), False, None),
    ],
)
def test_a_sleep_ends_for_what_may_pass_a_limit_meanwhile(limits: Recycle, *, again: bool, until: float | None) -> None:
    life, alarm = Limited(limits), Alarm()
    armed: list[Alarm] = []
    life.recycling.alarmed(armed.append)(alarm)
    assert armed == [alarm]
    assert alarm.asks_again is again
    assert alarm.deadline == (None if until is None else life.clock() + until)


def test_a_limit_that_a_fresh_life_exceeds_is_said_and_dropped(caplog: pytest.LogCaptureFixture) -> None:
    life = Limited(Recycle(max_rss=1000), rss=2000)
    for _ in range(3):
        life.look()
        life.clock.advance(1.0)
    (warning,) = caplog.messages
    assert "max_rss 1,000 is less than this actor has at its first commit (2,000 bytes)" in warning
    assert "raise max_rss" in warning


def test_nobody_is_recycled_while_the_graph_drains() -> None:
    life = Limited(Recycle(max_messages=1, max_age=1.0))
    life.run[SHUTDOWN] = 1
    life.ends[0].at = 100
    life.clock.advance(100.0)
    life.look()


def test_this_process_has_a_size() -> None:
    assert 1 << 20 < resident_bytes() < 1 << 40


@pytest.mark.parametrize("limit", [{}, {"max_rss": 0}, {"max_rss": 1e9}, {"max_messages": True}, {"max_age": 0}])
def test_what_makes_no_sense_is_refused(limit: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"^Recycle: "):
        Recycle(**limit)
