"""Player: one actor of a simulation, through all of its lives."""

from __future__ import annotations

import functools
import random
import traceback
from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING, Final, NoReturn

from steady_mp.errors import StateError
from steady_mp.life import Life, Place
from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.snapshots import SnapshotSlots
from steady_mp.packing import unpack
from steady_mp.parking import Wake, is_readable
from steady_mp.policy import Failures
from steady_mp.recovery import recover
from steady_mp.testing.scripted import NeedsProcess
from steady_mp.testing.simulation.dice import STEP, Crash
from steady_mp.testing.simulation.memory import StoreBuffer, View
from steady_mp.testing.simulation.steps import Killed
from steady_mp.testing.simulation.stores import open_slowly
from steady_mp.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenlet import greenlet

    from steady_mp.channel.waits import Alarm
    from steady_mp.memory.control import Journal
    from steady_mp.policy import RestartPolicy
    from steady_mp.testing.simulation.steps import Steps
    from steady_mp.testing.simulation.world import World


#: Seconds by which a timer may be early: a deadline becomes a duration and a deadline again on its way here.
_ROUNDING: Final = 1e-9


class Status(Enum):
    """What a player is about."""

    READY = "ready"
    ASLEEP = "asleep"
    DOWN = "down"
    OVER = "over"


# Asked thousands of times a run: without the look into the Enum.
_READY, _ASLEEP, _DOWN = Status.READY, Status.ASLEEP, Status.DOWN


class _Replayed(BaseException):
    """A life ended itself, to repeat what it had put off or because it was recycled."""


class _SimulatedTurn(Turn):
    """A turn whose looks are steps, and which remembers what it sleeps for."""

    def __init__(self, player: Player, **parts: object) -> None:
        super().__init__(**parts)  # type: ignore[arg-type]
        self._player = player

    def glance(self) -> bool:
        """See `Turn.glance`."""
        self._player.step("looks up")
        return super().glance()

    def sleep(self, arm: Callable[[Alarm], None], ready: Callable[[], bool]) -> None:
        """See `Turn.sleep`."""
        self._player.awaits = ready
        self._player.asleep_since = self._player.world.steps()
        super().sleep(arm, ready)


class _TornControl(ControlBlock):
    """A control block that its process may die in the middle of writing to."""

    def __init__(self, endpoints: int, steps: Steps) -> None:
        super().__init__(Mapping(None, layout.control_bytes(endpoints)), endpoints)
        self._steps = steps

    def write_journal(self, epoch: int, packed: bytes | memoryview) -> None:
        """See `ControlBlock.write_journal`."""
        half = len(packed) // 16 * 8
        super().write_journal(epoch, bytes(packed[:half]).ljust(len(packed), b"\0"))
        self._steps.step("writes the rest of the journal")
        super().write_journal(epoch, packed)


class _TornSnapshots(SnapshotSlots):
    """Snapshot slots that their process may die in the middle of writing to."""

    def __init__(self, steps: Steps) -> None:
        super().__init__(None)
        self._steps = steps

    def write(self, slot: int, data: bytes) -> int:
        """See `SnapshotSlots.write`."""
        super().write(slot, data[: len(data) // 2])
        self._steps.step("writes the rest of a snapshot")
        return super().write(slot, data)


class Player:
    """One actor: its memory outlives its lives. It is the parker of its own life and the doorbell of its neighbours."""

    def __init__(self, world: World, index: int, packed: bytes, policy: RestartPolicy) -> None:
        """Take a seat; `begin` starts the first life."""
        self.world = world
        self.index = index
        self.plan = world.plan.actors[index]
        self.name = self.plan.name
        size = len(self.plan.ends)
        self.control = _TornControl(size, world.steps)
        self.control.format()
        self.snapshots = _TornSnapshots(world.steps)
        self.policy = policy
        dice = random.Random(f"{world.seed} {index}")  # noqa: S311 - for repeating it, not for secrecy
        self.failures = Failures(policy, world.steps, dice)
        self.generation = 0
        self.deaths: list[str] = []
        self.hits: Counter[str] = Counter()
        self._steps_before = 0
        self.status = Status.DOWN
        #: When a sleep or a pause between two lives ends; None for never.
        self.until: float | None = 0.0
        self.rung = False
        self.fds: list[int] = []
        self.awaits: Callable[[], bool] | None = None
        self.asleep_since = 0.0
        #: How the last life ended, until the world has seen it.
        self.ending: tuple[str, str] | None = None
        self.given_up = False
        self._packed = packed
        self._planned: dict[str, set[int]] = {}
        self._buffer = StoreBuffer(late=world.dice.late_stores)
        self._greenlet: greenlet | None = None
        self._channels = [(end.sends, world.channels[end.channel].words) for end in self.plan.ends]
        self._moved: tuple[int, ...] = ()

    def plan_crash(self, crash: Crash) -> None:
        """Die at a fault point."""
        self._planned.setdefault(crash.point, set()).add(crash.hit)

    def steps_to_crash(self) -> int | None:
        """Return how many of its own steps are left to the next crash that is planned by them."""
        left = [hit - self.hits[STEP] for hit in self._planned.get(STEP, ())]
        return min((steps for steps in left if steps > 0), default=None)

    def steps_taken(self) -> int:
        """Return how many steps it has taken in all its lives."""
        return self.hits[STEP] + self.world.steps.count - self._steps_before

    def drop_crashes(self) -> int:
        """Forget the crashes that have not struck; return how many."""
        dropped = sum(sum(hit > self.hits[point] for hit in hits) for point, hits in self._planned.items())
        self._planned.clear()
        return dropped

    # From the world

    def is_ready(self, now: float) -> bool:
        """Tell whether it can go on."""
        status = self.status
        if status is _ASLEEP:
            if self.rung or (self.until is not None and self.until <= now + _ROUNDING):
                return True
            return bool(self.fds) and any(is_readable(fd) for fd in self.fds)
        return status is _READY or (status is _DOWN and self.until is not None and self.until <= now)

    def go_on(self) -> None:
        """Let it run until it sleeps, ends, or is disturbed."""
        self._steps_before = self.world.steps.count
        if self.status is Status.DOWN:
            self.generation += 1
            self._moved = self.moved()
            self.control.words[layout.PHASE] = layout.PHASE_STARTING
            self._greenlet = self.world.greenlet(self._live)
            self.note("started", f"life {self.generation} from commit {self.control.epoch}")
        self.status = Status.READY
        if self._greenlet is not None:
            self._greenlet.switch()
        self.hits[STEP] = self.steps_taken()

    def end(self) -> None:
        """Unwind what is left of a life, without letting it do anything any more."""
        if self._greenlet is not None and self._greenlet:
            self.world.steps.doom()
            self._greenlet.throw(Killed)

    def recover(self) -> Journal:
        """Show the neighbours what the dead life had committed."""
        self._buffer.drain()
        self.awaits = None
        return recover(self.control, self._channels)

    def is_overslept(self) -> bool:
        """Tell whether it sleeps though what it sleeps for, other than the time, is there."""
        if self.status is not Status.ASLEEP or self.rung or self.awaits is None:
            return False
        return self.world.steps.as_of(self.asleep_since, self.awaits)

    def moved(self) -> tuple[int, ...]:
        """Return the committed positions."""
        return tuple(cursor.messages for cursor in self.control.journal().cursors) or (self.control.epoch,)

    def has_moved(self) -> bool:
        """Tell whether the last life has committed a message."""
        return self.moved() != self._moved

    # From its neighbours

    def ring(self) -> None:
        """Wake it; a locked instruction of whoever rings."""
        self.world.flush()
        self.rung = True

    # From its own life

    def step(self, what: str) -> None:
        """Take a step that is no access to a channel."""
        self.world.steps.step(what)

    def note(self, what: str, detail: str = "") -> None:
        """Add to the trace."""
        self.world.note(self.name, what, detail)

    def drain(self) -> None:
        """Empty the store buffer: the fence."""
        self._buffer.drain()

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> Wake:
        """Sleep until rung, or for `seconds`: what `Parker.sleep` is here."""
        self._buffer.drain()
        if not self.rung and not any(is_readable(fd) for fd in fds):
            self._fall_asleep(seconds, fds)
        rung = self.rung
        self.rung = False
        return Wake.RUNG if rung or fds else Wake.TIMER

    def _fall_asleep(self, seconds: float | None, fds: Sequence[int]) -> None:
        self.status = Status.ASLEEP
        self.until = None if seconds is None else self.world.steps() + seconds
        self.fds = list(fds)
        self.note("sleeps", "" if seconds is None else f"for {seconds:.6f} s")
        self.world.leave()
        self.note("woke", "rung" if self.rung else "in time")
        self.fds = []

    def reach(self, point: str) -> None:
        """Reach a fault point."""
        if self.world.steps.dying:
            raise Killed
        self.hits[point] += 1
        if point == "commit:epoch":
            self.world.note(self.name, f"commit {self.control.epoch}", self.control.journal().cursors)
        elif point == "commit:published":
            self._check_bounds()
        if point in self._planned and self.hits[point] in self._planned[point]:
            self.world.strike(self, Crash(self.name, point, self.hits[point]), f"at {point}")
            self.world.steps.die()
        self.world.steps.step(point)

    def _check_bounds(self) -> None:
        """No channel of its own may ever hold more than it may (promise P3)."""
        for end in self.plan.ends:
            plan, words = self.world.plan.channels[end.channel], self.world.channels[end.channel].words
            messages = words[layout.TAIL] - words[layout.HEAD]
            size = words[layout.TAIL_POS] - words[layout.HEAD_POS]
            if not 0 <= messages <= plan.capacity or not 0 <= size <= plan.ring_bytes:
                text = f"{plan.name} holds {messages} of {plan.capacity} messages, {size} of {plan.ring_bytes} bytes"
                self.world.give_up("broken", text)

    def _abandon(self, reason: str) -> NoReturn:
        self._leave("replayed", reason)

    def _retire(self, reason: str) -> NoReturn:
        self._leave("recycled", reason)

    def _leave(self, how: str, why: str) -> NoReturn:
        """End this life as a process that leaves at once: the behavior does nothing more, whatever it tries."""
        self.ending = (how, why)
        self.world.steps.doom()
        raise _Replayed

    def _live(self) -> None:
        """Live one life; runs in its own greenlet.

        What is no failure of an actor goes on to whoever runs the simulation: Ctrl-C, pytest's time-out, a mistake of
        the test.
        """
        self.ending = None
        try:
            self.reach("start:begin")
            life = Life(self._place(), self.generation)
            life.live(*unpack(self._packed, life.resolve))
        except NeedsProcess:
            raise
        except (Killed, _Replayed, SystemExit, Exception) as error:  # noqa: BLE001 - an exception and a crash take the same path
            self.ending = self._ended_by(error)
        else:
            self.ending = ("finished", "")

    def _ended_by(self, error: BaseException) -> tuple[str, str]:
        if self.ending is not None:  # the behavior may have made another error of it, but no other end
            return self.ending
        if self.world.steps.dying:
            return "killed", "SIGKILL"
        if isinstance(error, SystemExit):
            return "failed", f"exit code {error.code}"
        self.world.tracebacks[self.name] = traceback.format_exc()
        cause = "".join(traceback.format_exception_only(error)).strip()
        return "hopeless" if isinstance(error, StateError) else "failed", cause

    def _place(self) -> Place:
        world = self.world
        plans = [world.plan.channels[end.channel] for end in self.plan.ends]
        views = [
            View(world.channels[end.channel], plan.name, world.steps, self._buffer)
            for end, plan in zip(self.plan.ends, plans, strict=True)
        ]
        return Place(
            plan=world.plan,
            index=self.index,
            stores=[open_slowly(view, plan, world.steps) for view, plan in zip(views, plans, strict=True)],
            control=self.control,
            snapshots=self.snapshots,
            run=world.run_words,
            parker=self,
            supervisor=world.supervisor,
            neighbour=lambda peer: world.players[peer],
            abandon=self._abandon,
            retire=self._retire,
            rss=lambda: 0,  # the size of this process is none of theirs
            clock=world.steps,
            fence=self.drain,
            fault=self.reach,
            turn=functools.partial(_SimulatedTurn, self),
            everybody=self._everybody,
        )

    def _everybody(self) -> tuple[list[memoryview], list[memoryview]]:
        world = self.world
        views = [
            View(mapping, plan.name, world.steps, self._buffer)
            for mapping, plan in zip(world.channels, world.plan.channels, strict=True)
        ]
        return [player.control.words for player in world.players], [view.words for view in views]
