"""Shutdown: who asked for it, how long it may take, and who did not stop in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady_mp.cycles import blocked_cycles, moves_of
from steady_mp.events import CycleBlocked, ShutdownPostponed, ShutdownRefused, ShutdownRequested
from steady_mp.memory import layout
from steady_mp.supervisor.messages import DeadlineReached

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.cycles import Cycle
    from steady_mp.events import Event
    from steady_mp.memory.mapping import Mapping
    from steady_mp.plan import Plan
    from steady_mp.supervisor.messages import Message
    from steady_mp.supervisor.seat import Seat


class Shutdown:
    """The shutdown of a run, as its supervisor's loop sees it."""

    def __init__(  # noqa: PLR0913, PLR0917 - made in one place
        self,
        seats: Sequence[Seat],
        plan: Plan,
        channels: Sequence[Mapping],
        words: memoryview,
        seconds: float,
        emit: Callable[[Event], None],
        after: Callable[[float, Message], None],
    ) -> None:
        """Drain `seats` within `seconds` once that is asked for; `words` are those of the run file."""
        self._seats = seats
        self._plan = plan
        self._channels = channels
        self._words = words
        self._seconds = seconds
        self._emit = emit
        self._after = after
        self._draining = False
        self._overdue = False
        self._before: dict[Cycle, tuple[tuple[int, int], ...]] = {}

    def asked_by(self) -> str | None:
        """Return the actor that has committed a wish for a shutdown, as long as there is none."""
        if self._draining:
            return None
        return next((seat.name for seat in self._seats if seat.control.words[layout.REQUESTED]), None)

    def begin(self, reason: str) -> None:
        """Drain, unless that goes on already."""
        if self._draining:
            return
        self._before = self._cycles()  # from now on all waits are for anything
        self._draining = True
        self._emit(ShutdownRequested(reason=reason, seconds=self._seconds))
        self._words[layout.SHUTDOWN] = 1
        for seat in self._seats:
            seat.bell.ring()
        self._after(self._seconds, DeadlineReached())

    def end(self) -> list[str] | None:
        """Say, at the deadline, who did not stop and why; None where that has to wait for a debugger.

        Who has finished in its last commit has stopped, also where the end of its process is not known here yet.
        """
        if held := self._held():
            self._overdue = True
            self._emit(ShutdownPostponed(actors=tuple(held)))
            return None
        why = []
        for seat in self._seats:
            if not seat.is_over and not seat.control.journal().finished:
                reason = seat.why_not_finished(self._plan)
                why.append(f"{seat.name} did not stop in time: {reason}")
                self._emit(ShutdownRefused(actor=seat.name, reason=reason))
        return why + self.deadlocks() if why else []

    def go_on(self) -> None:
        """Let the time for the shutdown begin anew where it was over, and nobody is debugged any more."""
        if self._overdue and not self._held():
            self._overdue = False
            self._after(self._seconds, DeadlineReached())

    def deadlocks(self) -> list[str]:
        """Return a sentence for each cycle in which everybody waits for room, now or since before the shutdown."""
        now = self._cycles()
        words = [mapping.words for mapping in self._channels]
        since = [cycle for cycle, moves in self._before.items() if moves_of(self._plan, cycle, words) == moves]
        cycles = {**dict.fromkeys(since), **now}
        return [CycleBlocked(actors=cycle.actors, channels=cycle.channels).text for cycle in cycles]

    def _cycles(self) -> dict[Cycle, tuple[tuple[int, int], ...]]:
        words = [mapping.words for mapping in self._channels]
        controls = [seat.control.words for seat in self._seats]
        found = blocked_cycles(self._plan, controls, words, draining=self._draining)
        return {cycle: moves_of(self._plan, cycle, words) for cycle in found}

    def _held(self) -> list[str]:
        return [seat.name for seat in self._seats if seat.pid is not None and seat.control.words[layout.DEBUGGED]]
