"""Commits that survive a loss of power, on a disk that keeps only what it must (`tests/support/powercut.py`)."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steady_mp.memory import disk, layout
from steady_mp.memory.durability import Durability
from steady_mp.memory.rundir import RunDir
from steady_mp.plan import actor_file
from steady_mp.supervisor.seat import Seat
from steady_mp.testing.points import DONE, UNDONE
from steady_mp.turn import Turn
from tests.mutants.mutants import Mutant
from tests.support.powercut import Machine, PowerCut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SEEDS = 9
_MANY = 400
#: Where actors are killed: most often where a commit holds that nobody has seen, and that the disk may not have.
_POINTS = [*UNDONE, *DONE, *6 * ["commit:epoch"]]
#: More than the steps of the disk in one commit.
_STEPS = 12


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder in memory, where there is one: the disk here is a model, and a real one takes its time."""
    memory = "/dev/shm"  # noqa: S108 - a folder of its own below it
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def live_through(place: Path, seed: int, prepare: Callable[[Machine], None]) -> bool:
    """Go some way, prepare a cut, go on until it comes, and then to the end; tell whether it came."""
    with Machine(place, seed) as machine:
        machine.start()
        for _ in range(machine.dice.randrange(1, 20)):
            machine.turn(machine.dice.randrange(3))
        prepare(machine)
        try:
            while not machine.is_done:
                machine.turn(machine.dice.randrange(3))
        except PowerCut:
            machine.power_cut()
        machine.finish()
        return machine.cuts == 1


@pytest.mark.parametrize("point", [*UNDONE, *DONE])
def test_a_cut_at_each_point_of_a_commit(place: Path, point: str) -> None:
    """Of each actor's."""

    def prepare(machine: Machine) -> None:
        machine.cut_at = (machine.dice.randrange(3), point)

    came = [live_through(place / str(seed), seed, prepare) for seed in range(_SEEDS)]
    assert sum(came) > _SEEDS // 2  # an actor may have had nothing left to do


def test_a_cut_at_each_step_of_the_disk(place: Path) -> None:
    """Before and behind each thing that is put on it: records, snapshot, a new name, the journal, the epoch."""
    for seed in range(4 * _STEPS):

        def prepare(machine: Machine, left: int = seed % _STEPS) -> None:
            machine.disk.left = left

        assert live_through(place / str(seed), seed, prepare)


def anything(place: Path, seed: int) -> None:
    """Kill actors and cut the power, again and again."""
    dice = random.Random(seed)
    with Machine(place, seed) as machine:
        machine.start()
        while machine.cuts < 3 and not machine.is_done:
            if dice.random() < 0.3:
                machine.parties[dice.randrange(3)].kill_at(dice.choice(_POINTS))
            if dice.random() < 0.2 and machine.disk.left is None:
                machine.disk.left = dice.randrange(40)
            try:
                machine.turn(dice.randrange(3))
            except PowerCut:
                machine.power_cut()
        machine.finish()


def test_kills_and_cuts_at_any_time(place: Path) -> None:
    for seed in range(40):
        anything(place / str(seed), seed)


def test_a_cut_while_the_run_is_made(place: Path) -> None:
    """It has begun when all that it needs is on the disk, and not before."""
    cuts = []
    for left in range(45):
        with Machine(place / str(left), left) as machine:
            machine.start(left=left)
            machine.finish()
            cuts.append(machine.cuts)
    assert cuts == sorted(cuts, reverse=True)
    assert 20 < sum(cuts) < len(cuts)


class Words:
    """A control block's words that tell of each store."""

    def __init__(self, words: memoryview, told: list[str]) -> None:
        self._words = words
        self._told = told

    def __getitem__(self, index: int) -> int:
        return self._words[index]

    def __setitem__(self, index: int, value: int) -> None:
        self._told.append(f"word {index}")
        self._words[index] = value


def test_an_epoch_that_the_disk_refused_is_written_anew(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The life that asked has died of the answer, and the kernel gives it once about a page that stays as it is."""
    with Machine(place, 1) as machine:
        machine.start()
        seat, told = machine.seats[0], list[str]()
        monkeypatch.setattr(seat.control, "words", Words(seat.control.words, told))
        monkeypatch.setattr(disk, "settle", lambda path: told.append(path.name))
        seat.seal()
        assert told == [f"word {layout.EPOCH}", actor_file(0, "control")]


WRITE = """\
    if self._sync is not None:
        self._sync.write([end.freeze() for end in self._ends], None if snapshot is None else kept[0])
"""
SEAL = """\
    if self._sync is not None:
        self._sync.seal()
"""
PUBLISH = """\
    try:
        self._publish(moved)
"""

MUTANTS = [
    Mutant("the epoch is not sealed", Turn, "commit", SEAL + PUBLISH, PUBLISH),
    Mutant(
        "it is published before it is sealed",
        Turn,
        "commit",
        SEAL + PUBLISH,
        "    self._publish(moved)\n" + SEAL + "    try:\n        pass\n",
    ),
    Mutant("all is written with the epoch, in any order", Turn, "commit", WRITE, ""),
    Mutant(
        "the control block is not written before the epoch",
        Durability,
        "write",
        "            self._write_snapshot(slot)\n        disk.flush(self._control)\n",
        "            self._write_snapshot(slot)\n",
    ),
    Mutant(
        "snapshots are not written",
        Durability,
        "write",
        "            self._write_snapshot(slot)\n",
        "            pass\n",
    ),
    Mutant(
        "records are not written", Durability, "write", "fd is not None and cursor != last", "fd is not None and False"
    ),
    Mutant(
        "the name of a snapshot is not settled",
        Durability,
        "_write_snapshot",
        "        disk.settle(self._paths[slot].parent)\n",
        "",
    ),
    Mutant(
        "a run has begun before its files are settled",
        RunDir,
        "begin",
        "                disk.settle_folder(self.path)\n",
        "                pass\n",
    ),
    Mutant(
        "a life that died before its seal is mended without one",
        Seat,
        "ended",
        "    self.seal()\n",
        "",
    ),
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.title)
def test_the_disk_finds_what_is_left_out(place: Path, mutant: Mutant) -> None:
    with mutant.alive():
        for seed in range(_MANY):
            try:
                anything(place / str(seed), seed)
            except Exception:  # noqa: BLE001 - a loss is a wrong result, an unreadable state, a corrupt channel
                return
    pytest.fail(f"{mutant.title}: nothing was lost in {_MANY} runs")
