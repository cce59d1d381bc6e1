"""The fork servers of a run: the one that there is, and how many have died before they had forked anybody."""

from __future__ import annotations

import os
import selectors
from typing import TYPE_CHECKING, Final

from steady_mp.errors import StartError
from steady_mp.events import ForkServerDied, ForkServerGivenUp, ProcessDelayed
from steady_mp.supervisor.cause import cause_of
from steady_mp.supervisor.launcher import Launcher
from steady_mp.supervisor.messages import ForkServerDue, RestartDue
from steady_mp.supervisor.seat import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steady_mp.events import Event
    from steady_mp.logs import LogWriter
    from steady_mp.supervisor.messages import Message
    from steady_mp.supervisor.seat import Seat

#: Fork servers that may die before one of them has forked anybody.
_MOST_BARREN: Final = 3
#: Seconds until what could not be started is tried again.
PAUSE: Final = 1.0


class ForkServers:
    """Starts them, and knows when that is no use any more."""

    def __init__(
        self,
        directory: Path,
        selector: selectors.BaseSelector,
        emit: Callable[[Event], None],
        after: Callable[[float, Message], None],
        logs: LogWriter,
    ) -> None:
        """Start none yet; `selector` is to tell when there is news, and `after` when to try again."""
        self._emit = emit
        self._after = after
        self._logs = logs
        self._has_died = False
        self._directory = directory
        self._selector = selector
        self._launcher: Launcher | None = None
        self._barren = 0
        #: How the last one has ended, or why the next one could not be started.
        self.cause = ""
        self._owed: dict[int, Seat] = {}
        #: Actors without a pipe for their output, since that was told.
        self._mute: set[int] = set()

    @property
    def pid(self) -> int | None:
        """The process of the one that there is."""
        return self._launcher.pid if self._launcher is not None else None

    def start(self) -> None:
        """Start one. Raises StartError."""
        self._launcher = Launcher(self._directory)
        for fd in self._launcher.filenos():
            self._selector.register(fd, selectors.EVENT_READ)

    def start_again(self) -> list[Seat]:
        """Start one in the place of one that is gone, and return whose lives have waited for it.

        Where none can be started, that counts as one that has died, and is tried again after a pause.
        """
        if self.are_hopeless:
            self._put_off()
            return []
        if self._has_died:
            self._has_died = False
            self._emit(ForkServerDied(cause=self.cause))
        try:
            self.start()
        except StartError as error:
            self.cause = str(error).rpartition(": ")[2]
            self._barren += 1
            self._put_off()
            return []
        owed, self._owed = self._owed, {}
        return list(owed.values())

    def spawn(self, seat: Seat) -> None:
        """Ask for the next life of an actor, as soon as there is a fork server, and a pipe for its output."""
        seat.status = Status.RESTARTING
        if self._launcher is None:
            self._owed[seat.index] = seat
            return
        try:
            read_fd, write_fd = os.pipe()
        except OSError as error:  # no descriptor is left, to this process or to the system
            if seat.index not in self._mute:
                self._mute.add(seat.index)
                self._emit(ProcessDelayed(process=seat.name, reason=error.strerror or str(error)))
            self._after(PAUSE, RestartDue(seat.index))
            return
        self._mute.discard(seat.index)
        seat.begin()
        self._launcher.spawn(seat.index, seat.generation, write_fd)
        os.close(write_fd)
        self._logs.add(read_fd, seat.name, seat.generation)  # the pipe keeps what is said before it is read
        seat.status = Status.STARTING

    def news(self) -> list[Message]:
        """Return what it has told; see `Launcher.news`."""
        return self._launcher.news() if self._launcher is not None else []

    def has_forked(self) -> None:
        """Take note that it works."""
        self._barren = 0

    def bury(self) -> str:
        """Let go of one that has died; return how it has ended."""
        launcher, self._launcher = self._launcher, None
        if launcher is not None:
            for fd in launcher.filenos():
                self._selector.unregister(fd)
            self.cause = cause_of(launcher.close())
            self._barren += 1
            self._has_died = True
        return self.cause

    @property
    def are_hopeless(self) -> bool:
        """Whether too many have died before they had forked anybody."""
        return self._barren > _MOST_BARREN

    def _put_off(self) -> None:
        """Try again later, or say that it is no use any more."""
        if self.are_hopeless:
            self._emit(ForkServerGivenUp(cause=self.cause, times=self._barren))
        else:
            self._emit(ProcessDelayed(process="the fork server", reason=self.cause))
            self._after(PAUSE, ForkServerDue())

    def close(self) -> None:
        """Let the one that is left go, and all actors with it."""
        launcher, self._launcher = self._launcher, None
        if launcher is not None:
            launcher.close()
