"""Messages that come up later."""

from __future__ import annotations

import selectors

from steady_mp.supervisor.messages import DeadlineReached, LookForStalls
from steady_mp.supervisor.timers import Timers
from tests.support.spares import Hand


def test_what_is_due_comes_up_once_the_earliest_first() -> None:
    clock = Hand()
    timers = Timers(clock)
    timers.after(3.0, DeadlineReached())
    timers.after(2.0, LookForStalls())
    assert timers.wait == 2.0
    assert timers.due() == []
    clock.now += 3.0
    assert timers.wait == 0.0
    assert timers.due() == [LookForStalls(), DeadlineReached()]
    assert timers.wait is None


def test_a_time_that_the_system_cant_count_is_waited_for_in_parts() -> None:
    clock = Hand()
    timers = Timers(clock)
    timers.after(1e9, DeadlineReached())
    with selectors.DefaultSelector() as selector:
        timers.after(0.0, LookForStalls())
        assert selector.select(timers.wait) == []
        assert timers.due() == [LookForStalls()]
    wait = timers.wait
    assert wait is not None
    assert wait <= 86_400.0
    clock.now += wait
    assert timers.due() == []
    clock.now += 1e9
    assert timers.due() == [DeadlineReached()]
