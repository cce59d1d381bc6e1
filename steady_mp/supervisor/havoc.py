"""Havoc: what chaos does to the actors of a run, so that it counts what has happened and only that.

A strike is a signal, and a signal may come too late: to a process that has just ended by itself. So a kill counts
when the death is seen, and a freeze when the process is found stopped at the end of it. Everything here happens on the
supervisor's loop; that a frozen actor thaws hangs on the loop's own timer, not on whoever asked for it.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from steady_mp.events import ChaosEnded, ChaosFroze
from steady_mp.supervisor.messages import Thaw
from steady_mp.supervisor.seat import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from steady_mp.events import Event
    from steady_mp.supervisor.messages import Message
    from steady_mp.supervisor.seat import Seat

#: What such a death is called in reports and metrics.
CAUSE: Final = "chaos"


class Havoc:
    """Strikes the seats of a run, and knows which of its signals are still on their way."""

    def __init__(
        self,
        seats: Sequence[Seat],
        emit: Callable[[Event], None],
        after: Callable[[float, Message], None],
        clock: Callable[[], float],
    ) -> None:
        """Strike nobody yet."""
        self._seats = seats
        self._emit = emit
        self._after = after
        self._clock = clock
        #: Actors whose present life was sent a SIGKILL and is not seen dead yet.
        self._struck: set[int] = set()
        #: Since when the present life of an actor is stopped.
        self._frozen: dict[int, float] = {}
        #: Actors whose last life was killed here before it had got anything done.
        self._barren: set[int] = set()
        self._calming = False

    def strike(self, actors: Iterable[int], freeze: float) -> None:
        """Kill the first of these actors that may be hit, or stop it for `freeze` seconds; nobody may be left to hit.

        A life may be hit at any instant, in its start too. But the one after a life that was killed here before it
        had committed anything is not killed before it has, or sleeps: so the graph gets on at any rate.
        """
        for actor in actors:
            seat = self._seats[actor]
            if seat.status is not Status.RUNNING or actor in self._struck:
                continue
            if not freeze and (actor not in self._barren or seat.has_worked):
                self._struck.add(actor)
                seat.kill()
                return
            if freeze and actor not in self._frozen:
                self._frozen[actor] = self._clock()
                seat.kill(signal.SIGSTOP)
                self._after(freeze, Thaw(actor, seat.generation))
                return

    def thaw(self, actor: int, generation: int) -> None:
        """Let an actor go on, if it still is in the life that was stopped."""
        seat = self._seats[actor]
        if actor not in self._frozen or seat.generation != generation:
            return
        was_stopped = seat.is_stopped()
        seat.kill(signal.SIGCONT)
        since = self._frozen.pop(actor)
        if was_stopped:
            self._tell_freeze(seat, since)

    def ended(self, seat: Seat, status: int) -> bool:
        """Take note that the present life of an actor has ended; tell whether it was killed here."""
        struck = seat.index in self._struck and status == -signal.SIGKILL
        since = self._frozen.pop(seat.index, None)
        self._struck.discard(seat.index)
        self._barren.discard(seat.index)
        if struck and not seat.has_worked:
            self._barren.add(seat.index)
        if struck and since is not None:  # it was alive when it was killed, and so when it was stopped before
            self._tell_freeze(seat, since)
        return struck

    def is_frozen(self, actor: int) -> bool:
        """Tell whether the present life of an actor is stopped by chaos."""
        return actor in self._frozen

    def calm(self) -> None:
        """Thaw everybody; `settle` tells when nothing is on its way any more."""
        for actor in list(self._frozen):
            self.thaw(actor, self._seats[actor].generation)
        self._calming = True
        self.settle()

    def settle(self) -> None:
        """Say that chaos is over, if that was asked for and every death was seen."""
        if self._calming and not self._struck:
            self._calming = False
            self._emit(ChaosEnded())

    def _tell_freeze(self, seat: Seat, since: float) -> None:
        self._emit(ChaosFroze(actor=seat.name, generation=seat.generation, seconds=self._clock() - since))
