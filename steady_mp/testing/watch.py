"""A consumer of a run's events that a test can wait with."""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import TYPE_CHECKING, Final, TypeVar, cast

from steady_mp.errors import ConfigurationError
from steady_mp.events import (
    ActorDied,
    ActorFinished,
    ActorGivenUp,
    ActorRecycled,
    ActorReplayed,
    ForkServerDied,
    RunStopped,
)
from steady_mp.testing.waiting import time_left

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.events import Event

E = TypeVar("E", bound="Event")

#: Seconds that a wait takes at most, unless it is told.
PATIENCE: Final = 15.0
_MOST_TOLD: Final = 30


class Watch:
    """Hand it to `Graph.start` as `on_event`; then wait for what has to happen."""

    def __init__(self) -> None:
        """Have seen nothing."""
        #: Every event so far, in order.
        self.seen: list[Event] = []
        self._claimed: set[int] = set()
        self._news = threading.Condition()

    def __call__(self, event: Event) -> None:
        """Take note of an event, on the supervisor's thread."""
        with self._news:
            self.seen.append(event)
            self._news.notify_all()

    def wait_for(self, kind: type[E], seconds: float = PATIENCE, **fields: object) -> E:
        """Return the first event of this kind with these fields that was not returned before; wait for it.

        Raises AssertionError with the story so far after `seconds`, or at once when the run has ended;
        ConfigurationError for a field that such an event does not have.
        """
        event = self.find(kind, seconds, **fields)
        if event is None:
            raise AssertionError(
                f"{describe(kind, fields)}: none {self.until(seconds)}; what happened:\n{self.story()}"
            )
        return event

    def find(self, kind: type[E] | tuple[type[E], ...], seconds: float = PATIENCE, **fields: object) -> E | None:
        """Like `wait_for`, for one kind or one of several; None when there is none."""
        for one in kind if isinstance(kind, tuple) else (kind,):
            _check_fields(one, fields)

        def matches(event: Event) -> bool:
            return isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())

        return cast("E | None", self.first(matches, seconds))

    def first(self, matches: Callable[[Event], bool], seconds: float, *, claim: bool = True) -> Event | None:
        """Return the first event that `matches` and was not claimed before; None after `seconds` or the run's end."""
        deadline = time.monotonic() + seconds
        looked_at = 0
        with self._news:
            while True:
                for index in range(looked_at, len(self.seen)):
                    if index not in self._claimed and matches(self.seen[index]):
                        if claim:
                            self._claimed.add(index)
                        return self.seen[index]
                looked_at = len(self.seen)
                if self.is_over or time.monotonic() >= deadline:
                    return None
                self._news.wait(time_left(deadline))

    @property
    def is_over(self) -> bool:
        """The run has ended: no event will follow."""
        return bool(self.seen) and isinstance(self.seen[-1], RunStopped)

    def until(self, seconds: float) -> str:
        """Say how long a wait of `seconds` has waited."""
        return "until the run ended" if self.is_over else f"within {seconds:g} s"

    def all_of(self, kind: type[E] | tuple[type[E], ...]) -> list[E]:
        """Return every event of this kind, or of one of these, so far, in order."""
        with self._news:
            return [event for event in self.seen if isinstance(event, kind)]

    def story(self, most: int = _MOST_TOLD) -> str:
        """Tell the latest events, one a line."""
        with self._news:
            latest = self.seen[-most:]
            left_out = len(self.seen) - len(latest)
        lines = [f"  {type(event).__name__}: {event.text}" for event in latest]
        return "\n".join([f"  … {left_out} earlier events", *lines] if left_out else lines or ["  nothing"])


def describe(kind: type[Event], fields: dict[str, object]) -> str:
    """Name what is waited for."""
    return f"{kind.__name__}({', '.join(f'{name}={value!r}' for name, value in fields.items())})"


def ends_life(event: Event, actor: str, life: int) -> bool:
    """Tell whether an event says that this life of an actor is over."""
    if isinstance(event, ActorDied | ActorFinished | ActorGivenUp | ActorReplayed | ActorRecycled):
        return event.actor == actor and event.generation >= life
    return isinstance(event, ForkServerDied | RunStopped)


def _check_fields(kind: type[Event], fields: dict[str, object]) -> None:
    known = [field.name for field in dataclasses.fields(kind)]
    for name in fields:
        if name not in known:
            message = f"{kind.__name__} has no field {name!r}: there are {', '.join(known)}"
            raise ConfigurationError(message)
