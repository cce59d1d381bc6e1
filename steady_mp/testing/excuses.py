"""Excuses: which rescues are a test's own doing, because it has frozen somebody, and no lost wake-up."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from steady_mp.events import RunStopped
from steady_mp.testing.watch import ends_life

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from steady_mp import Event
    from steady_mp.plan import Plan


class Excuses:
    """Counts the rescues that nothing excuses.

    Whoever waits for an actor that was frozen between its commit and its ring rightly sleeps until the safety time-out.
    So what the frozen one and its neighbours count is excused until it is thawed or that life is over. Behind that, one
    more is for each of them: of a wait that began before. For the test's thread and the supervisor's.
    """

    def __init__(self, plan: Plan, rescues: Callable[[], Mapping[str, int]]) -> None:
        """Nobody is frozen; `rescues` tells how often each actor was rescued so far, those who never were left out."""
        self._rescues = rescues
        self._lock = threading.Lock()
        self._circles: dict[str, set[str]] = {actor.name: {actor.name} for actor in plan.actors}
        for channel in plan.channels:
            ends = {plan.actors[channel.producer].name, plan.actors[channel.consumer].name}
            for name in ends:
                self._circles[name] |= ends
        #: The lives that are frozen.
        self._frozen: dict[str, int] = {}
        #: Who may have begun a wait while somebody was frozen, and has not been rescued from it.
        self._late: set[str] = set()
        self._counted: dict[str, int] = {}
        self._lost: dict[str, int] = {}

    def begin(self, actor: str, life: int) -> None:
        """Excuse what comes: this life of an actor is about to be frozen."""
        with self._lock:
            self._count()
            self._frozen[actor] = life

    def end(self, actor: str) -> None:
        """Excuse no more than the waits that began before: it goes on, or that life of it is over."""
        with self._lock:
            if actor in self._frozen:
                self._count()
                del self._frozen[actor]
                self._late |= self._circles[actor]

    def see(self, event: Event) -> None:
        """Take note of the end of a life that was frozen."""
        if isinstance(event, RunStopped):
            return  # nobody counts any more
        with self._lock:
            frozen = dict(self._frozen)
        for actor, life in frozen.items():
            if ends_life(event, actor, life):
                self.end(actor)

    def lost(self) -> dict[str, int]:
        """Return who was rescued without an excuse, in the order of their declaration, and how often."""
        with self._lock:
            self._count()
            return {name: self._lost[name] for name in self._circles if name in self._lost}

    def _count(self) -> None:
        """Judge what was counted since the last time, by who is frozen."""
        excused = {name for actor in self._frozen for name in self._circles[actor]}
        for name, count in self._rescues().items():
            fresh = count - self._counted.get(name, 0)
            self._counted[name] = count
            if fresh and name not in excused:
                fresh -= name in self._late
                self._late.discard(name)
                if fresh:
                    self._lost[name] = self._lost.get(name, 0) + fresh
