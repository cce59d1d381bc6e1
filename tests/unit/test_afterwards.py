"""What is put off is done in its order, once, before the next message, and there is a next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady_mp.events import ChaosEnded, ChaosKilled
from steady_mp.supervisor.afterwards import Afterwards
from steady_mp.supervisor.messages import Rung

if TYPE_CHECKING:
    from steady_mp.events import Event
    from steady_mp.supervisor.messages import Message


def test_what_is_put_off_is_done_before_the_next_message() -> None:
    asked: list[tuple[float, Message]] = []
    done: list[str] = []
    afterwards = Afterwards(lambda seconds, message: asked.append((seconds, message)))
    afterwards.put(lambda: done.append("first"))
    afterwards.put(lambda: done.append("second"))
    assert not done
    ((seconds, message),) = asked  # one is enough
    assert 0 < seconds < 0.1
    assert message == Rung()
    afterwards.catch_up()
    afterwards.catch_up()
    assert done == ["first", "second"]
    afterwards.put(lambda: done.append("third"))
    assert len(asked) == 2


def test_where_there_is_time_nothing_is_put_off() -> None:
    done: list[str] = []
    afterwards = Afterwards(lambda *_: done.append("asked"), at_once=True)
    afterwards.put(lambda: done.append("first"))
    assert done == ["first"]


def test_no_event_overtakes_what_was_put_off() -> None:
    """That a kill was seen is told before chaos is over, for one."""
    told: list[Event] = []
    afterwards = Afterwards(lambda *_: None)
    tell = afterwards.before(told.append)
    died = ChaosKilled(actor="a", generation=1, cause="chaos", pause=0.0, commit=0)
    afterwards.put(lambda: tell(died))
    tell(ChaosEnded())
    assert told == [died, ChaosEnded()]
