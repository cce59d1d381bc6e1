"""What a life finds in the run directory: its files mapped, its doorbells opened, its arguments read.

All of it can be had before the life begins, while nobody may know yet whose it will be: nothing is changed by it, and
no code of the user's runs.
"""

from __future__ import annotations

import contextlib
import functools
import os
from typing import TYPE_CHECKING

from steady_mp.channel.kinds import map_channel, open_store
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.durability import Durability
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.rundir import RunDir
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.parking import PollParker
from steady_mp.plan import RUN_FILE, SUPERVISOR_BELL, actor_file, channel_file
from steady_mp.supervisor.exits import ORPHANED

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp.channel.store import Store
    from steady_mp.memory.doorbell import Doorbell
    from steady_mp.plan import Plan


class Belongings:
    """What one actor has in the run directory, for one life of it."""

    def __init__(self, directory: Path, plan: Plan, index: int, lifeline: int) -> None:
        """Map and open all of it. Raises OSError and CorruptChannel."""
        self.index = index
        self.run = RunDir(directory)
        self._plan = plan
        self._me = plan.actors[index]
        self._bells: dict[str, Doorbell] = {}
        self.durability: Durability | None = None
        with contextlib.ExitStack() as failed:
            failed.callback(self.close)
            self._open(lifeline)
            failed.pop_all()

    def _open(self, lifeline: int) -> None:
        run, index = self.run, self.index
        self.stores = [self._store(end.channel) for end in self._me.ends]
        self.control = ControlBlock(run.mapping(self.file("control")), len(self._me.ends))
        self.snapshots = SnapshotSlots(run.path / self.file("snapshot"))
        self.snapshots.map()
        self.words = run.mapping(RUN_FILE).words
        bell = self._bell(self.file("bell"))
        self.parker = PollParker(bell, lifeline, functools.partial(os._exit, ORPHANED))
        self.supervisor = self._bell(SUPERVISOR_BELL)
        for end in self._me.ends:
            self.neighbour(self._plan.peer(end))
        self.packed = (run.path / self.file("args")).read_bytes()
        if run.is_synced:
            self.durability = durability_of(run.path, self._plan, index)

    def file(self, kind: str) -> str:
        """Return the name of one of the actor's files."""
        return actor_file(self.index, kind)

    def _store(self, channel: int) -> Store:
        plan = self._plan.channels[channel]
        return open_store(map_channel(plan, self.run.path / channel_file(channel)), plan)

    def _bell(self, name: str) -> Doorbell:
        if name not in self._bells:
            self._bells[name] = self.run.doorbell(name)
        return self._bells[name]

    def neighbour(self, peer: int) -> Doorbell:
        """Return the doorbell of another actor, always the same object."""
        return self._bell(actor_file(peer, "bell"))

    def everybody(self) -> tuple[list[memoryview], list[memoryview]]:
        """Map the control block of each actor and the header of each channel, and return their words."""
        path, plan = self.run.path, self._plan
        controls = [path / actor_file(index, "control") for index in range(len(plan.actors))]
        channels = [path / channel_file(index) for index in range(len(plan.channels))]
        words = [[Mapping(file, read_only=True).words for file in files] for files in (controls, channels)]
        return words[0], words[1]

    def close(self) -> None:
        """Close what is open; what is mapped goes with the last who has it."""
        for bell in self._bells.values():
            bell.close()
        if self.durability is not None:
            self.durability.close()


def durability_of(directory: Path, plan: Plan, index: int) -> Durability:
    """Open what the commits of an actor write, for a run that is to survive a loss of power. Raises OSError."""
    ends = plan.actors[index].ends
    outputs = [directory / channel_file(end.channel) if end.sends else None for end in ends]
    return Durability(directory / actor_file(index, "control"), outputs, directory / actor_file(index, "snapshot"))
