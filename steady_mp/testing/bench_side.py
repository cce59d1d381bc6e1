"""The two sides of a bench: the actor in its lives, and the test at the other ends of its channels."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

from steady_mp.channel.kinds import format_channel, map_channel, open_store
from steady_mp.errors import ConfigurationError, SteadyError
from steady_mp.graph import RING
from steady_mp.life import Life, Place
from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.parking import Wake, is_readable
from steady_mp.plan import ActorPlan, ChannelPlan, EndPlan, Plan
from steady_mp.recovery import recover
from steady_mp.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.channel.endpoints import Rx, Tx
    from steady_mp.channel.kinds import Shape
    from steady_mp.memory.control import Journal
    from steady_mp.parking import Parker
    from steady_mp.testing.clock import ManualClock

ACTOR, TEST = 0, 1

#: Seconds by which a wait may end late: a deadline becomes a duration and a deadline again on its way here.
_ROUNDING: Final = 1e-9


class Unwound(BaseException):
    """Ends a life inside the behavior; not an error, so that `except Exception` lets it pass."""


class Span:
    """How long a life goes on. What its behavior does once it is over, as `finally` and `except` let it, is in vain."""

    def __init__(self, turns: int | None = None, until: Callable[[], object] | None = None) -> None:
        """End it behind `turns` turns, or behind the first one after which `until` holds; None: never."""
        #: The life has ended, though its behavior may not have come to its own end.
        self.over = False
        #: What `until` asks for has come to hold.
        self.held = False
        self._left = turns
        self._until = until

    def end(self) -> NoReturn:
        """End the life, wherever its behavior stands."""
        self.over = True
        raise Unwound

    def check(self) -> None:
        """Raise Unwound where the life is over."""
        if self.over:
            raise Unwound

    def end_turn(self) -> None:
        """End the life as well if this turn was to be its last one."""
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                self.end()
        if self._until is not None and self._until():
            self.held = True
            self.end()


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

    def __init__(self, span: Span, clock: ManualClock, until: float) -> None:
        """Let time pass up to `until`."""
        self._span = span
        self._clock = clock
        self._until = until

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> Wake:
        """See `Parker.sleep`."""
        self._span.check()
        if any(is_readable(fd) for fd in fds):
            return Wake.RUNG
        if seconds is None or self._clock() + seconds > self._until + _ROUNDING:
            self._span.end()
        self._clock.advance(seconds)
        return Wake.TIMER


class BenchTurn(Turn):
    """A turn that can be the last one of a `run`, and commits nothing behind the end of its life."""

    def __init__(self, span: Span, **parts: Any) -> None:  # noqa: ANN401 - those of Turn
        """Belong to a life that goes on for `span`."""
        super().__init__(**parts)
        self._span = span

    def end(self) -> None:
        """End the turn; unwind behind the last one that was asked for."""
        super().end()
        self._span.end_turn()

    def commit(self) -> None:
        """See `Turn.commit`."""
        self._span.check()
        super().commit()


class Channels:
    """The channels of a bench: their memory, and who is at which end."""

    def __init__(self, actor: str) -> None:
        """Begin with none."""
        self.mappings: list[Mapping] = []
        self.plans: list[ChannelPlan] = []
        self._actor = actor

    def add(self, name: str | None, capacity: int, ring_bytes: int | None, shape: Shape, *, actor_sends: bool) -> int:
        """Make a channel and return its index."""
        size = shape.ring_bytes(capacity, ring_bytes, least=RING)
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
        mapping = map_channel(plan, size=layout.channel_bytes(size))
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
        span: Span | None = None,
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
            turn=functools.partial(BenchTurn, span or Span()),
            grouped=False,
        )
        return Life(place, generation)

    def recover(self) -> Journal | None:
        """Show the other side what the last commit fixed, as the supervisor does behind a death; None before any."""
        if self.control is None:
            return None
        plan = self._channels.plan()
        ends = [(end.sends, plan.channels[end.channel], end.channel) for end in plan.actors[self._index].ends]
        return recover(
            self.control,
            [(sends, open_store(self._channels.mappings[index], channel).words) for sends, channel, index in ends],
        )


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
        """Begin where the last commit stands: all channels are declared."""
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
