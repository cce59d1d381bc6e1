"""The board: all meters of a run, brought up to date together, and what they say as a whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from steady_mp.events import CycleBlocked
from steady_mp.telemetry.alerts import Raised, Watcher
from steady_mp.telemetry.meters import ActorMeter, ChannelMeter

if TYPE_CHECKING:
    from steady_mp.cycles import Cycle
    from steady_mp.events import Event
    from steady_mp.plan import Plan
    from steady_mp.telemetry.sampler import Sample

#: Percent of its capacity, on average, from which on a channel counts as full.
_FULL: Final = 80.0
#: States in which an actor keeps the run from being ready.
_UNREADY: Final = {"starting", "restarting", "stuck", "stopped", "debugged", "lost", "given up"}


class Board:
    """Figures of every actor and channel of one run. Not safe to share: its owner serialises."""

    def __init__(self, plan: Plan, stall: float | None = None) -> None:
        """Start with nothing seen. Stuck is who is in its own code for `stall` seconds (None: its own limit)."""
        self.plan = plan
        samples = max(2, math.ceil(plan.window / plan.refresh) + 1)
        self.actors = [ActorMeter(actor, samples, stall) for actor in plan.actors]
        self.channels = [ChannelMeter(channel, samples) for channel in plan.channels]
        self.actor_watchers = [Watcher("actor", each.name, each.watching.alerts) for each in plan.actors]
        self.channel_watchers = [Watcher("channel", each.name, each.watching.alerts) for each in plan.channels]
        #: Cycles that nothing has moved in since the look before, although everybody in them waits for room.
        self.deadlocks: list[Cycle] = []
        self.sample: Sample | None = None
        self._began: float | None = None

    def update(self, sample: Sample) -> list[Event]:
        """Take one sample of the run; return the alerts that have changed, and the deadlocks that have come about."""
        self._began = sample.at if self._began is None else self._began
        changes: list[Event] = []
        pairs = zip(self.actors, self.actor_watchers, sample.actors, sample.status.actors, strict=True)
        for actor, watcher, seen, status in pairs:
            actor.update(sample.at, seen, status)
            changes += watcher.look(actor.windows, sample.wall)
        for channel, watcher, there in zip(self.channels, self.channel_watchers, sample.channels, strict=True):
            channel.update(sample.at, there)
            changes += watcher.look(channel.windows, sample.wall)
        before = self.sample.cycles if self.sample is not None else {}
        deadlocks = [cycle for cycle, moves in sample.cycles.items() if before.get(cycle) == moves]
        new = [cycle for cycle in deadlocks if cycle not in self.deadlocks]
        changes += [CycleBlocked(actors=cycle.actors, channels=cycle.channels) for cycle in new]
        self.deadlocks = deadlocks
        self.sample = sample
        return changes

    @property
    def span(self) -> float:
        """Seconds that the statistics are over: the window, once that much time has passed."""
        if self.sample is None or self._began is None:
            return 0.0
        return min(self.plan.window, self.sample.at - self._began)

    @property
    def raised(self) -> list[Raised]:
        """All alerts that hold, the worst first and then the latest."""
        found = [raised for watcher in (*self.actor_watchers, *self.channel_watchers) for raised in watcher.raised]
        return sorted(found, key=lambda raised: (-raised.alert.color.rank, -raised.since))

    @property
    def _halted(self) -> str:
        """Who of those that restart the actors stands still (SIGSTOP); empty when nobody does."""
        if self.sample is None or not self.sample.supervised:
            return ""
        if self.sample.halted:
            return "the supervisor is stopped"
        return "the fork server is stopped" if self.sample.forks_halted else ""

    def not_ready(self) -> list[str]:
        """Return why the run can't be relied on, naming the actor; empty when it can."""
        if self.sample is None:
            return ["nothing was seen yet"]
        status = self.sample.status
        reasons = [] if self.sample.supervised else ["the supervisor is gone"]
        if self._halted:
            reasons.append(self._halted)
        if status.phase != "running":
            reasons.append(f"the graph is {status.phase}")
        reasons += [f"{meter.plan.name} is {meter.plight}" for meter in self.actors if meter.state in _UNREADY]
        return reasons + [_words_for(cycle) for cycle in self.deadlocks]

    def summary(self) -> str:
        """Name the bottleneck in words; empty when there is none."""
        if self._halted:
            return self._halted
        for meter in self.actors:
            if meter.state in {"stuck", "stopped", "given up"}:
                return f"{meter.plan.name} is {meter.state}"
        if self.deadlocks:
            return _words_for(self.deadlocks[0])
        full = [meter for meter in self.channels if self._is_full(meter)]
        if not full:
            return ""
        channel = max(full, key=lambda meter: meter.average_fill())
        seen: list[int] = []
        while channel.plan.consumer not in seen:
            seen.append(channel.plan.consumer)
            onward = self.actors[channel.plan.consumer].blocked_on
            if onward is None or not self._is_full(self.channels[onward]):
                slow, fast = self.plan.actors[channel.plan.consumer], self.plan.actors[channel.plan.producer]
                return f"{channel.plan.name} is full: {slow.name} is slower than {fast.name}"
            channel = self.channels[onward]
        names = ", ".join(self.plan.actors[index].name for index in seen[seen.index(channel.plan.consumer) :])
        return f"{names} wait for each other in a circle: every channel between them is full"

    @staticmethod
    def _is_full(meter: ChannelMeter) -> bool:
        return meter.average_fill() >= _FULL


def _words_for(cycle: Cycle) -> str:
    return f"{cycle.way} is a deadlock: each waits for room in the next one's channel"
