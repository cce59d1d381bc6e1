"""The two sides of a bench: the actor in its lives, and the test at the other ends of its channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from steady_mp.channel.kinds import format_channel, open_store, shape_of
from steady_mp.errors import ConfigurationError, SteadyError
from steady_mp.life import Life, Place
from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.parking import Wake, is_readable
from steady_mp.plan import ActorPlan, ChannelPlan, EndPlan, Plan
from steady_mp.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.channel.endpoints import Rx, Tx
    from steady_mp.parking import Parker
    from steady_mp.testing.clock import ManualClock

ACTOR, TEST = 0, 1

_RING = 1 << 16


class Unwound(BaseException):
    """Ends a life inside the behavior; not an error, so that `except Exception` lets it pass."""


class _Bell:
    """A neighbour on the bench: it is looked after anyway."""

    def __init__(self, rung: Callable[[], None] = lambda: None) -> None:
        self.ring = rung


class NeverSleeps:
    """Parker of whoever never waits."""

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> Wake:
        """Refuse."""
        message = f"the bench would wait ({seconds=}, {fds=})"
        raise SteadyError(message)


class BenchParker:
    """Parker of the actor on the bench: time passes as far as it may, or the life ends."""

    def __init__(self, clock: ManualClock, until: float) -> None:
        """Let time pass up to `until`."""
        self._clock = clock
        self._until = until

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> Wake:
        """See `Parker.sleep`."""
        if any(is_readable(fd) for fd in fds):
            return Wake.RUNG
        if seconds is None or self._clock() + seconds > self._until:
            raise Unwound
        self._clock.advance(seconds)
        return Wake.TIMER


class BenchTurn(Turn):
    """A turn that can be the last one of a `run`."""

    #: Asked at each turn's end: whether to go no further.
    enough: Callable[[], bool] = staticmethod(lambda: False)

    def end(self) -> None:
        """End the turn; unwind behind the last one that was asked for."""
        super().end()
        if self.enough():
            raise Unwound


class Channels:
    """The channels of a bench: their memory, and who is at which end."""

    def __init__(self, actor: str) -> None:
        """Begin with none."""
        self.mappings: list[Mapping] = []
        self.plans: list[ChannelPlan] = []
        self._actor = actor

    def add(self, name: str | None, capacity: int, ring_bytes: int | None, dtype: object, *, actor_sends: bool) -> int:
        """Make a channel and return its index."""
        shape = shape_of(dtype)
        size = shape.ring_bytes(capacity, ring_bytes, least=_RING)
        mapping = Mapping(None, layout.channel_bytes(size))
        index = len(self.plans)
        producer, consumer = (ACTOR, TEST) if actor_sends else (TEST, ACTOR)
        plan = ChannelPlan(
            name=name or f"channel {index}",
            capacity=capacity,
            ring_bytes=size,
            producer=producer,
            consumer=consumer,
            shape=shape,
        )
        format_channel(mapping, plan)
        self.mappings.append(mapping)
        self.plans.append(plan)
        return index

    def plan(self) -> Plan:
        """Say who is at which end: the actor, or the test."""
        actors = [
            ActorPlan(
                name=name,
                behavior="",
                ends=tuple(
                    EndPlan(channel=index, sends=plan.producer == side) for index, plan in enumerate(self.plans)
                ),
            )
            for side, name in ((ACTOR, self._actor), (TEST, "the test"))
        ]
        return Plan(graph="bench", actors=tuple(actors), channels=tuple(self.plans), log_level=0, path=(), modules=())


class Side:
    """One side of the bench: the actor, or the test. Its control block outlives its lives."""

    def __init__(self, index: int, channels: Channels, clock: ManualClock, run: memoryview) -> None:
        """Stand at one end of each of `channels`."""
        self.control: ControlBlock | None = None
        self.snapshots = SnapshotSlots(None)
        self._index = index
        self._channels = channels
        self._clock = clock
        self._run = run

    def begin(
        self,
        parker: Parker,
        *,
        generation: int = 1,
        requested: Callable[[], None] = lambda: None,
        fault: Callable[[str], None] | None = None,
    ) -> Life:
        """Begin a fresh life: recover, and open the ends."""
        if fault is not None:
            fault("start:begin")
        plan = self._channels.plan()
        ends = plan.actors[self._index].ends
        if self.control is None:
            self.control = ControlBlock(Mapping(None, layout.control_bytes(len(ends))), len(ends))
            self.control.format()
        place = Place(
            plan=plan,
            index=self._index,
            stores=[open_store(self._channels.mappings[end.channel], plan.channels[end.channel]) for end in ends],
            control=self.control,
            snapshots=self.snapshots,
            run=self._run,
            parker=parker,
            supervisor=_Bell(requested),
            neighbour=lambda _: _Bell(),
            abandon=_refuse_to_abandon,
            clock=self._clock,
            fault=fault,
            turn=BenchTurn,
            grouped=False,
        )
        return Life(place, generation)


def _refuse_to_abandon(reason: str) -> NoReturn:
    raise SteadyError(reason)


class TestSide(Side):
    """The test at the other ends: one life, which begins when the actor is put on the bench."""

    __test__ = False  # no test class, whatever pytest makes of its name

    def __init__(self, channels: Channels, clock: ManualClock, run: memoryview) -> None:
        """Wait for the actor."""
        super().__init__(TEST, channels, clock, run)
        self._life: Life | None = None

    def open(self) -> None:
        """Begin: all channels are declared."""
        self._life = self.begin(NeverSleeps())

    def tx(self, index: int) -> Tx[Any]:
        """Return the sending end of a channel to the actor."""
        return cast("Tx[Any]", self._living().ends[index])

    def rx(self, index: int) -> Rx[Any]:
        """Return the receiving end of a channel from the actor."""
        return cast("Rx[Any]", self._living().ends[index])

    def commit(self) -> None:
        """Commit what the test has sent and taken."""
        self._living().turn.commit()

    def _living(self) -> Life:
        if self._life is None:
            message = "put an actor on the bench first: bench.actor(behavior, …)"
            raise ConfigurationError(message)
        return self._life
