"""Meters: from samples to figures, one meter for each channel and actor, all of fixed size."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from steady_mp.memory import layout
from steady_mp.memory.standing import word_for
from steady_mp.monitors import Metric
from steady_mp.telemetry.window import History, Window

if TYPE_CHECKING:
    from steady_mp.memory.status import ActorStatus
    from steady_mp.plan import ActorPlan, ChannelPlan
    from steady_mp.telemetry.sampler import ActorSample, ChannelSample

#: What one core is, in mCPU.
CORE: Final = 1024
_PERCENT: Final = 100.0
_MOST_STEPS: Final = 4096


class ChannelMeter:
    """The figures of one channel."""

    def __init__(self, plan: ChannelPlan, samples: int) -> None:
        """Start with nothing seen; `samples` is how many make a window."""
        self.plan = plan
        self.windows = {metric: Window(samples) for metric in (Metric.FILLED, Metric.RATE, Metric.LATENCY)}
        self.filled_history = History(0)
        self.rate_history = History(1)
        self.now: ChannelSample | None = None
        self.oldest_age: float | None = None
        self.span = 0.0
        self._steps: deque[tuple[float, int, int]] = deque(maxlen=min(samples, _MOST_STEPS))
        self._oldest: tuple[int, float] | None = None

    def update(self, at: float, sample: ChannelSample) -> None:
        """Take one sample."""
        filled = _PERCENT * sample.in_flight / self.plan.capacity
        self.windows[Metric.FILLED].add(filled)
        self.filled_history.add(filled)
        if self._steps:
            before, _, taken = self._steps[-1]
            rate = max(0, sample.taken - taken) / max(at - before, 1e-6)
            self.windows[Metric.RATE].add(rate)
            self.rate_history.add(rate)
        self._see_oldest(at, sample)
        self._steps.append((at, sample.sent, sample.taken))
        self.span = at - self._steps[0][0]
        self._estimate_latency(sample)
        self.now = sample

    @property
    def rate(self) -> float:
        """Messages taken a second, over the window."""
        if not self._steps or self.span <= 0:
            return 0.0
        return max(0, self._steps[-1][2] - self._steps[0][2]) / self.span

    def average_fill(self) -> float:
        """Return how full it was, in percent, over the window."""
        return self.windows[Metric.FILLED].average() or 0.0

    def _estimate_latency(self, sample: ChannelSample) -> None:
        """Estimate how long a message waits, by Little's law: messages in flight over messages taken a second.

        No message carries a time, and none has to be touched. While nobody takes anything there is no estimate, and
        the age of the oldest message says how bad it is.
        """
        rate = self.rate
        if rate > 0:
            self.windows[Metric.LATENCY].add(sample.in_flight / rate)
        elif len(self._steps) > 1:
            self.windows[Metric.LATENCY].clear()

    def _see_oldest(self, at: float, sample: ChannelSample) -> None:
        """Estimate when the oldest message was sent: when the tail passed where the head is now."""
        if not sample.in_flight:
            self._oldest = self.oldest_age = None
            return
        if self._oldest is None or self._oldest[0] != sample.taken:
            self._oldest = (sample.taken, self._sent_at(sample.taken, at, sample.sent))
        self.oldest_age = max(0.0, at - self._oldest[1])

    def _sent_at(self, message: int, at: float, sent: int) -> float:
        """Return when message number `message` was sent, between two looks in proportion."""
        later, later_count = at, sent
        for when, count, _ in reversed(self._steps):
            if count <= message:
                return when + (later - when) * (message - count) / max(1, later_count - count)
            later, later_count = when, count
        # It is older than the window: the pace at which messages are taken says by about how much.
        return min(later, at - (sent - message) / self.rate) if self.rate else later


class ActorMeter:
    """The figures of one actor."""

    def __init__(self, plan: ActorPlan, samples: int, stall: float | None = None) -> None:
        """Start with nothing seen; `samples` is how many make a window, and `stall` seconds make it stuck."""
        self.plan = plan
        self._stall = plan.stall_timeout if stall is None else stall
        self.windows = {metric: Window(samples) for metric in (Metric.LOAD, Metric.MCPU)}
        self.load_history = History(0)
        self.mcpu_history = History(0)
        self.now: ActorSample | None = None
        self.state = "starting"
        self.blocked_on: int | None = None
        self._at = 0.0

    def update(self, at: float, sample: ActorSample, status: ActorStatus) -> None:
        """Take one sample."""
        if self.now is not None and at > self._at:
            seconds = at - self._at
            load = _PERCENT * self._busy(self.now, sample, seconds)
            self.windows[Metric.LOAD].add(load)
            self.load_history.add(load)
            if sample.cpu is not None or not sample.lives:
                mcpu = CORE * _spent(self.now, sample) / seconds
                self.windows[Metric.MCPU].add(mcpu)
                self.mcpu_history.add(mcpu)
        self._at = at
        self.now = sample
        self.state = self._classify(sample, status)
        ends = self.plan.ends
        self.blocked_on = ends[sample.blocked_end].channel if sample.blocked_end is not None else None
        if self.state != "blocked":
            self.blocked_on = None

    @property
    def plight(self) -> str:
        """Its state, with how long that lasts where it is stuck."""
        if self.state != "stuck" or self.now is None:
            return self.state
        seconds = self.now.in_code
        return f"stuck: in its own code for {seconds:.{int(seconds < 1)}f} s"

    @staticmethod
    def _busy(before: ActorSample, after: ActorSample, seconds: float) -> float:
        """Return the share of the time since the last look in which the actor did not wait.

        Between two lives it has no work and no process: it is not busy then.
        """
        if not after.lives:
            return 0.0
        if (before.pid, before.generation) != (after.pid, after.generation):
            # What the old life waited at its end is not known; what the new one did is.
            return 0.0 if after.phase == layout.PHASE_WAITING else min(1.0, (after.cpu or 0.0) / seconds)
        return min(1.0, max(0.0, 1.0 - max(0.0, after.waited - before.waited) / seconds))

    def _classify(self, sample: ActorSample, status: ActorStatus) -> str:
        if status.status != "running":
            return status.status
        if not sample.lives and not sample.finished:
            return "lost"  # the supervisor has not heard of it, or has not said so yet
        return word_for(
            phase=sample.phase,
            blocked=sample.blocked_end is not None,
            halt=sample.halt,
            debugged=sample.debugged,
            seconds=sample.in_code,
            stall=self._stall,
        )


def _spent(before: ActorSample, after: ActorSample) -> float:
    """Return the processor seconds since the last look; a fresh process began at 0."""
    if after.cpu is None:
        return 0.0
    if before.cpu is None or before.pid != after.pid:
        return after.cpu
    return max(0.0, after.cpu - before.cpu)
