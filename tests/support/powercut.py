"""A disk that loses its power, and a run on it: source → middle → sink, played by the rig, mended by the real seats.

The files are real, so what the kernel has is what is mapped. What the *disk* has is kept here: of each file the content
as of its last flush. At a cut each sector is as of then or as of any later time, and a name in the folder that was not
settled is there or not, all by the dice.
"""

from __future__ import annotations

import functools
import os
import random
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from steady_mp import SendOutcome
from steady_mp.channel.ring import Ring
from steady_mp.memory import disk, layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.rundir import SYNCED, RunDir
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.plan import actor_file, channel_file
from steady_mp.policy import Failures, RestartPolicy
from steady_mp.supervisor.belongings import durability_of
from steady_mp.supervisor.seat import Seat
from steady_mp.supervisor.soundness import refuse_unsound
from steady_mp.testing.points import DONE, UNDONE
from steady_mp.testing.rig import Killed, Party, Rig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

    from steady_mp.memory.durability import Durability
    from steady_mp.plan import Plan

SECTOR: Final = 512
MESSAGES: Final = 24
_CAPACITY: Final = 4
_RING: Final = 2 * SECTOR
_MOST_IMAGES: Final = 4
_TOO_LONG: Final = 2000
#: Each number that is sent is made up, and one of so many.
_SALT: Final = 1000
#: Where in a commit the others may go on.
_AMIDST: Final = (*UNDONE, *DONE)
NAMES: Final = ("source", "middle", "sink")


class PowerCut(BaseException):
    """The machine went dark here. No Exception, so that nothing on its way up handles it."""


def _go_dark() -> None:
    raise PowerCut


class Disk:
    """What is on the disk of the files of one folder, and what else may be."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        """Begin with all that is in the folder."""
        self.folder = folder
        self._dice = dice
        #: Names that are there for sure.
        self._names = set(self._present())
        #: Of each file what was flushed last, and what it was at some later times.
        self._images = {name: [(folder / name).read_bytes()] for name in self._names}
        self._inodes: dict[int, str] = {}
        #: Steps until the cut; None for never.
        self.left: int | None = None

    def flush(self, fd: int) -> None:
        """Stand for `disk.flush`."""
        self._flush(os.fstat(fd).st_ino)

    def settle(self, path: Path) -> None:
        """Stand for `disk.settle`."""
        if path == self.folder:
            self.step()
            self._names = set(self._present())
            self.step()
        elif path.is_file():
            self._flush(path.stat().st_ino)

    def _flush(self, inode: int) -> None:
        self.step()
        if inode not in self._inodes:
            self._inodes = {(self.folder / name).stat().st_ino: name for name in self._present()}
        name = self._inodes[inode]
        self._images[name] = [(self.folder / name).read_bytes()]
        self.step()

    def step(self) -> None:
        """Let the kernel write something back, and cut where a cut is due."""
        if present := self._present():
            name = self._dice.choice(present)
            images = self._images.setdefault(name, [b""])
            images[1:] = [*images[1:], (self.folder / name).read_bytes()][-_MOST_IMAGES:]
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise PowerCut

    def cut(self, folder: Path) -> None:
        """Write what is left into another folder."""
        folder.mkdir()
        present = self._present()
        for name in sorted(self._names.union(present)):
            if (name in self._names and name in present) or self._dice.random() < 0.5:
                now = [(self.folder / name).read_bytes()] if name in present else []
                (folder / name).write_bytes(self._mixed([*self._images.get(name, [b""]), *now]))

    def _mixed(self, images: list[bytes]) -> bytes:
        mode = self._dice.randrange(3)
        if mode < 2:
            return images[-mode]
        size = len(self._dice.choice(images))
        sectors = []
        for start in range(0, size, SECTOR):
            sector = self._dice.choice(images)[start : start + SECTOR]
            sectors.append(sector.ljust(min(SECTOR, size - start), b"\0"))
        return b"".join(sectors)

    def _present(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if path.suffix != ".bell")


class Machine:
    """A run on such a disk, through processes that die and losses of power."""

    def __init__(self, place: Path, seed: int) -> None:
        """Be off; `start` begins the run."""
        self.dice = random.Random(seed)
        self.cuts = 0
        #: What the last commit of each actor that has returned was.
        self.sure = [0, 0, 0]
        #: In the commits of which actor, and at which of its points, the power is lost.
        self.cut_at: tuple[int, str] | None = None
        self.seats: list[Seat] = []
        self._place = place
        self._files: list[Durability] = []
        self._busy: set[int] = set()

    def __enter__(self) -> Self:
        """Return the machine."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of everything."""
        self._close()

    def start(self, *, left: int | None = None) -> None:
        """Begin the run; `left` steps of the disk later the power is lost."""
        (self._place / "0").mkdir(parents=True)
        try:
            self._up(left)
        except PowerCut:
            self.power_cut()

    # Up and down

    @contextmanager
    def plugged(self) -> Iterator[None]:
        """Let the runtime write to this machine's disk."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(disk, "flush", self.disk.flush)
            patch.setattr(disk, "settle", self.disk.settle)
            yield

    def _up(self, left: int | None = None) -> None:
        folder = self._place / str(self.cuts)
        self.disk = Disk(folder, self.dice)
        self.disk.left = left
        self.rig = Rig()
        self.parties = [self.rig.party(name) for name in NAMES]
        for producer, consumer in ((0, 1), (1, 2)):
            self.rig.channel(self.parties[producer], self.parties[consumer], capacity=_CAPACITY, ring_bytes=_RING)
        with self.plugged():
            self._open(folder)

    def _open(self, folder: Path) -> None:
        """Do what the supervisor and the processes of the actors do at a start."""
        rig, plan = self.rig, self.rig.plan()
        if begun := RunDir(folder).has_begun:
            refuse_unsound(folder, plan, ())
        self.run = RunDir.reopen(folder) if begun else RunDir.create_durable(folder, plan.files(), {SYNCED: b""})
        rig.mappings[:] = [self.run.mapping(channel_file(index)) for index in range(len(rig.mappings))]
        if not begun:
            for mapping in rig.mappings:
                Ring.format(mapping, _CAPACITY)
        failures = Failures(RestartPolicy(), rig.clock)
        self.seats += [Seat(self.run, plan, index, rig.mappings, failures) for index in range(len(NAMES))]
        self.run.begin()
        for seat in self.seats:
            seat.ended()
        for index, party in enumerate(self.parties):
            party.channels = [(channel, rig.mappings[channel], sends) for channel, _, sends in party.channels]
            party.control = ControlBlock(self.run.mapping(actor_file(index, "control")), len(party.channels))
            party.generation = 1  # it has a control block
            party.snapshots = SnapshotSlots(folder / actor_file(index, "snapshot"))
            party.sync = functools.partial(self._sync, folder, plan, index)
            party.begin()
            assert party.control.epoch >= self.sure[index], f"{party.name} has lost a commit that had returned"

    def _sync(self, folder: Path, plan: Plan, index: int) -> Durability:
        self._files.append(durability_of(folder, plan, index))
        return self._files[-1]

    def power_cut(self) -> None:
        """Lose the power, and start again from what the disk has."""
        self.cut_at = None
        self.cuts += 1
        folder = self._place / str(self.cuts)
        self.disk.cut(folder)
        self._close()
        if not RunDir(folder).has_begun:
            assert self.sure == [0, 0, 0], "the run has gone"
            shutil.rmtree(folder)  # it may be begun anew
            folder.mkdir()
        self._up()

    def _close(self) -> None:
        for seat in self.seats:
            seat.close()
        for files in self._files:
            files.close()
        self.seats.clear()
        self._files.clear()
        self.run.remove()  # only lets go of it

    # The actors' work

    def turn(self, index: int) -> None:
        """Have one actor do one turn; it may be killed in it, and the machine may lose its power."""
        party = self.parties[index]
        self._busy = {index}
        with self.plugged():
            try:
                self._work(index)
                self.disk.step()
                self._doze()
                if self.dice.random() < 0.5:  # the others don't wait for it
                    party.at(self.dice.choice(_AMIDST), self._others)
                if self.cut_at is not None and self.cut_at[0] == index:
                    party.at(self.cut_at[1], _go_dark)
                self._commit(index)
            except Killed:
                self.seats[index].ended()
                if self.dice.random() < 0.5:  # nor for its next life
                    self._others()
                    if self.disk.left is not None and self.dice.random() < 0.5:
                        raise PowerCut from None
                party.begin()

    def _commit(self, index: int) -> None:
        self.parties[index].turn.commit()
        self.sure[index] = self.parties[index].control.epoch

    def _others(self) -> None:
        for index in sorted({0, 1, 2} - self._busy):
            self.parties[index].spare()
            self._busy.add(index)
            self._work(index)
            self._commit(index)
            self._busy.remove(index)

    def _doze(self) -> None:
        """Have everybody wait for whatever comes, or nobody, so that some commits ring."""
        waits = self.dice.random() < 0.5
        for mapping in self.rig.mappings:
            words = mapping.words
            words[layout.WAKE_TAIL] = words[layout.TAIL] + 1 if waits else layout.NEVER
            words[layout.WAKE_HEAD] = words[layout.HEAD] + 1 if waits else layout.NEVER

    def _work(self, index: int) -> None:
        """Take and send; no life does what another one would have done, so nothing that is lost comes again."""
        party, count = self.parties[index], self.dice.randrange(1, 4)
        said = self._said(index)
        if index == 0:
            for _ in range(count):
                self._send(party, 0, self.dice.randrange(_SALT), said)
        elif index == 1:
            for _ in range(count):
                value = party.rx(0).try_peek()
                if value is not None and self._send(party, 1, value[0] * _SALT + self.dice.randrange(_SALT), said):
                    party.rx(0).take()
        else:
            said += [value[0] for value in party.rx(1).take_slice(count)]
        if said:
            self._ballast(party)

    def _said(self, index: int) -> list[int]:
        said: list[int] = self._state(self.parties[index])["said"]
        return said

    @staticmethod
    def _state(party: Party) -> dict[str, Any]:
        state: dict[str, Any] = party.state().acquire(lambda: {"said": [], "ballast": b""})
        return state

    def _send(self, party: Party, channel: int, number: int, said: list[int]) -> bool:
        value = (number, "x" * self.dice.randrange(200))
        if len(said) < MESSAGES and party.tx(channel).try_send(value) is SendOutcome.SENT:
            said.append(number)
            return True
        return False

    def _ballast(self, party: Party) -> None:
        if self.dice.random() < 0.2:
            self._state(party)["ballast"] = bytes(self.dice.randrange(12_000))  # snapshots come to need more room

    @property
    def is_done(self) -> bool:
        """Tell whether everything has arrived."""
        return len(self._said(2)) >= MESSAGES

    def finish(self) -> None:
        """Go on to the end, and compare what was taken with what was sent."""
        self.disk.left = self.cut_at = None
        for party in self.parties:
            party.spare()
        for _ in range(_TOO_LONG):
            if self.is_done:
                break
            self.turn(self.dice.randrange(3))
        sent, passed, got = map(self._said, range(3))
        assert got == passed
        assert [number // _SALT for number in passed] == sent
        assert len(got) == MESSAGES
