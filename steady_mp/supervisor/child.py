"""Inside an actor's process: from a fresh fork to the behavior, and out again."""

from __future__ import annotations

import functools
import json
import logging
import os
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, NoReturn

from steady_mp.actor import Actor
from steady_mp.channel.receiver import ObjectRx
from steady_mp.channel.ring import Ring
from steady_mp.channel.sender import ObjectTx
from steady_mp.errors import EndOfStream, StateError
from steady_mp.logs import capture_output
from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.rundir import RunDir
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.packing import unpack
from steady_mp.parking import ORPHANED, PollParker
from steady_mp.plan import RUN_FILE, SUPERVISOR_BELL, actor_file, channel_file
from steady_mp.recovery import recover
from steady_mp.state import StateBook, SteadyState
from steady_mp.supervisor import native
from steady_mp.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steady_mp.memory.control import Cursor
    from steady_mp.memory.doorbell import Doorbell
    from steady_mp.plan import ActorPlan, Plan

#: Exit statuses, told apart from what a behavior would use. The note beside them says more.
FAILED = 1
REPLAY = 121
STATE_FAILED = 122
UNLOADABLE = 123

__all__ = ["FAILED", "ORPHANED", "REPLAY", "STATE_FAILED", "UNLOADABLE", "main", "read_note"]


def _pass(point: str) -> None:
    """Reach a fault point where nothing is planned."""


def _leave(status: int) -> NoReturn:
    """End the process without running what belongs to the fork server."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def _write_note(path: Path, cause: str) -> None:
    """Say why this life ends, for the supervisor; complete or not there at all."""
    draft = path.with_suffix(".note")
    draft.write_text(json.dumps({"pid": os.getpid(), "cause": cause}))
    draft.replace(path)


def read_note(path: Path, pid: int) -> str | None:
    """Return and remove what the life with `pid` said about its end; None when it said nothing."""
    try:
        note = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    path.unlink(missing_ok=True)
    return str(note["cause"]) if note.get("pid") == pid else None


class Life:
    """One life of one actor: everything that its process has mapped and opened."""

    def __init__(self, directory: Path, plan: Plan, index: int, generation: int, lifeline: int) -> None:
        """Map the actor's files, recover from the journal, and get ready to run."""
        self._run = RunDir(directory)
        self._plan = plan
        self._index = index
        self._generation = generation
        self._me: ActorPlan = plan.actors[index]
        self.note = directory / actor_file(index, "death")
        fault = self._fault()
        reach = fault or _pass
        reach("start:begin")
        self._rings = [
            Ring(self._run.mapping(channel_file(end.channel)), plan.channels[end.channel].name) for end in self._me.ends
        ]
        self._control = ControlBlock(self._run.mapping(actor_file(index, "control")), len(self._me.ends))
        reach("start:mapped")
        channels = [(end.sends, ring.words) for end, ring in zip(self._me.ends, self._rings, strict=True)]
        journal = recover(self._control, channels, reach)
        reach("start:recovered")
        snapshots = SnapshotSlots(directory / actor_file(index, "snapshot"))
        saved = None
        if journal.snapshot_length:
            saved = snapshots.read(journal.snapshot_slot, journal.snapshot_length, journal.snapshot_crc)
        self._book = StateBook(saved)
        bell = self._run.doorbell(actor_file(index, "bell"))
        self._turn = Turn(
            control=self._control,
            book=self._book,
            snapshots=snapshots,
            parker=PollParker(bell, lifeline, functools.partial(os._exit, ORPHANED)),
            supervisor=self._run.doorbell(SUPERVISOR_BELL),
            abandon=self._abandon,
            fault=fault,
        )
        self._ends = [self._open(position, cursor) for position, cursor in enumerate(journal.cursors)]
        self._entangle()
        reach("start:ready")

    def _open(self, position: int, cursor: Cursor) -> ObjectTx[object] | ObjectRx[object]:
        plan, ring = self._me.ends[position], self._rings[position]
        channel = self._plan.channels[plan.channel]
        peer = channel.consumer if plan.sends else channel.producer
        end: ObjectTx[object] | ObjectRx[object]
        end = ObjectTx(ring, self._turn, cursor) if plan.sends else ObjectRx(ring, self._turn, cursor)
        self._turn.join(end, self._neighbour(peer))
        return end

    def _entangle(self) -> None:
        """Tell the turn where an answer may come by another way than the question went."""
        plans = [(plan, self._plan.channels[plan.channel]) for plan in self._me.ends]
        for answer, (coming, by) in zip(self._ends, plans, strict=True):
            for question, (going, to) in zip(self._ends, plans, strict=True):
                if not going.sends or coming.sends or to.consumer == by.producer:
                    continue
                if self._plan.leads(to.consumer, by.producer, self._index):
                    self._turn.entangle(answer, question)

    @functools.cache  # noqa: B019 - one life, one process
    def _neighbour(self, peer: int) -> Doorbell:
        return self._run.doorbell(actor_file(peer, "bell"))

    def _resolve(self, kind: str, index: int) -> object:
        """Return the live object for a reference among the arguments."""
        if kind == "state":
            return SteadyState[object](self._book, index)
        for plan, end in zip(self._me.ends, self._ends, strict=True):
            if plan.channel == index and plan.sends == (kind == "tx"):
                return end
        message = f"reference {kind} {index} is not in the plan"
        raise LookupError(message)

    def _abandon(self, reason: str) -> NoReturn:
        _write_note(self.note, reason)
        _leave(REPLAY)

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

    def live(self) -> None:
        """Run the behavior to its end, and commit that it has finished."""
        words = self._control.words
        words[layout.PID] = os.getpid()
        words[layout.GENERATION] = self._generation
        run = self._run.mapping(RUN_FILE)
        behavior, args = unpack((self._run.path / actor_file(self._index, "args")).read_bytes(), self._resolve)
        actor = Actor(
            name=self._me.name,
            generation=self._generation,
            turn=self._turn,
            control=self._control,
            run=run.words,
            clock=time.monotonic,
        )
        words[layout.PHASE] = layout.PHASE_RUNNING
        try:
            behavior(actor, *args)
        except EndOfStream:
            if not all(end.is_closed_and_empty() for end in self._ends if isinstance(end, ObjectRx)):
                raise
        for end in self._ends:
            if isinstance(end, ObjectTx):
                end.mark_closed()
            else:
                end.close()
        self._turn.finish()


def main(  # noqa: PLR0913, PLR0917 - handed over once, right behind the fork
    directory: Path, plan: Plan, index: int, generation: int, lifeline: int, log_fd: int, broken: Exception | None
) -> NoReturn:
    """Live one life of actor `index`, and end the process with its status.

    `broken` is why the script with the behavior could not be loaded.
    """
    native.set_name(plan.actors[index].name)
    capture_output(log_fd, plan.log_level)
    note = directory / actor_file(index, "death")
    try:
        if broken is not None:
            raise broken  # noqa: TRY301 - takes the path of an error of the actor's own
        Life(directory, plan, index, generation, lifeline).live()
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)  # noqa: T201 - what Python does with it
        _leave(stop.code if isinstance(stop.code, int) else int(stop.code is not None))
    except BaseException as error:  # noqa: BLE001 - an exception and a crash take the same path
        traceback.print_exc()
        _write_note(note, "".join(traceback.format_exception_only(error)).strip())
        if error is broken:
            _leave(UNLOADABLE)
        _leave(STATE_FAILED if isinstance(error, StateError) else FAILED)
    _leave(0)
