"""Inside an actor's process: from a fresh fork to the behavior, and out again."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from steady_mp.errors import ConfigurationError, StateError
from steady_mp.life import Life, Place
from steady_mp.logs import say
from steady_mp.memory import layout
from steady_mp.memory.letters import Letters
from steady_mp.memory.owner import my_start
from steady_mp.packing import unpack
from steady_mp.plan import actor_file
from steady_mp.supervisor import native
from steady_mp.supervisor.debugger import answer_breakpoints
from steady_mp.supervisor.exits import FAILED, RECYCLED, REPLAY
from steady_mp.supervisor.keepsake import keep_snapshot
from steady_mp.supervisor.note import BALLAST, Note
from steady_mp.supervisor.quicken import quicken
from steady_mp.supervisor.script import LOADING

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.plan import ActorPlan
    from steady_mp.supervisor.ahead import Ahead
    from steady_mp.supervisor.belongings import Belongings


def _leave(status: int) -> NoReturn:
    """End the process without running what belongs to the fork server, whatever has become of its streams."""
    with contextlib.suppress(BaseException):  # a handler of the user's
        logging.shutdown()
    _flush()
    os._exit(status)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__):
        with contextlib.suppress(BaseException):  # closed, or one of the user's
            if stream is not None:
                stream.flush()


class Household:
    """What a process brings to a life: what it has in the run directory, and its own ways to end."""

    def __init__(self, ahead: Ahead, index: int, generation: int) -> None:
        """Open nothing yet."""
        self._ahead = ahead
        self._plan = ahead.plan
        self._index = index
        self._generation = generation
        self._me: ActorPlan = ahead.plan.actors[index]
        self._note = ahead.directory / actor_file(index, "death")

    def live(self) -> None:
        """Live this life."""
        fault = self._fault()
        if fault is not None:
            fault("start:begin")
        its = self._ahead.belongings(self._index)
        place = self._place(its, fault)
        try:
            life = Life(place, self._generation)
        except StateError as error:
            raise StateError(f"{error}; {self._keep_snapshot(its, place)}") from error
        os.register_at_fork(after_in_child=life.turn.disown)
        words = place.control.words
        words[layout.BORN] = my_start()
        words[layout.PID] = os.getpid()
        words[layout.GENERATION] = self._generation
        behavior, args = unpack(its.packed, life.resolve)
        LOADING.is_on = False  # from here on a graph may be started, by the behavior
        quicken(behavior)
        life.live(behavior, args)

    def _keep_snapshot(self, its: Belongings, place: Place) -> str:
        journal = place.control.journal()
        snapshot = place.snapshots.path(journal.snapshot_slot)
        return keep_snapshot(its.run, snapshot, journal.snapshot_length, self._plan.graph, self._me.name)

    def _place(self, its: Belongings, fault: Callable[[str], None] | None) -> Place:
        path, index = its.run.path, self._index
        return Place(
            plan=self._plan,
            index=index,
            stores=its.stores,
            control=its.control,
            snapshots=its.snapshots,
            run=its.words,
            parker=its.parker,
            supervisor=its.supervisor,
            neighbour=its.neighbour,
            abandon=self._abandon,
            retire=self._retire,
            fault=fault,
            spins=True,
            mail=lambda channel: Letters(path).mail(channel, index),
            sync=its.durability,
            everybody=its.everybody,
        )

    def _abandon(self, reason: str) -> NoReturn:
        self._leave_for_another("replay", reason, REPLAY)

    def _retire(self, reason: str) -> NoReturn:
        self._leave_for_another("retire", reason, RECYCLED)

    def _leave_for_another(self, how: str, reason: str, status: int) -> NoReturn:
        """End this life by its own decision: the note says so, also where somebody kills it on its way out."""
        fault = self._fault() or (lambda _: None)
        fault(f"{how}:begin")
        Note(os.getpid(), reason, renewal=status).write(self._note)
        fault(f"{how}:noted")
        _leave(status)

    def _fault(self) -> Callable[[str], None] | None:
        """Return what kills this process at the fault points planned for this life; None in production."""
        planned = [
            dict(fault)
            for fault in self._plan.faults.get(self._me.name, [])
            if self._generation in fault["generations"]
        ]
        if not planned:
            return None

        def fault(point: str) -> None:
            for plan in planned:
                if plan["point"] == point:
                    plan["hit"] -= 1
                    if plan["hit"] == 0:
                        os.kill(os.getpid(), signal.SIGKILL)

        return fault


def main(ahead: Ahead, index: int, generation: int, log_fd: int, broken: Exception | None) -> NoReturn:
    """Live one life of actor `index`, and end the process with its status.

    `broken` is why the script with the behavior could not be loaded.
    """
    name = ahead.plan.actors[index].name
    native.set_name(name)
    ahead.capture_output(log_fd)
    ahead.dumps(index).begin()
    answer_breakpoints(ahead.directory, index, name)
    note = ahead.directory / actor_file(index, "death")
    ballast = bytes(BALLAST)  # of zeros: memory that is promised, and touched by nobody
    try:
        if broken is not None:
            raise broken  # noqa: TRY301 - takes the path of an error of the actor's own
        Household(ahead, index, generation).live()
    except SystemExit as stop:
        Note.of_exit(stop).write(note)
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)  # noqa: T201 - what Python does with it
        _leave(stop.code if isinstance(stop.code, int) else int(stop.code is not None))
    except BaseException as error:  # noqa: BLE001 - an exception and a crash take the same path
        del ballast
        unloadable = error is broken or (LOADING.is_on and isinstance(error, ConfigurationError))
        last_words = Note.of_error(error, hopeless=unloadable or isinstance(error, StateError))
        last_words.write(note)
        _flush()
        with contextlib.suppress(OSError, MemoryError):  # the actor may have closed it, or left no room
            say(logging.ERROR, last_words.traceback.rstrip())
        _leave(FAILED)
    _leave(0)
