"""A consumer of a run's events that a test can wait with."""

from __future__ import annotations

import queue
import time
from typing import TYPE_CHECKING, TypeGuard, TypeVar

if TYPE_CHECKING:
    from steady_mp import Event

E = TypeVar("E", bound="Event")

_PATIENCE = 15.0


class Watch:
    """Hand it to `Graph.start` as `on_event`; then wait for what has to happen."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self._claimed: set[int] = set()
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def __call__(self, event: Event) -> None:
        self._queue.put(event)

    def wait_for(self, kind: type[E], seconds: float = _PATIENCE, **fields: object) -> E:
        """Return the first event of this kind with these fields that was not returned before; wait for it."""
        deadline = time.monotonic() + seconds
        looked_at = 0
        while True:
            for index in range(looked_at, len(self.seen)):
                event = self.seen[index]
                if index not in self._claimed and _matches(event, kind, fields):
                    self._claimed.add(index)
                    return event
            looked_at = len(self.seen)
            try:
                self.seen.append(self._queue.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                story = "".join(f"\n  {event.text}" for event in self.seen)
                message = f"no {kind.__name__} {fields} within {seconds:g} s; what happened:{story}"
                raise AssertionError(message) from None

    def all_of(self, kind: type[E] | tuple[type[E], ...]) -> list[E]:
        """Return every event of this kind, or of one of these, so far, in order."""
        while not self._queue.empty():
            self.seen.append(self._queue.get())
        return [event for event in self.seen if isinstance(event, kind)]


def _matches(event: Event, kind: type[E], fields: dict[str, object]) -> TypeGuard[E]:
    return isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())
