"""The bench: one actor, no process, no thread.

    bench = Bench()
    beats, numbers, results = bench.input(), bench.input(), bench.output()
    state = bench.state()
    bench.actor(worker.run, beats.end, numbers.end, results.end, state)
    numbers.send_all(range(3))
    beats.send_all([0])
    bench.run()
    assert results.take_all() == [FizzBuzz, Value(1), Value(2)]

The behavior runs in the calling thread on real memory with the real turn and journal. Where it would
sleep for ever, the bench ends that life, as a kill at this commit point would: the next `run` begins a
fresh life from the last commit. A behavior that keeps what it must not lose in its state does not notice.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast

from steady_mp.channel.ring import Ring
from steady_mp.errors import ConfigurationError, SteadyError
from steady_mp.life import Life, Place
from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.packing import Declared, pack, unpack
from steady_mp.parking import Wake, is_readable
from steady_mp.plan import ActorPlan, ChannelPlan, EndPlan, Plan
from steady_mp.state import SteadyState, decode
from steady_mp.testing.clock import ManualClock
from steady_mp.testing.points import FAULT_POINTS
from steady_mp.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from steady_mp.channel.endpoints import Rx, Tx
    from steady_mp.channel.receiver import ObjectRx
    from steady_mp.channel.sender import ObjectTx
    from steady_mp.parking import Parker

T = TypeVar("T")

_RING = 1 << 16
_ACTOR, _TEST = 0, 1


class _Unwound(BaseException):
    """Ends a life inside the behavior; not an error, so that `except Exception` lets it pass."""


class _Bell:
    """A neighbour on the bench: it is looked after anyway."""

    def __init__(self, rung: Callable[[], None] = lambda: None) -> None:
        self.ring = rung


class _NeverSleeps:
    """Parker of the bench's own ends, which never wait."""

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> Wake:
        """Refuse."""
        message = f"the bench would wait ({seconds=}, {fds=})"
        raise SteadyError(message)


class _Parker:
    """Parker of the actor on the bench: time passes as far as it may, or the life ends."""

    def __init__(self, clock: ManualClock) -> None:
        self.until = 0.0
        self._clock = clock

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> Wake:
        """See `Parker.sleep`."""
        if any(is_readable(fd) for fd in fds):
            return Wake.RUNG
        if seconds is None or self._clock() + seconds > self.until:
            raise _Unwound
        self._clock.advance(seconds)
        return Wake.TIMER


class _BenchTurn(Turn):
    """A turn that can be the last one of a `run`."""

    remaining: int | None = None

    def end(self) -> None:
        """End the turn; unwind behind the last one that was asked for."""
        super().end()
        if self.remaining is not None:
            self.remaining -= 1
            if self.remaining < 0:
                raise _Unwound


class _Side:
    """One side of the bench: the actor, or the test. Its control block outlives its lives."""

    def __init__(self, index: int, clock: ManualClock, run: memoryview) -> None:
        self.control: ControlBlock | None = None
        self.snapshots = SnapshotSlots(None)
        self._index = index
        self._clock = clock
        self._run = run

    def begin(  # noqa: PLR0913 - what differs between the two sides
        self,
        plan: Plan,
        mappings: Sequence[Mapping],
        parker: Parker,
        *,
        generation: int = 1,
        requested: Callable[[], None] = lambda: None,
        fault: Callable[[str], None] | None = None,
    ) -> Life:
        """Begin a fresh life: recover, and open the ends."""
        if fault is not None:
            fault("start:begin")
        ends = plan.actors[self._index].ends
        if self.control is None:
            self.control = ControlBlock(Mapping(None, layout.control_bytes(len(ends))), len(ends))
            self.control.format()
        place = Place(
            plan=plan,
            index=self._index,
            rings=[Ring(mappings[end.channel], plan.channels[end.channel].name) for end in ends],
            control=self.control,
            snapshots=self.snapshots,
            run=self._run,
            parker=parker,
            supervisor=_Bell(requested),
            neighbour=lambda _: _Bell(),
            abandon=_refuse_to_abandon,
            clock=self._clock,
            fault=fault,
            turn=_BenchTurn,
            grouped=False,
        )
        return Life(place, generation)


def _refuse_to_abandon(reason: str) -> NoReturn:
    raise SteadyError(reason)


class BenchInput(Generic[T]):
    """What the test feeds the actor through one channel. Hand `end` to the behavior."""

    def __init__(self, bench: Bench, index: int, end: Rx[T]) -> None:
        """Belong to `bench`; `Bench.input` makes it."""
        #: The receiving end, as the actor's argument.
        self.end = end
        self._bench = bench
        self._index = index

    def send_all(self, values: Iterable[T], *, close: bool = False) -> None:
        """Send all of `values`, and close the channel behind them if asked to.

        Raises SteadyError when the channel's capacity is too small for them.
        """
        tx = cast("Tx[T]", self._bench._test_end(self._index))  # noqa: SLF001 - one thing in two classes
        batch = list(values)
        if len(batch) > tx.vacant():
            message = (
                f"{len(batch)} messages for room for {tx.vacant()}: give the input a larger capacity, or run between"
            )
            raise SteadyError(message)
        for value in batch:
            tx.send(value)
        if close:
            tx.mark_closed()
        self._bench._commit_test()  # noqa: SLF001

    def close(self) -> None:
        """Close the channel: no message will come any more."""
        self.send_all((), close=True)

    def left(self) -> int:
        """Messages that the actor has not taken yet, as committed."""
        tx = cast("Tx[T]", self._bench._test_end(self._index))  # noqa: SLF001
        return tx.capacity - tx.vacant()


class BenchOutput(Generic[T]):
    """What the actor sends the test through one channel. Hand `end` to the behavior."""

    def __init__(self, bench: Bench, index: int, end: Tx[T]) -> None:
        """Belong to `bench`; `Bench.output` makes it."""
        #: The sending end, as the actor's argument.
        self.end = end
        self._bench = bench
        self._index = index

    def take_all(self) -> list[T]:
        """Take all that the actor has committed."""
        rx = cast("Rx[T]", self._bench._test_end(self._index))  # noqa: SLF001
        values = rx.take_slice(rx.avail())
        self._bench._commit_test()  # noqa: SLF001
        return values

    def is_closed(self) -> bool:
        """Tell whether the actor has closed the channel and all of it was taken."""
        return cast("Rx[T]", self._bench._test_end(self._index)).is_closed_and_empty()  # noqa: SLF001


class Bench:
    """Runs one actor, and stands at the other ends of its channels."""

    def __init__(self, name: str = "actor") -> None:
        """Begin with an empty bench; `clock` stands at 0."""
        self.clock = ManualClock()
        #: The actor's lives so far.
        self.generation = 0
        #: The behavior has returned, and that is committed.
        self.finished = False
        #: The last `run` ended in the crash that `crash_at` planned.
        self.crashed = False
        self._name = name
        self._run = Mapping(None, layout.PAGE)
        self._actor_side = _Side(_ACTOR, self.clock, self._run.words)
        self._test_side = _Side(_TEST, self.clock, self._run.words)
        self._test: Life | None = None
        self._mappings: list[Mapping] = []
        self._channels: list[ChannelPlan] = []
        self._ends: list[Declared] = []
        self._states = 0
        self._behavior: Callable[..., None] | None = None
        self._packed = b""
        self._crash: tuple[str, int] | None = None

    # Setting up

    def input(self, capacity: int = 64, *, ring_bytes: int = _RING) -> BenchInput[Any]:
        """Make a channel from the test to the actor."""
        index = self._channel(capacity, ring_bytes, actor_sends=False)
        return BenchInput(self, index, cast("Rx[Any]", self._ends[index]))

    def output(self, capacity: int = 64, *, ring_bytes: int = _RING) -> BenchOutput[Any]:
        """Make a channel from the actor to the test."""
        index = self._channel(capacity, ring_bytes, actor_sends=True)
        return BenchOutput(self, index, cast("Tx[Any]", self._ends[index]))

    def _channel(self, capacity: int, ring_bytes: int, *, actor_sends: bool) -> int:
        if self._behavior is not None:
            message = "declare inputs and outputs before the actor"
            raise ConfigurationError(message)
        mapping = Mapping(None, layout.channel_bytes((ring_bytes + layout.PAGE - 1) & -layout.PAGE))
        Ring.format(mapping, capacity)
        index = len(self._ends)
        kind = "tx" if actor_sends else "rx"
        self._ends.append(Declared(kind, index, f"{kind} of channel {index}", id(self)))  # type: ignore[arg-type]
        self._mappings.append(mapping)
        producer, consumer = (_ACTOR, _TEST) if actor_sends else (_TEST, _ACTOR)
        self._channels.append(
            ChannelPlan(
                name=f"channel {index}",
                capacity=capacity,
                ring_bytes=ring_bytes,
                producer=producer,
                consumer=consumer,
            )
        )
        return index

    def state(self) -> SteadyState[Any]:
        """Make a state for the actor."""
        self._states += 1
        return cast("SteadyState[Any]", Declared("state", self._states - 1, "state", id(self)))

    def actor(self, behavior: Callable[..., None], *args: object) -> None:
        """Put the actor on the bench. Here a behavior may be any function."""
        self._behavior = behavior
        self._packed, _ = pack(self._name, _stand_in, [f"argument {i}" for i in range(len(args))], args)
        self._test = self._test_side.begin(self._plan(), self._mappings, _NeverSleeps())

    def _plan(self) -> Plan:
        """Say who is at which end: the actor, or the test."""
        actors = [
            ActorPlan(
                name=name,
                behavior="",
                ends=tuple(
                    EndPlan(channel=index, sends=channel.producer == side)
                    for index, channel in enumerate(self._channels)
                ),
            )
            for side, name in ((_ACTOR, self._name), (_TEST, "the test"))
        ]
        return Plan(
            graph="bench", actors=tuple(actors), channels=tuple(self._channels), log_level=0, path=(), modules=()
        )

    # Running

    def run(self, *, turns: int | None = None, seconds: float = 0.0) -> None:
        """Begin a life from the last commit and run it until it would wait for ever.

        It also ends with the behavior, after `turns` turns, or at a crash that was planned. Waits for
        a time end at once while not more than `seconds` have passed on the clock since the call.
        What the behavior raises is raised here; what it had not committed is undone then.
        """
        if self._behavior is None:
            message = "put an actor on the bench first: bench.actor(behavior, …)"
            raise ConfigurationError(message)
        if self.finished:
            return
        self.generation += 1
        self.crashed = False
        parker = _Parker(self.clock)
        parker.until = self.clock() + seconds
        with contextlib.suppress(_Unwound):
            life = self._actor_side.begin(
                self._plan(),
                self._mappings,
                parker,
                generation=self.generation,
                requested=self.request_shutdown,
                fault=self._fault(),
            )
            if cast("ControlBlock", self._actor_side.control).words[layout.REQUESTED]:
                self.request_shutdown()  # the last life committed that, and may not have come to say it
            cast("_BenchTurn", life.turn).remaining = turns
            _, args = unpack(self._packed, life.resolve)
            life.live(self._behavior, args)
            self.finished = True

    def crash_at(self, point: str, hit: int = 1) -> None:
        """Plan a crash of the next `run`: when it reaches fault point `point` for the `hit`-th time.

        Raises ConfigurationError for a point that does not exist; `steady_mp.testing.points` has them all.
        """
        if point not in FAULT_POINTS or hit < 1:
            message = f"crash_at({point!r}, {hit}): hit 1 or more of one of {', '.join(FAULT_POINTS)}"
            raise ConfigurationError(message)
        self._crash = (point, hit)

    def _fault(self) -> Callable[[str], None] | None:
        if self._crash is None:
            return None
        planned, left = self._crash
        self._crash = None

        def fault(point: str) -> None:
            nonlocal left
            if point == planned:
                left -= 1
                if left == 0:
                    self.crashed = True
                    raise _Unwound

        return fault

    # Around the actor

    def request_shutdown(self) -> None:
        """Request a shutdown, as the supervisor would."""
        self._run.words[layout.SHUTDOWN] = 1

    @property
    def shutdown_requested(self) -> bool:
        """A shutdown was requested, by the actor or by the test."""
        return bool(self._run.words[layout.SHUTDOWN])

    @property
    def refusal(self) -> str:
        """The reason that the actor's veto gave last; empty when it gave none."""
        control = self._actor_side.control
        return "" if control is None else control.refusal

    def saved(self, state: SteadyState[T]) -> T | None:
        """Return a state as of the last commit; None before the first one."""
        control = self._actor_side.control
        journal = None if control is None else control.journal()
        if journal is None or not journal.snapshot_length:
            return None
        snapshot = self._actor_side.snapshots.read(journal.snapshot_slot, journal.snapshot_length, journal.snapshot_crc)
        return cast("T | None", decode(snapshot).get(cast("Declared", state).index))

    def _test_end(self, index: int) -> ObjectTx[Any] | ObjectRx[Any]:
        if self._test is None:
            message = "put an actor on the bench first: bench.actor(behavior, …)"
            raise ConfigurationError(message)
        return self._test.ends[index]

    def _commit_test(self) -> None:
        if self._test is not None:
            self._test.turn.commit()


def _stand_in() -> None:
    """Stand for the behavior where only its arguments are pickled."""
