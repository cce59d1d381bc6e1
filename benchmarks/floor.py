"""Floor: the least that two Python processes can do for a round trip that keeps our promise; it is no peer.

No library, no bound, no restart: two bare processes map one file, and either side commits once a trip, with what
a commit can't do without. That is the message, beyond the tail; a state of two numbers, pickled, in the snapshot
slot that is not in force; its length, its checksum and the cursors in the journal slot that is not in force; the
epoch, in one store; then the tail, and a fence. Who waits sleeps in `poll` at a FIFO, which the other side rings
each time, or looks for the tail again and again and gives way now and then.

One fence is enough where stores stay in order (x86-64).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import select
import struct
import tempfile
import threading
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from benchmarks.fifo import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WORD: Final = 8
_SLOT: Final = 64
_CAPACITY: Final = 64
#: What each side has, in bytes from where its own begins: words and slots on cache lines of their own, and a ring.
_TAIL, _EPOCH, _JOURNAL, _SNAPSHOT, _RING = 0, _SLOT, 2 * _SLOT, 4 * _SLOT, 6 * _SLOT
_SIZE: Final = _RING + _CAPACITY * _WORD
#: Messages taken and sent, and the length and the checksum of the snapshot.
_ENTRY: Final = struct.Struct("<4Q")
#: Looks between two times of giving way.
_LOOKS: Final = 4
_PLAY, _ECHO = 0, 1

#: Returns message so-and-so, once it is there.
_Wait: TypeAlias = "Callable[[int], int]"
#: Commits so many messages taken, so many sent, and the last of these.
_Commit: TypeAlias = "Callable[[int, int, int], None]"


@dataclass(frozen=True, slots=True)
class Floor:
    """Two bare processes and what they share: the files of a folder."""

    folder: str
    spins: bool

    def echo(self, trips: int) -> None:
        """Send back what comes."""
        with self._side(_ECHO) as (wait, commit):
            for number in range(1, trips + 1):
                commit(number, number, wait(number))

    def play(self, trips: int, pause: float) -> list[int]:
        """Send numbers, each when the one before has come back; return the nanoseconds of each trip."""
        nanoseconds = []
        with self._side(_PLAY) as (wait, commit):
            for number in range(1, trips + 1):
                if pause:
                    time.sleep(pause)
                begin = time.perf_counter_ns()
                commit(number - 1, number, number)
                answer = wait(number)
                nanoseconds.append(time.perf_counter_ns() - begin)
                if answer != number:
                    message = f"ping {number} was answered by {answer!r}"
                    raise ValueError(message)
        return nanoseconds

    def recovered(self, side: int) -> tuple[int, int, tuple[int, int]]:
        """Return what the next life of a side would begin with: messages taken, messages sent, and the state."""
        memory = self._memory()
        slot = memoryview(memory).cast("Q")[(side * _SIZE + _EPOCH) // _WORD] & 1
        taken, sent, length, checksum = _ENTRY.unpack_from(memory, side * _SIZE + _JOURNAL + slot * _SLOT)
        begin = side * _SIZE + _SNAPSHOT + slot * _SLOT
        snapshot = memory[begin : begin + length]
        if zlib.crc32(snapshot) != checksum:
            message = f"the snapshot of side {side} is torn"
            raise ValueError(message)
        return taken, sent, pickle.loads(snapshot)  # noqa: S301 - our own

    def bell(self, side: int) -> Path:
        """Return the FIFO at which a side sleeps."""
        return Path(self.folder) / str(side)

    def _memory(self) -> mmap.mmap:
        with (Path(self.folder) / "memory").open("r+b") as file:
            return mmap.mmap(file.fileno(), 2 * _SIZE)

    @contextlib.contextmanager
    def _side(self, side: int) -> Iterator[tuple[_Wait, _Commit]]:
        """Give how a side waits for a message, and how it commits a turn that has sent one."""
        memory = self._memory()
        mine, theirs = side * _SIZE, (1 - side) * _SIZE
        if self.spins:
            yield _looks(memory, theirs), _commits(memory, mine, None)
            return
        with opened(self.bell(side)) as own, opened(self.bell(1 - side)) as peers:
            yield _sleeps(memory, theirs, own), _commits(memory, mine, peers)


def _sleeps(memory: mmap.mmap, theirs: int, own: int) -> _Wait:
    words = memoryview(memory).cast("Q")
    tail, ring = (theirs + _TAIL) // _WORD, (theirs + _RING) // _WORD
    waiting = select.poll()
    waiting.register(own, select.POLLIN)
    poll, read = waiting.poll, os.read

    def wait(number: int) -> int:
        while words[tail] < number:
            poll()
            read(own, _SLOT)
        return words[ring + number % _CAPACITY]

    return wait


def _looks(memory: mmap.mmap, theirs: int) -> _Wait:
    words = memoryview(memory).cast("Q")
    tail, ring = (theirs + _TAIL) // _WORD, (theirs + _RING) // _WORD
    give_way: Callable[[], None] = getattr(os, "sched_yield", lambda: None)

    def wait(number: int) -> int:
        while True:
            for _ in range(_LOOKS):
                if words[tail] >= number:
                    return words[ring + number % _CAPACITY]
            give_way()

    return wait


def _commits(memory: mmap.mmap, mine: int, peers: int | None) -> _Commit:
    words = memoryview(memory).cast("Q")
    tail, epoch, ring = ((mine + place) // _WORD for place in (_TAIL, _EPOCH, _RING))
    journal, snapshot = mine + _JOURNAL, mine + _SNAPSHOT
    barrier = threading.Lock()
    barrier.acquire()
    release, acquire = barrier.release, barrier.acquire
    dumps, crc32, pack_into, write = pickle.dumps, zlib.crc32, _ENTRY.pack_into, os.write

    def commit(taken: int, sent: int, value: int) -> None:
        words[ring + sent % _CAPACITY] = value
        state = dumps((sent, value), 5)
        slot = (sent & 1) * _SLOT
        begin = snapshot + slot
        memory[begin : begin + len(state)] = state
        pack_into(memory, journal + slot, taken, sent, len(state), crc32(state))
        words[epoch] = sent
        words[tail] = sent
        release()
        acquire()
        if peers is not None:
            write(peers, b"\0")

    return commit


@contextlib.contextmanager
def floor(*, spins: bool) -> Iterator[Floor]:
    """Make the files, where those of a run would be."""
    shared = Path("/dev/shm")  # noqa: S108 - as a run does
    place = shared if shared.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="steady-mp-bench-", dir=place) as folder:
        (Path(folder) / "memory").write_bytes(bytes(2 * _SIZE))
        made = Floor(folder, spins)
        with contextlib.ExitStack() as kept:
            for side in (_PLAY, _ECHO):
                os.mkfifo(made.bell(side), 0o600)
                kept.enter_context(opened(made.bell(side)))
            yield made
