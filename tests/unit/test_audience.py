"""Who is told the events of a run."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from steady_mp.events import ActorFinished, ActorStarted, ChaosEnded, Event, RunStopped
from steady_mp.supervisor.audience import Audience

STARTED = ActorStarted(actor="worker", generation=1, pid=7, commit=0)
FINISHED = ActorFinished(actor="worker", generation=1)
STOPPED = RunStopped(clean=True, exit_code=0, seconds=1.0)


def test_everybody_is_told_in_the_order_in_which_they_came() -> None:
    told: list[tuple[str, Event]] = []
    audience = Audience(print)
    audience.add(lambda event: told.append(("first", event)))
    audience.add(lambda event: told.append(("second", event)))
    audience.tell(STARTED)
    audience.tell(FINISHED)
    assert told == [("first", STARTED), ("second", STARTED), ("first", FINISHED), ("second", FINISHED)]


def test_one_that_raises_is_dropped_and_the_others_are_told() -> None:
    told: list[Event] = []
    complaints: list[str] = []

    def fail(_event: Event) -> None:
        message = "too much"
        raise ValueError(message)

    audience = Audience(complaints.append)
    audience.add(fail, "the record")
    audience.add(told.append)
    audience.tell(STARTED)
    audience.tell(FINISHED)
    assert told == [STARTED, FINISHED]
    assert complaints == ["the record failed and is dropped: ValueError('too much')"]


def test_one_that_would_end_the_program_is_dropped_as_well() -> None:
    told: list[Event] = []
    complaints: list[str] = []

    audience = Audience(complaints.append)
    audience.add(lambda _: sys.exit("enough"))
    audience.add(told.append)
    audience.tell(STOPPED)
    assert told == [STOPPED]
    assert complaints == ["the consumer of events failed and is dropped: SystemExit('enough')"]


class Speechless(Event):
    """Has no words."""

    @property
    def text(self) -> str:
        """See `Event.text`."""
        message = "no words"
        raise ValueError(message)


class Silent(Event):
    """Has something else in their place."""

    text = None  # type: ignore[assignment]


class Loud(Event):
    """Has a level that is none."""

    level = "loud"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (Speechless(), "the event Speechless is told to nobody: ValueError('no words')"),
        (Silent(), "the event Silent is told to nobody: TypeError('its text is None, and no str')"),
        (Loud(), "the event Loud is told to nobody: TypeError(\"its level is 'loud', and no int\")"),
        ("hello", "the event str is told to nobody: AttributeError(\"'str' object has no attribute 'text'\")"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_event_that_can_not_be_told_costs_nobody_the_others(event: Any, why: str) -> None:
    told: list[str] = []
    complaints: list[str] = []
    audience = Audience(complaints.append)
    audience.add(lambda event: told.append(event.text), "the log")
    audience.tell(event)
    audience.tell(STARTED)
    assert complaints == [why]
    assert told == [STARTED.text]


def test_one_may_join_while_an_event_is_told_and_hears_the_next() -> None:
    told: list[Event] = []
    audience = Audience(print)
    audience.add(lambda event: audience.add(told.append) if event is STARTED else None)
    audience.tell(STARTED)
    audience.tell(FINISHED)
    assert told == [FINISHED]


def test_who_comes_too_late_is_told_that_it_is_over() -> None:
    told: list[Event] = []
    audience = Audience(print)
    audience.tell(ChaosEnded())
    audience.tell(STOPPED)
    audience.add(told.append)
    assert told == [STOPPED]


class Unspeakable(Exception):
    """Raises another one when it is looked at."""

    def __repr__(self) -> str:
        message = "no repr"
        raise ValueError(message)

    __str__ = __repr__


class Mute(Event):
    """Can say neither what it is nor why not."""

    @property
    def text(self) -> str:
        """See `Event.text`."""
        raise Unspeakable


def test_one_whose_error_can_not_be_shown_is_dropped_as_well() -> None:
    told: list[Event] = []
    complaints: list[str] = []

    def fail(_event: Event) -> None:
        raise Unspeakable

    audience = Audience(complaints.append)
    audience.add(fail)
    audience.add(told.append)
    audience.tell(STARTED)
    audience.tell(Mute())
    audience.tell(FINISHED)
    assert told == [STARTED, FINISHED]
    assert complaints == [
        "the consumer of events failed and is dropped: Unspeakable, which can't be shown",
        "the event Mute is told to nobody: Unspeakable, which can't be shown",
    ]


async def listen(_event: Event) -> None:
    """Is what nobody awaits."""


@pytest.mark.parametrize("consumer", [listen, functools.partial(listen)])
def test_one_that_would_have_to_be_awaited_is_dropped_and_that_is_said(consumer: Any) -> None:
    complaints: list[str] = []
    audience = Audience(complaints.append)
    audience.add(consumer)
    audience.tell(STARTED)
    audience.tell(FINISHED)
    (complaint,) = complaints
    assert complaint.startswith("the consumer of events failed and is dropped: TypeError(")
    assert "nobody awaits" in complaint


@dataclass
class Collector:
    """Is equal to each other one."""

    fails: bool = field(compare=False)
    told: list[Event] = field(default_factory=list, compare=False)

    def __call__(self, event: Event) -> None:
        """Keep an event, or fail."""
        if self.fails:
            raise ValueError
        self.told.append(event)


def test_of_two_that_are_equal_the_one_that_raises_is_dropped() -> None:
    audience = Audience(lambda _: None)
    audience.add(well := Collector(fails=False))
    audience.add(Collector(fails=True))
    audience.tell(STARTED)
    audience.tell(FINISHED)
    assert well.told == [STARTED, FINISHED]
