"""Inside an actor's process: from a fresh fork to the behavior, and out again."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from steady_mp.channel.kinds import map_channel, open_store
from steady_mp.errors import ConfigurationError, StateError
from steady_mp.life import Life, Place
from steady_mp.logs import capture_output
from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.durability import Durability
from steady_mp.memory.letters import Letters
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.owner import Owner
from steady_mp.memory.rundir import RunDir
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.packing import unpack
from steady_mp.parking import ORPHANED, PollParker
from steady_mp.plan import RUN_FILE, SUPERVISOR_BELL, actor_file, channel_file
from steady_mp.supervisor import native
from steady_mp.supervisor.debugger import answer_breakpoints
from steady_mp.supervisor.keepsake import keep
from steady_mp.supervisor.note import BALLAST, Note
from steady_mp.supervisor.quicken import quicken
from steady_mp.supervisor.script import LOADING
from steady_mp.supervisor.stacks import tell_stacks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steady_mp.channel.store import Store
    from steady_mp.memory.doorbell import Doorbell
    from steady_mp.plan import ActorPlan, Plan

#: Exit statuses, told apart from what a behavior would use. The note beside them says more.
FAILED = 1
REPLAY = 121
STATE_FAILED = 122
UNLOADABLE = 123
RECYCLED = 124

__all__ = ["FAILED", "ORPHANED", "RECYCLED", "REPLAY", "STATE_FAILED", "UNLOADABLE", "main"]


def _leave(status: int) -> NoReturn:
    """End the process without running what belongs to the fork server, whatever has become of its streams."""
    with contextlib.suppress(BaseException):  # a handler of the user's
        logging.shutdown()
    for stream in (sys.stdout, sys.stderr, sys.__stdout__):
        with contextlib.suppress(BaseException):  # closed, or one of the user's
            if stream is not None:
                stream.flush()
    os._exit(status)


class Household:
    """What a process brings to a life: mapped files, doorbells, and its own ways to end."""

    def __init__(self, directory: Path, plan: Plan, index: int, generation: int, lifeline: int) -> None:
        """Map the actor's files."""
        self._run = RunDir(directory)
        self._plan = plan
        self._index = index
        self._generation = generation
        self._lifeline = lifeline
        self._me: ActorPlan = plan.actors[index]
        self._note = directory / actor_file(index, "death")

    def live(self) -> None:
        """Live this life."""
        place = self._place()
        try:
            life = Life(place, self._generation)
        except StateError as error:
            raise StateError(f"{error}; {self._keep_snapshot(place)}") from error
        words = place.control.words
        me = Owner.me()
        words[layout.BORN] = me.started
        words[layout.PID] = me.pid
        words[layout.GENERATION] = self._generation
        packed = (self._run.path / actor_file(self._index, "args")).read_bytes()
        behavior, args = unpack(packed, life.resolve)
        LOADING.is_on = False  # from here on a graph may be started, by the behavior
        quicken(behavior)
        life.live(behavior, args)

    def _keep_snapshot(self, place: Place) -> str:
        journal = place.control.journal()
        snapshot = place.snapshots.path(journal.snapshot_slot)
        return keep(self._run, snapshot, journal.snapshot_length, self._plan.graph, self._me.name)

    def _place(self) -> Place:
        run, index, fault = self._run, self._index, self._fault()
        if fault is not None:
            fault("start:begin")
        return Place(
            plan=self._plan,
            index=index,
            stores=[self._store(end.channel) for end in self._me.ends],
            control=ControlBlock(run.mapping(actor_file(index, "control")), len(self._me.ends)),
            snapshots=SnapshotSlots(run.path / actor_file(index, "snapshot")),
            run=run.mapping(RUN_FILE).words,
            parker=PollParker(
                run.doorbell(actor_file(index, "bell")), self._lifeline, functools.partial(os._exit, ORPHANED)
            ),
            supervisor=run.doorbell(SUPERVISOR_BELL),
            neighbour=self._neighbour,
            abandon=self._abandon,
            retire=self._retire,
            fault=fault,
            spins=True,
            mail=lambda channel: Letters(run.path).mail(channel, index),
            sync=self._durability() if run.is_synced else None,
            everybody=self._everybody,
        )

    def _store(self, channel: int) -> Store:
        plan = self._plan.channels[channel]
        return open_store(map_channel(plan, self._run.path / channel_file(channel)), plan)

    def _durability(self) -> Durability:
        path, index = self._run.path, self._index
        outputs = [path / channel_file(end.channel) if end.sends else None for end in self._me.ends]
        return Durability(path / actor_file(index, "control"), outputs, path / actor_file(index, "snapshot"))

    @functools.cache  # noqa: B019 - one life, one process
    def _neighbour(self, peer: int) -> Doorbell:
        return self._run.doorbell(actor_file(peer, "bell"))

    def _everybody(self) -> tuple[list[memoryview], list[memoryview]]:
        path, plan = self._run.path, self._plan
        controls = [path / actor_file(index, "control") for index in range(len(plan.actors))]
        channels = [path / channel_file(index) for index in range(len(plan.channels))]
        words = [[Mapping(file, read_only=True).words for file in files] for files in (controls, channels)]
        return words[0], words[1]

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


def main(  # noqa: PLR0913, PLR0917 - handed over once, right behind the fork
    directory: Path, plan: Plan, index: int, generation: int, lifeline: int, log_fd: int, broken: Exception | None
) -> NoReturn:
    """Live one life of actor `index`, and end the process with its status.

    `broken` is why the script with the behavior could not be loaded.
    """
    native.set_name(plan.actors[index].name)
    capture_output(log_fd, plan.log_level)
    tell_stacks(directory / actor_file(index, "stack"), directory / actor_file(index, "fault"))
    answer_breakpoints(directory, index, plan.actors[index].name)
    note = directory / actor_file(index, "death")
    ballast = bytes(BALLAST)  # of zeros: memory that is promised, and touched by nobody
    try:
        if broken is not None:
            raise broken  # noqa: TRY301 - takes the path of an error of the actor's own
        Household(directory, plan, index, generation, lifeline).live()
    except SystemExit as stop:
        Note.of_exit(stop).write(note)
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)  # noqa: T201 - what Python does with it
        _leave(stop.code if isinstance(stop.code, int) else int(stop.code is not None))
    except BaseException as error:  # noqa: BLE001 - an exception and a crash take the same path
        del ballast
        last_words = Note.of_error(error)
        last_words.write(note)
        print(last_words.traceback, end="", file=sys.stderr)  # noqa: T201 - what Python does with it
        if error is broken or (LOADING.is_on and isinstance(error, ConfigurationError)):
            _leave(UNLOADABLE)
        _leave(STATE_FAILED if isinstance(error, StateError) else FAILED)
    _leave(0)
