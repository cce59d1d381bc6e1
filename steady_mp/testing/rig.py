"""The rig: actors without behaviors and without processes. The test stages, commits, kills and revives each itself.

    rig = Rig()
    source, sink = rig.party("source"), rig.party("sink")
    numbers = rig.channel(source, sink, capacity=4)
    rig.start()
    source.tx(numbers).send(1)
    source.turn.commit()

For tests of channels and of the runtime; for a test of a behavior there is `Bench`. Everything between the
ends is real: memory, journal, recovery, turns. Faked are time, sleep and the doorbells.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NoReturn, cast

from steady_mp.channel.kinds import format_channel, open_store, shape_of
from steady_mp.life import Life, Place
from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.parking import Wake
from steady_mp.plan import ActorPlan, ChannelPlan, EndPlan, Plan
from steady_mp.state import SteadyState
from steady_mp.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.actor import Actor
    from steady_mp.cadence import CommitEvery
    from steady_mp.channel.receiver import ObjectRx
    from steady_mp.channel.sender import ObjectTx
    from steady_mp.memory.durability import Durability
    from steady_mp.state import StateBook
    from steady_mp.turn import Turn

#: Sleeps, and fault points, of one actor in one test that nobody needs who does not go round in circles.
_MANY = 1000
_TOO_MANY = 200_000


class Killed(BaseException):
    """A process died here. No Exception, so that nothing on its way up handles it."""


class Overslept(BaseException):
    """Somebody sleeps, and nobody is left to wake it."""


class Abandoned(BaseException):
    """An actor ended its own life to repeat what it had put off."""


class CountingBell:
    """A neighbour that counts its rings."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.rings = 0

    def ring(self) -> None:
        """Count one more."""
        self.rings += 1


class PlannedParker:
    """Does what the test planned for each sleep, and keeps how each one was asked for."""

    def __init__(self) -> None:
        """Begin without plans: a sleep that nothing is planned for raises Overslept."""
        #: What happens during the next sleeps: a call each, which may return how that sleep ended.
        self.plans: deque[Callable[[], object]] = deque()
        #: The seconds and descriptors that each sleep was asked for.
        self.sleeps: list[tuple[float | None, list[int]]] = []
        #: Set it to let the time of a sleep pass for which nothing is planned.
        self.clock: ManualClock | None = None

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> Wake:
        """See `Parker.sleep`."""
        self.sleeps.append((seconds, list(fds)))
        if len(self.sleeps) >= _MANY:
            message = "it sleeps and sleeps, and never has what it waits for"
            raise AssertionError(message)
        if not self.plans:
            if self.clock is not None and seconds is not None:
                self.clock.advance(seconds)
                return Wake.TIMER
            raise Overslept
        woken = self.plans.popleft()()
        return woken if isinstance(woken, Wake) else Wake.RUNG


class Party:
    """One actor: its control block outlives its lives; turn, ends and book are those of the present one."""

    control: ControlBlock
    life: Life

    def __init__(self, rig: Rig, index: int, name: str, *, grouped: bool, commit_every: CommitEvery | None) -> None:
        """Belong to `rig`; `Rig.party` makes it."""
        self.commit_every = commit_every
        self.name = name
        self.grouped = grouped
        self.bell = CountingBell()
        self.supervisor = CountingBell()
        self.parker = PlannedParker()
        self.snapshots = SnapshotSlots(None)
        #: Gives each life what makes its commits survive a loss of power; None for nothing.
        self.sync: Callable[[], Durability] | None = None
        #: Its ends in the order of its journal: channel, memory, and whether it sends there.
        self.channels: list[tuple[int, Mapping, bool]] = []
        self.generation = 0
        #: Each fault point that was reached, in order, in all lives.
        self.reached: list[str] = []
        self._rig = rig
        self._index = index
        self._plan: tuple[str, int] | None = None
        self._acts: dict[str, Callable[[], object]] = {}
        self._ends: dict[tuple[int, bool], ObjectTx[Any] | ObjectRx[Any]] = {}

    # Lives

    def begin(self) -> None:
        """Recover and open fresh ends, as the process of a new life does. A planned kill strikes here as well."""
        plan, size = self._rig.plan(), len(self.channels)
        if self.generation == 0:
            self.control = ControlBlock(Mapping(None, layout.control_bytes(size)), size)
            self.control.format()
        self.generation += 1
        place = Place(
            plan=plan,
            index=self._index,
            stores=[open_store(mapping, plan.channels[index]) for index, mapping, _ in self.channels],
            control=self.control,
            snapshots=self.snapshots,
            run=self._rig.run,
            parker=self.parker,
            supervisor=self.supervisor,
            neighbour=lambda index: self._rig.parties[index].bell,
            abandon=_abandon,
            clock=self._rig.clock,
            fault=self._reach,
            grouped=self.grouped,
            sync=self.sync and self.sync(),
        )
        self.life = Life(place, self.generation)
        self._ends = {(index, sends): end for (index, _, sends), end in zip(self.channels, self.life.ends, strict=True)}

    def kill_at(self, point: str, hit: int = 1) -> None:
        """Plan a kill: Killed is raised when the fault point is reached for the `hit`-th time from now."""
        self._plan = (point, hit)

    def spare(self) -> None:
        """Forget the kill that was planned."""
        self._plan = None

    def at(self, point: str, act: Callable[[], object]) -> None:
        """Let something happen when the fault point is reached for the first time from now."""
        self._acts[point] = act

    def _reach(self, point: str) -> None:
        self.reached.append(point)
        if len(self.reached) > _TOO_MANY:
            message = f"{self.name} goes round and round without a sleep: {', '.join(self.reached[-9:])}"
            raise AssertionError(message)
        if point in self._acts:
            self._acts.pop(point)()
        if self._plan is not None and self._plan[0] == point:
            self._plan = (point, self._plan[1] - 1)
            if self._plan[1] == 0:
                self._plan = None
                raise Killed

    def finish(self) -> None:
        """Do what follows the return of a behavior: close all ends and commit for the last time."""
        self.life.live(lambda _: None, ())

    # What a behavior would be handed

    @property
    def turn(self) -> Turn:
        """The turns of the present life."""
        return self.life.turn

    @property
    def book(self) -> StateBook:
        """The states of the present life."""
        return self.life.book

    def tx(self, channel: int) -> ObjectTx[Any]:
        """Return the sending end of a channel in the present life."""
        return cast("ObjectTx[Any]", self._ends[channel, True])

    def rx(self, channel: int) -> ObjectRx[Any]:
        """Return the receiving end of a channel in the present life."""
        return cast("ObjectRx[Any]", self._ends[channel, False])

    def state(self, index: int = 0) -> SteadyState[Any]:
        """Return a state in the present life."""
        return SteadyState(self.book, index)

    def actor(self) -> Actor:
        """Return what a behavior would be handed."""
        return self.life.actor()

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
        """Begin with nobody; `clock` stands at `start`."""
        self.clock = ManualClock(start)
        self.parties: list[Party] = []
        self.mappings: list[Mapping] = []
        self._channels: list[ChannelPlan] = []
        self._run = Mapping(None, layout.PAGE)
        self.run = self._run.words
        self.run[layout.START_NS] = int(start * 1e9)

    def party(self, name: str, *, grouped: bool = False, commit_every: CommitEvery | None = None) -> Party:
        """Make an actor. Unless it is `grouped`, each of its turns commits alone."""
        party = Party(self, len(self.parties), name, grouped=grouped, commit_every=commit_every)
        self.parties.append(party)
        return party

    def channel(
        self,
        producer: Party,
        consumer: Party,
        *,
        capacity: int = 64,
        ring_bytes: int | None = None,
        dtype: object = None,
    ) -> int:
        """Make a channel and return its index. Declare all before `start`; `dtype` is as for `Graph.channel`."""
        index = len(self.mappings)
        shape = shape_of(dtype)
        size = shape.ring_bytes(capacity, ring_bytes, least=layout.PAGE)
        plan = ChannelPlan(
            name=f"channel {index}",
            capacity=capacity,
            ring_bytes=size,
            producer=self.parties.index(producer),
            consumer=self.parties.index(consumer),
            shape=shape,
        )
        mapping = Mapping(None, layout.channel_bytes(size))
        format_channel(mapping, plan)
        self.mappings.append(mapping)
        producer.channels.append((index, mapping, True))
        consumer.channels.append((index, mapping, False))
        self._channels.append(plan)
        return index

    def plan(self) -> Plan:
        """Return who is at which end."""
        actors = [
            ActorPlan(
                name=party.name,
                behavior="",
                ends=tuple(EndPlan(channel=index, sends=sends) for index, _, sends in party.channels),
                commit_every=party.commit_every,
            )
            for party in self.parties
        ]
        return Plan(graph="rig", actors=tuple(actors), channels=tuple(self._channels), log_level=0, path=(), modules=())

    def start(self) -> None:
        """Begin everybody's first life."""
        for party in self.parties:
            party.begin()

    def request_shutdown(self) -> None:
        """Request a shutdown, as the supervisor would; rings nobody."""
        self.run[layout.SHUTDOWN] = 1

    def words(self, channel: int) -> memoryview:
        """Return the header of a channel."""
        return self.mappings[channel].words


def pair(*, capacity: int = 64, ring_bytes: int = layout.PAGE, grouped: bool = False) -> tuple[Rig, Party, Party, int]:
    """Make a source and a sink with one channel between them, both begun."""
    rig = Rig()
    source, sink = rig.party("source", grouped=grouped), rig.party("sink", grouped=grouped)
    channel = rig.channel(source, sink, capacity=capacity, ring_bytes=ring_bytes)
    rig.start()
    return rig, source, sink, channel
