"""A seat: one actor as the supervisor sees it, through all of its lives."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from enum import Enum
from typing import TYPE_CHECKING

import psutil

from steady_mp.memory import disk, layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.hands import Held, unsettled
from steady_mp.memory.letters import Letters
from steady_mp.memory.pidfd import pidfd_open, pidfd_send_signal
from steady_mp.memory.standing import halt_of
from steady_mp.parking import is_readable
from steady_mp.plan import actor_file, channel_file
from steady_mp.recovery import recover
from steady_mp.supervisor.orphans import bury

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import ExitStack

    from steady_mp.memory.control import Journal
    from steady_mp.memory.doorbell import Doorbell
    from steady_mp.memory.mapping import Mapping
    from steady_mp.memory.rundir import RunDir
    from steady_mp.plan import ActorPlan, EndPlan, Plan
    from steady_mp.policy import Failures


class Status(Enum):
    """What the supervisor knows of an actor."""

    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    FINISHED = "finished"
    GIVEN_UP = "given up"


#: Signals that somebody else sends; a sleeping actor that gets one has not failed.
_FROM_OUTSIDE = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, -signal.SIGQUIT}


class Seat:
    """One actor: its files, its lives and its deaths."""

    def __init__(self, run: RunDir, plan: Plan, index: int, channels: list[Mapping], failures: Failures) -> None:
        """Map the actor's control block, one of before if there is one, and make its doorbell."""
        self.index = index
        self.plan: ActorPlan = plan.actors[index]
        self.control = ControlBlock(run.mapping(actor_file(index, "control")), len(self.plan.ends))
        if not run.has_begun:
            self.control.format()
        try:
            self.bell: Doorbell = run.doorbell(actor_file(index, "bell"), create=True)
        except BaseException:
            self.control.close()
            raise
        self.note = run.path / actor_file(index, "death")
        self.snapshot_stem = run.path / actor_file(index, "snapshot")
        self.failures = failures
        self.status = Status.STARTING
        self.generation = self.control.words[layout.GENERATION]
        self.pid: int | None = None
        self.deaths: list[str] = []
        #: Its present life is to end for a fresh one, through no fault of its own.
        self.renewing = False
        self._killed_here = False
        self._letters = Letters(run.path)
        self._on_disk = run.path / actor_file(index, "control") if run.is_synced else None
        self._pidfd: int | None = None
        self._channels = [(end.sends, channels[end.channel].words) for end in self.plan.ends]
        self._moved_before: tuple[int, ...] = ()
        #: The commit that its present life has begun from.
        self.begun_from = 0
        #: What may have had to do with the end of the life that ended last.
        self.unsettled: list[Held] = []

    @property
    def name(self) -> str:
        """The actor's name."""
        return self.plan.name

    @property
    def is_over(self) -> bool:
        """Tell whether no further life follows."""
        return self.status in {Status.FINISHED, Status.GIVEN_UP}

    def begin(self) -> None:
        """A life is about to begin."""
        self.generation += 1
        self.renewing = self._killed_here = False
        self._moved_before = self._moved()
        self.begun_from = self.control.epoch
        self.control.words[layout.PHASE] = layout.PHASE_STARTING
        self.control.words[layout.DEBUGGED] = 0
        self.control.words[layout.LOOKED_NS] = time.monotonic_ns()

    def spawned(self, pid: int) -> None:
        """The life has a process."""
        self.pid = pid
        self.status = Status.RUNNING
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                self._pidfd = pidfd_open(pid)

    def ended(self) -> Journal:
        """The life is over: show the neighbours what it had committed."""
        self.pid = None
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None
        self.unsettled = unsettled(self.control)
        self.seal()
        return recover(self.control, self._channels)

    def seal(self) -> None:
        """Where a loss of power is to be survived, block until the journal in force is on the disk. Raises OSError."""
        if self._on_disk is not None:
            self.control.store_again()
            disk.settle(self._on_disk)

    @property
    def has_worked(self) -> bool:
        """Tell whether the present life has committed something, or sleeps and so has nothing to do."""
        asleep = self.control.words[layout.PHASE] == layout.PHASE_WAITING
        return asleep or self.control.epoch != self.begun_from

    def was_innocent(self, status: int | None) -> bool:
        """Tell whether the life that just ended moved a message, or was killed in its sleep from outside."""
        asleep = self.control.words[layout.PHASE] == layout.PHASE_WAITING
        return self._moved() != self._moved_before or (asleep and status in _FROM_OUTSIDE)

    def _moved(self) -> tuple[int, ...]:
        journal = self.control.journal()
        ends = zip(self.plan.ends, journal.cursors, strict=True)
        return tuple(self._worked(end, cursor.messages) for end, cursor in ends) or (self.control.epoch,)

    def _worked(self, end: EndPlan, messages: int) -> int:
        """Return how many messages went through an end; one that was put aside is nobody's work."""
        holes = () if end.sends else self._letters.holes(end.channel)
        return messages - sum(hole < messages for hole in holes)

    def letter_shown(self, channel: int, position: int) -> str | None:
        """Return the repr of a dead letter as it was put aside; None where it can't be read."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            return self._letters.read(channel, position).shown
        return None

    def was_excused(self, status: int) -> bool:
        """Tell whether no message can be the fault of how the life ended: somebody else wanted that."""
        if status == -signal.SIGKILL:
            return self._killed_here or self.control.words[layout.PHASE] == layout.PHASE_WAITING
        return status in _FROM_OUTSIDE

    def renew(self) -> None:
        """End the present life for a fresh one, which begins at once."""
        if self.status in {Status.STARTING, Status.RUNNING}:
            self.renewing = True
            self.kill()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Signal the actor's process, if there is one, and never a stranger with its pid."""
        self._killed_here = self._killed_here or number == signal.SIGKILL
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                pidfd_send_signal(self._pidfd, number)
        elif self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def is_stopped(self) -> bool:
        """Tell whether the actor's process is stopped (SIGSTOP) at present."""
        return self.pid is not None and halt_of(self.pid).stopped

    def wait_gone(self) -> None:
        """Block until the process is gone; for when the fork server can't tell any more."""
        if self._pidfd is not None:
            bury(self._pidfd)
        elif self.pid is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(self.pid).wait()

    def isolate(self) -> None:
        """Close all its channels at its end, so that nobody waits for it."""
        for sends, words in self._channels:
            words[layout.TX_CLOSED if sends else layout.RX_CLOSED] = 1

    def why_not_finished(self, plan: Plan) -> str:
        """Say what keeps the actor from finishing."""
        if self.status is not Status.RUNNING:
            return f"it is {self.status.value}"
        if reason := self._why_silent():
            return reason
        if refusal := self.control.refusal:
            return f"it refused: {refusal}"
        words = self.control.words
        if words[layout.PHASE] != layout.PHASE_WAITING:
            return "it is busy in its own code and has not looked up"
        open_inputs = []
        for end, (sends, header) in zip(self.plan.ends, self._channels, strict=True):
            channel = plan.channels[end.channel]
            in_flight = header[layout.TAIL] - header[layout.HEAD]
            if sends and in_flight >= channel.capacity:
                return f"it waits for room in {channel.name}, which is full"
            if not sends and not header[layout.TX_CLOSED]:
                open_inputs.append(f"{channel.name} is still open")
            elif not sends and in_flight:
                open_inputs.append(f"{in_flight} messages wait in {channel.name}")
        return "; ".join(open_inputs) or "it sleeps in a wait that a shutdown does not end"

    def _why_silent(self) -> str | None:
        """Say what is wrong with its process: what it has said, or waits for, is of the time before then."""
        if self.is_stopped():
            return "it is stopped (SIGSTOP)"
        if self._pidfd is not None and is_readable(self._pidfd):
            return "it has died, but the fork server, which restarts it, does not answer"
        return None

    def close(self) -> None:
        """Unmap and close what this seat holds."""
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None
        self._channels.clear()
        self.control.close()
        self.bell.close()


def channel_mappings(run: RunDir, plan: Plan, ending: ExitStack) -> list[Mapping]:
    """Map all channels of a run; they are closed by `ending`."""
    mappings = []
    for index in range(len(plan.channels)):
        mappings.append(mapping := run.mapping(channel_file(index)))
        ending.callback(mapping.close)
    return mappings


def seats_of(
    run: RunDir, plan: Plan, channels: list[Mapping], failures: Iterable[Failures], ending: ExitStack
) -> list[Seat]:
    """Return a seat for each actor of a run; they are closed by `ending`."""
    seats = []
    for index, each in enumerate(failures):
        seats.append(seat := Seat(run, plan, index, channels, each))
        ending.callback(seat.close)
    return seats
