"""The bench: one actor, no process, no thread.

    bench = Bench()
    beats, numbers, results = bench.input(), bench.input(), bench.output()
    state = bench.state()
    bench.actor(worker.run, beats.end, numbers.end, results.end, state)
    numbers.send_all(range(3))
    beats.send_all([0])
    bench.run()
    results.assert_all([FizzBuzz, Value(1), Value(2)])

The behavior runs in the calling thread on real memory with the real turn and journal. Where it would
sleep for ever, the bench ends that life, as a kill at this commit point would: the next `run` begins a
fresh life from the last commit. A behavior that keeps what it must not lose in its state does not notice.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast

from steady_mp.amounts import is_whole
from steady_mp.behaviors import check_signature
from steady_mp.channel.kinds import shape_of
from steady_mp.checks import check_count, check_pace
from steady_mp.errors import ConfigurationError
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping
from steady_mp.packing import Declared, pack, unpack
from steady_mp.state import SteadyState, decode
from steady_mp.testing.bench_ends import BenchInput, BenchInputBundle, BenchOutput, BenchOutputBundle
from steady_mp.testing.bench_side import ACTOR, BenchParker, Channels, NeverSleeps, Side, Span, TestSide, Unwound
from steady_mp.testing.capture import captured
from steady_mp.testing.clock import ManualClock
from steady_mp.testing.points import FAULT_POINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steady_mp.channel.endpoints import Rx, Tx
    from steady_mp.channel.kinds import Shape
    from steady_mp.life import Life

T = TypeVar("T")

_MOST = 1 << 30

__all__ = ["Bench", "BenchInput", "BenchInputBundle", "BenchOutput", "BenchOutputBundle"]


class Bench:
    """Runs one actor, and stands at the other ends of its channels."""

    def __init__(self, name: str = "actor", *, log_level: int = logging.INFO) -> None:
        """Begin with an empty bench; `clock` stands at 0. What is logged below `log_level` is not kept.

        Raises ConfigurationError for a `log_level` that is no number.
        """
        if not is_whole(log_level):
            message = f"log_level {log_level!r}: give it as a number, as logging.DEBUG is one"
            raise ConfigurationError(message)
        self.clock = ManualClock()
        #: The actor's lives so far.
        self.generation = 0
        #: The behavior has returned, and that is committed.
        self.finished = False
        #: The last `run` ended in the crash that `crash_at` planned.
        self.crashed = False
        #: What the actor has printed and logged, as a run's log shows it: a line each, in order, of all lives.
        self.lines: list[str] = []
        self._name = name
        self._identity = next(Declared.makers)
        self._log_level = log_level
        self._run = Mapping(None, layout.PAGE)
        self._channels = Channels(name)
        self._side = Side(ACTOR, self._channels, self.clock, self._run.words)
        self._test = TestSide(self._channels, self.clock, self._run.words)
        self._ends: list[Declared] = []
        self._states = 0
        self._given: dict[int, object] = {}
        self._behavior: Callable[..., None] | None = None
        self._packed = b""
        self._crash: tuple[str, int] | None = None
        self._living = False

    # Setting up

    def input(
        self,
        capacity: int = 64,
        *,
        name: str | None = None,
        ring_bytes: int | None = None,
        dtype: object = None,
        mirror: bool = False,
    ) -> BenchInput[Any]:
        """Make a channel from the test to the actor; `ring_bytes`, `dtype` and `mirror` are as for `Graph.channel`.

        Raises ConfigurationError for what they can't be, and once there is an actor on the bench.
        """
        index, end = self._channel(name, capacity, ring_bytes, shape_of(dtype, mirror=mirror), actor_sends=False)
        return BenchInput(self._test, index, cast("Rx[Any]", end))

    def output(
        self,
        capacity: int = 64,
        *,
        name: str | None = None,
        ring_bytes: int | None = None,
        dtype: object = None,
        mirror: bool = False,
    ) -> BenchOutput[Any]:
        """Make a channel from the actor to the test; otherwise like `input`."""
        index, end = self._channel(name, capacity, ring_bytes, shape_of(dtype, mirror=mirror), actor_sends=True)
        return BenchOutput(self._test, index, cast("Tx[Any]", end))

    def input_bundle(  # noqa: PLR0913 - what a channel takes, and the number of them
        self,
        lanes: int,
        capacity: int = 64,
        *,
        name: str | None = None,
        ring_bytes: int | None = None,
        dtype: object = None,
        mirror: bool = False,
    ) -> BenchInputBundle[Any]:
        """Make `lanes` channels alike from the test to the actor; otherwise like `input`."""
        check_count("lanes", lanes, 1, _MOST)
        return BenchInputBundle(
            [
                self.input(capacity, name=_lane(name, lane), ring_bytes=ring_bytes, dtype=dtype, mirror=mirror)
                for lane in range(lanes)
            ]
        )

    def output_bundle(  # noqa: PLR0913 - what a channel takes, and the number of them
        self,
        lanes: int,
        capacity: int = 64,
        *,
        name: str | None = None,
        ring_bytes: int | None = None,
        dtype: object = None,
        mirror: bool = False,
    ) -> BenchOutputBundle[Any]:
        """Make `lanes` channels alike from the actor to the test; otherwise like `input`."""
        check_count("lanes", lanes, 1, _MOST)
        return BenchOutputBundle(
            [
                self.output(capacity, name=_lane(name, lane), ring_bytes=ring_bytes, dtype=dtype, mirror=mirror)
                for lane in range(lanes)
            ]
        )

    def _channel(
        self, name: str | None, capacity: int, ring_bytes: int | None, shape: Shape, *, actor_sends: bool
    ) -> tuple[int, Declared]:
        if self._behavior is not None:
            message = "declare inputs and outputs before the actor"
            raise ConfigurationError(message)
        check_count("capacity", capacity, 1, _MOST)
        if ring_bytes is not None:
            check_count("ring_bytes", ring_bytes, layout.PAGE, _MOST)
        index = self._channels.add(name, capacity, ring_bytes, shape, actor_sends=actor_sends)
        side = "the sending end" if actor_sends else "the receiving end"
        label = f"{side} of {self._channels.plans[index].name}"
        kind = self._channels.plans[index].shape.kind
        self._ends.append(Declared("tx" if actor_sends else "rx", index, label, self._identity, kind))
        return index, self._ends[index]

    def state(self) -> SteadyState[Any]:
        """Make a state for the actor."""
        self._states += 1
        return cast(
            "SteadyState[Any]", Declared("state", self._states - 1, f"state {self._states - 1}", self._identity)
        )

    def with_state(self, state: SteadyState[T], value: T) -> None:
        """Let the next life begin with `value`, as if a life before had committed it; before it, or between two.

        Raises StateError when it can't be saved, and ConfigurationError in the middle of a life and behind the last.
        """
        if self._living or self.finished:
            why = "in the middle of a life" if self._living else "behind the last life: the actor has finished"
            message = f"actor {self._name!r}: a state can be given before a life, not {why}"
            raise ConfigurationError(message)
        self._given[self._index(state)] = value
        if self._behavior is not None:
            self._give()

    def _index(self, state: object) -> int:
        if not isinstance(state, Declared) or state.kind != "state" or state.graph != self._identity:
            message = f"{state!r} is no state of this bench: bench.state() makes one"
            raise ConfigurationError(message)
        return state.index

    def _give(self) -> None:
        if self._given:
            life = self._side.begin(NeverSleeps())
            for index, value in self._given.items():
                life.book.values[index] = value
            self._given.clear()
            life.turn.commit()

    def actor(self, behavior: Callable[..., None], *args: object) -> None:
        """Put the actor on the bench. Here a behavior may be any function.

        Raises ConfigurationError for arguments that don't fit its signature or can't be pickled, and for ends
        that it is not handed, or that are another bench's.
        """
        names = check_signature(self._name, behavior, args)
        for name, argument in zip(names, args, strict=False):
            if isinstance(argument, BenchInput | BenchOutput | BenchInputBundle | BenchOutputBundle):
                message = f"actor {self._name!r}: {name} is the test's side of a channel: hand over its .end"
                raise ConfigurationError(message)
        packed, met = pack(self._name, _stand_in, names, args)
        for end in met:
            if end.graph != self._identity:
                message = f"actor {self._name!r}: {end.label} belongs to another bench"
                raise ConfigurationError(message)
        for end in self._ends:
            if end not in met:
                message = f"actor {self._name!r} is not handed {end.label}: hand it over, or do not make it"
                raise ConfigurationError(message)
        self._behavior, self._packed = behavior, packed
        self._test.open()
        self._give()

    # Running

    def run(self, *, turns: int | None = None, seconds: float = 0.0, until: Callable[[], object] | None = None) -> None:
        """Begin a life from the last commit and run it until it would wait for ever.

        It also ends with the behavior, after `turns` turns, or at a crash that was planned. Waits for
        a time end at once while not more than `seconds` have passed on the clock since the call. With
        `until` it ends with the first turn behind which that holds, and raises AssertionError when the
        life ends otherwise, unless by a crash that was planned.
        What the behavior raises is raised here; what it had not committed is undone then. What it does or raises
        behind the end of its life (in a `finally`, an ``except BaseException``) is in vain. A behavior that never
        waits, but looks again and again, runs for ever unless `turns` says how often. Raises ConfigurationError for
        arguments that make no sense.
        """
        if turns is not None:
            check_count("run: turns", turns, 0, sys.maxsize)
        check_pace("run: seconds", seconds, 0.0, float("inf"))
        asked: object = until
        if asked is not None and not callable(asked):
            message = f"run: until {until!r}: give it a function that tells whether it holds"
            raise ConfigurationError(message)
        if self._behavior is None:
            message = "put an actor on the bench first: bench.actor(behavior, …)"
            raise ConfigurationError(message)
        if self._living:
            message = f"actor {self._name!r} is running: what it calls can't run it again"
            raise ConfigurationError(message)
        self.crashed = False
        span = Span(turns, until)
        if not self.finished:
            self.generation += 1
            with self._alive(span), captured(self.lines, self._log_level):
                life = self._begin(span, seconds)
                _, args = unpack(self._packed, life.resolve)
                life.live(self._behavior, args)
        if until is not None and not (self.crashed or span.held or until()):
            how = "has finished" if self.finished else f"ended life {self.generation}"
            message = f"actor {self._name!r} {how}, and what `until` asks for did not come to hold"
            raise AssertionError(message)

    @contextlib.contextmanager
    def _alive(self, span: Span) -> Iterator[None]:
        self._living = True
        try:
            yield
        except (Unwound, Exception, SystemExit):  # Ctrl-C and a time-out of pytest are the test's own
            if not span.over:
                raise
        finally:
            self._living = False
            self._look_after_it()

    def _look_after_it(self) -> None:
        """Take from its journal what a life has left behind, however it ended."""
        journal = self._side.recover()
        if journal is not None:
            self.finished = bool(journal.finished)
            if journal.requested:
                self.request_shutdown()  # it may not have come to say so

    def _begin(self, span: Span, seconds: float) -> Life:
        return self._side.begin(
            BenchParker(span, self.clock, self.clock() + seconds),
            span=span,
            generation=self.generation,
            requested=self.request_shutdown,
            fault=self._fault(span),
        )

    def crash_at(self, point: str, hit: int = 1) -> None:
        """Plan a crash of the next `run`: when it reaches fault point `point` for the `hit`-th time.

        Raises ConfigurationError for a point that does not exist; `steady_mp.testing.points` has them all.
        """
        if point not in FAULT_POINTS or type(hit) is not int or hit < 1:
            message = f"crash_at({point!r}, {hit!r}): hit 1 or more of one of {', '.join(FAULT_POINTS)}"
            raise ConfigurationError(message)
        self._crash = (point, hit)

    def _fault(self, span: Span) -> Callable[[str], None] | None:
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
                    span.end()

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
        return "" if self._side.control is None else self._side.control.refusal

    def saved(self, state: SteadyState[T]) -> T | None:
        """Return a state as of the last commit; None before the first one.

        Raises ConfigurationError for a state of another bench, and StateError when it can't be read back.
        """
        index = self._index(state)
        control = self._side.control
        journal = None if control is None else control.journal()
        if journal is None or not journal.snapshot_length:
            return None
        snapshot = self._side.snapshots.read(journal.snapshot_slot, journal.snapshot_length, journal.snapshot_crc)
        return cast("T | None", decode(snapshot).get(index))

    def assert_logged(self, text: str) -> None:
        """One of `lines` must contain `text`."""
        __tracebackhide__ = True
        if not any(text in line for line in self.lines):
            told = "".join(f"\n  {line}" for line in self.lines) or " nothing"
            message = f"actor {self._name!r} has not said {text!r}; it has said:{told}"
            raise AssertionError(message)


def _lane(name: str | None, lane: int) -> str | None:
    return f"{name}[{lane}]" if name else None


def _stand_in() -> None:
    """Stand for the behavior where only its arguments are pickled."""
