"""An actor that looks for a while before it sleeps: what it sees then, and what it says to nobody meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from steady_mp import ConfigurationError, WaitStrategy
from steady_mp.graph import Topology
from steady_mp.memory import layout
from steady_mp.parking import Sleeper, Wake
from tests.support import lives

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.channel.waits import Alarm

SPIN = 0.001


class Room:
    """A clock of which each look takes a tenth of the spin, and a bed."""

    def __init__(self, news_at: float | None) -> None:
        self.now = 0.0
        self.news_at = news_at
        self.slept = 0
        self.armed = 0
        self.words = memoryview(bytearray(layout.PAGE)).cast("Q")
        self.sleeper = Sleeper(self, self.words, self.clock, lambda: None, None, spin=SPIN)

    def clock(self) -> float:
        self.now += SPIN / 10
        return self.now

    def sleep(self, _seconds: float | None, _fds: Sequence[int]) -> Wake:
        self.slept += 1
        return Wake.RUNG

    def arm(self, _alarm: Alarm) -> None:
        self.armed += 1

    def wait(self) -> None:
        self.sleeper.sleep(self.arm, lambda: self.news_at is not None and self.now >= self.news_at, (), ())


def test_what_comes_while_it_looks_is_seen_without_a_sleep() -> None:
    room = Room(news_at=SPIN / 2)
    room.wait()
    assert (room.armed, room.slept, room.words[layout.PARKS]) == (0, 0, 0)
    assert room.now < SPIN


@pytest.mark.parametrize("news_at", [None, 50 * SPIN])
def test_where_nothing_comes_it_sleeps_like_anybody(news_at: float | None) -> None:
    room = Room(news_at)
    room.wait()
    assert (room.armed, room.slept, room.words[layout.PARKS]) == (1, 1, 1)
    assert SPIN <= room.now < 2 * SPIN


def test_who_looks_lets_others_of_its_core_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ways: list[float] = []
    room = Room(None)
    monkeypatch.setattr("steady_mp.parking.give_way", lambda: ways.append(room.now))
    room.wait()
    assert len(ways) == len(set(ways)) > 5  # once between two looks at the clock


@pytest.mark.parametrize("spin", [-1e-6, 0.011, float("nan"), True, "long"])
def test_what_is_no_time_to_look_is_refused(spin: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"wait_strategy: spin .*: must be a number of seconds from 0 to 0.01"):
        WaitStrategy(spin=spin)


def test_its_numbers_have_their_names_like_those_of_all_settings() -> None:
    with pytest.raises(TypeError, match="positional"):
        WaitStrategy(SPIN)  # type: ignore[call-arg]


def test_what_is_no_strategy_is_refused() -> None:
    graph = Topology("looks")
    _, rx = graph.channel(4)
    with pytest.raises(ConfigurationError, match=r"actor 'a': wait_strategy 0.001: give it WaitStrategy\(…\)"):
        graph.actor("a", lives.tally, rx, graph.state(), wait_strategy=0.001)  # type: ignore[arg-type]


def test_a_plan_keeps_it() -> None:
    graph = Topology("looks")
    tx, rx = graph.channel(4)
    graph.actor("a", lives.tally, rx, graph.state(), wait_strategy=WaitStrategy(spin=SPIN))
    graph.actor("b", _send, tx)
    plan = graph.plan()
    assert [actor.wait_strategy.spin for actor in type(plan).from_json(plan.to_json()).actors] == [SPIN, 0.0]


def _send(_actor: object, _tx: object) -> None:
    """Never runs."""
