"""Actors without behaviors and without processes: the test stages, commits, kills and revives each by itself.

    rig = Rig()
    source, sink = rig.party("source"), rig.party("sink")
    numbers = rig.channel(source, sink, capacity=4)
    rig.start()
    source.tx(numbers).send(1)
    source.turn.commit()

Everything between the ends is real: memory, journal, recovery. Faked are time, sleep and the doorbells.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NoReturn

from steady_mp.actor import Actor
from steady_mp.channel.receiver import ObjectRx
from steady_mp.channel.ring import Ring
from steady_mp.channel.sender import ObjectTx
from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.parking import Wake
from steady_mp.recovery import recover
from steady_mp.state import StateBook, SteadyState
from steady_mp.testing import ManualClock
from steady_mp.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAGE = layout.PAGE
_MANY = 1000

#: Fault points whose kill undoes the turn, those behind which it holds, and those on the way to sleep and back.
UNDONE = ("commit:begin", "commit:records", "commit:snapshot", "commit:journal")
DONE = ("commit:epoch", "commit:publish", "commit:published", "commit:ring", "commit:done")
PARKED = ("park:armed", "park:sleep", "park:woke")
FAULT_POINTS = (*UNDONE, *DONE, *PARKED)


class Killed(BaseException):
    """A process died here. No Exception, so that nothing on its way up handles it."""


class Overslept(BaseException):
    """Somebody sleeps, and nobody is left to wake it."""


class Abandoned(BaseException):
    """An actor ended its own life to repeat what it had put off."""


class Bell:
    """A neighbour that counts its rings."""

    def __init__(self) -> None:
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1


class FakeParker:
    """Does what the test planned for each sleep, and keeps how each one was asked for."""

    def __init__(self) -> None:
        self.plans: deque[Callable[[], object]] = deque()
        self.sleeps: list[tuple[float | None, list[int]]] = []
        #: Set it to let the time of a sleep pass for which nothing is planned.
        self.clock: ManualClock | None = None

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> Wake:
        self.sleeps.append((seconds, list(fds)))
        assert len(self.sleeps) < _MANY, "it sleeps and sleeps, and never has what it waits for"
        if not self.plans:
            if self.clock is not None and seconds is not None:
                self.clock.advance(seconds)
                return Wake.TIMER
            raise Overslept
        woken = self.plans.popleft()()
        return woken if isinstance(woken, Wake) else Wake.RUNG


class Party:
    """One actor: its control block outlives its lives; turn, ends and book are those of the present one."""

    turn: Turn
    book: StateBook
    ends: dict[int, ObjectTx[Any] | ObjectRx[Any]]

    def __init__(self, rig: Rig, name: str, *, grouped: bool) -> None:
        self.name = name
        self.grouped = grouped
        self.bell = Bell()
        self.supervisor = Bell()
        self.parker = FakeParker()
        self.snapshots = SnapshotSlots(None)
        self.channels: list[tuple[int, Mapping, bool, Party]] = []
        self.control: ControlBlock
        self.generation = 0
        self.reached: list[str] = []
        self._rig = rig
        self._plan: tuple[str, int] | None = None
        self._acts: dict[str, Callable[[], object]] = {}

    # Lives

    def begin(self) -> None:
        """Recover and open fresh ends, as the process of a new life does. A planned kill strikes here as well."""
        if self.generation == 0:
            size = len(self.channels)
            self.control = ControlBlock(Mapping(None, layout.control_bytes(size)), size)
            self.control.format()
        self.generation += 1
        journal = recover(self.control, [(sends, m.words) for _, m, sends, _ in self.channels], self._reach)
        saved = None
        if journal.snapshot_length:
            saved = self.snapshots.read(journal.snapshot_slot, journal.snapshot_length, journal.snapshot_crc)
        self.book = StateBook(saved)
        self.turn = Turn(
            control=self.control,
            book=self.book,
            snapshots=self.snapshots,
            parker=self.parker,
            supervisor=self.supervisor,
            abandon=_abandon,
            clock=self._rig.clock,
            fault=self._reach,
            grouped=self.grouped,
        )
        self.ends = {}
        for (index, mapping, sends, peer), cursor in zip(self.channels, journal.cursors, strict=True):
            ring = Ring(mapping, f"channel {index}")
            end = ObjectTx[Any](ring, self.turn, cursor) if sends else ObjectRx[Any](ring, self.turn, cursor)
            self.turn.join(end, peer.bell)
            self.ends[index] = end

    def kill_at(self, point: str, hit: int = 1) -> None:
        """Plan a kill: when the fault point is reached for the `hit`-th time from now."""
        self._plan = (point, hit)

    def spare(self) -> None:
        """Forget the kill that was planned."""
        self._plan = None

    def at(self, point: str, act: Callable[[], object]) -> None:
        """Let something happen when the fault point is reached for the first time from now."""
        self._acts[point] = act

    def _reach(self, point: str) -> None:
        self.reached.append(point)
        if point in self._acts:
            self._acts.pop(point)()
        if self._plan is not None and self._plan[0] == point:
            self._plan = (point, self._plan[1] - 1)
            if self._plan[1] == 0:
                self._plan = None
                raise Killed

    # What a behavior would be handed

    def tx(self, channel: int) -> ObjectTx[Any]:
        end = self.ends[channel]
        assert isinstance(end, ObjectTx)
        return end

    def rx(self, channel: int) -> ObjectRx[Any]:
        end = self.ends[channel]
        assert isinstance(end, ObjectRx)
        return end

    def state(self, index: int = 0) -> SteadyState[Any]:
        return SteadyState(self.book, index)

    def actor(self) -> Actor:
        return Actor(
            name=self.name,
            generation=self.generation,
            turn=self.turn,
            control=self.control,
            run=self._rig.run,
            clock=self._rig.clock,
        )

    def word(self, index: int) -> int:
        """Read a word of the control block: a counter, for example."""
        return self.control.words[index]

    def send(self, channel: int, *values: object) -> None:
        """Send and commit."""
        for value in values:
            self.tx(channel).send(value)
        self.turn.commit()

    def take(self, channel: int, count: int = 1 << 20) -> list[Any]:
        """Take what is there, at most `count`, and commit."""
        values = self.rx(channel).take_slice(count)
        self.turn.commit()
        return values


def _abandon(reason: str) -> NoReturn:
    raise Abandoned(reason)


class Rig:
    """Parties, the channels between them, and one clock."""

    def __init__(self, *, start: float = 0.0) -> None:
        self.clock = ManualClock(start)
        self.parties: list[Party] = []
        self.mappings: list[Mapping] = []
        self._run = Mapping(None, PAGE)
        self.run = self._run.words
        self.run[layout.START_NS] = int(start * 1e9)

    def party(self, name: str, *, grouped: bool = False) -> Party:
        party = Party(self, name, grouped=grouped)
        self.parties.append(party)
        return party

    def channel(self, producer: Party, consumer: Party, *, capacity: int = 64, ring_bytes: int = PAGE) -> int:
        mapping = Mapping(None, layout.channel_bytes(ring_bytes))
        Ring.format(mapping, capacity)
        index = len(self.mappings)
        self.mappings.append(mapping)
        producer.channels.append((index, mapping, True, consumer))
        consumer.channels.append((index, mapping, False, producer))
        return index

    def start(self) -> None:
        for party in self.parties:
            party.begin()

    def request_shutdown(self) -> None:
        self.run[layout.SHUTDOWN] = 1

    def words(self, channel: int) -> memoryview:
        """Return the header of a channel."""
        return self.mappings[channel].words


def pair(*, capacity: int = 64, ring_bytes: int = PAGE, grouped: bool = False) -> tuple[Rig, Party, Party, int]:
    """Make a source and a sink with one channel between them, both begun."""
    rig = Rig()
    source, sink = rig.party("source", grouped=grouped), rig.party("sink", grouped=grouped)
    channel = rig.channel(source, sink, capacity=capacity, ring_bytes=ring_bytes)
    rig.start()
    return rig, source, sink, channel
