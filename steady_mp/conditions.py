"""Conditions that are not about one channel, and how conditions nest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from steady_mp.channel.waits import Condition
from steady_mp.memory import layout
from steady_mp.parking import is_readable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from steady_mp.channel.waits import Alarm

__all__ = ["AllOf", "AnyOf", "Condition", "Periodic", "Readable", "Shutdown", "Timeout", "all_of", "any_of"]


class AllOf(Condition):
    """All conditions hold at the same time."""

    __slots__ = ("parts",)

    counts = True

    def __init__(self, parts: tuple[Condition, ...]) -> None:
        """Nest `parts`."""
        self.parts = parts

    @property
    def key(self) -> Hashable:
        """See `Condition.key`."""
        return ("all", *(part.key for part in self.parts))

    def holds(self) -> bool:
        """See `Condition.holds`."""
        for part in self.parts:  # noqa: SIM110 - a generator would double what a wait costs here, and below
            if not part.holds():
                return False
        return True

    def impossible(self) -> bool:
        """Tell whether one part can't hold any more."""
        for part in self.parts:  # noqa: SIM110
            if part.impossible():
                return True
        return False

    def arm(self, alarm: Alarm) -> None:
        """Be woken for each part that does not hold yet; one that holds would only mask another's target."""
        for part in self.parts:
            if not part.holds():
                part.arm(alarm)

    def passed(self) -> None:
        """See `Condition.passed`."""
        for part in self.parts:
            part.passed()


class AnyOf(Condition):
    """At least one condition holds."""

    __slots__ = ("parts",)

    counts = True

    def __init__(self, parts: tuple[Condition, ...]) -> None:
        """Nest `parts`."""
        self.parts = parts

    @property
    def key(self) -> Hashable:
        """See `Condition.key`."""
        return ("any", *(part.key for part in self.parts))

    def holds(self) -> bool:
        """See `Condition.holds`."""
        for part in self.parts:  # noqa: SIM110
            if part.holds():
                return True
        return False

    def impossible(self) -> bool:
        """Tell whether no part can hold any more."""
        for part in self.parts:  # noqa: SIM110
            if not part.impossible():
                return False
        return True

    def arm(self, alarm: Alarm) -> None:
        """Be woken for each part."""
        alarm.has_choice = alarm.has_choice or len(self.parts) > 1
        for part in self.parts:
            part.arm(alarm)

    def passed(self) -> None:
        """Pass on to the parts that hold."""
        for part in self.parts:
            if part.holds():
                part.passed()


def all_of(*conditions: Condition) -> Condition:
    """Nest conditions: holds while all of them do."""
    return AllOf(conditions)


def any_of(*conditions: Condition) -> Condition:
    """Nest conditions: holds while at least one of them does."""
    return AnyOf(conditions)


class Periodic(Condition):
    """A beat on each multiple of `period` seconds from the start of the run.

    A late beat is not doubled: however many multiples have passed since the last one, it holds once.
    """

    __slots__ = ("_clock", "_last", "_start", "period")

    counts = True

    def __init__(self, period: float, start: float, clock: Callable[[], float]) -> None:
        """Beat from the next multiple on."""
        self.period = period
        self._clock = clock
        self._start = start
        self._last = self._beats()

    def _beats(self) -> int:
        return math.floor((self._clock() - self._start) / self.period)

    def _due(self) -> float:
        # The same sum for the question and for the alarm: rounded apart, an alarm would ring before its beat.
        return self._start + (self._last + 1) * self.period

    @property
    def key(self) -> Hashable:
        """See `Condition.key`."""
        return ("periodic", self.period)

    def holds(self) -> bool:
        """See `Condition.holds`."""
        return self._clock() >= self._due()

    def arm(self, alarm: Alarm) -> None:
        """Be woken at the next multiple."""
        alarm.at(self._due())

    def passed(self) -> None:
        """Count the beat as used."""
        self._last = max(self._last + 1, self._beats())


class Timeout(Condition):
    """So many seconds have passed since it was made."""

    __slots__ = ("_clock", "_deadline")

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        """Start counting now."""
        self._clock = clock
        self._deadline = clock() + seconds

    @property
    def key(self) -> Hashable:
        """See `Condition.key`."""
        # Whatever is left of the time: a loop that asks again with less of it asks the same.
        return "timeout"

    def holds(self) -> bool:
        """See `Condition.holds`."""
        return self._clock() >= self._deadline

    def arm(self, alarm: Alarm) -> None:
        """Be woken at the end."""
        alarm.at(self._deadline)


class Shutdown(Condition):
    """A shutdown was requested."""

    __slots__ = ("_run",)

    def __init__(self, run: memoryview) -> None:
        """Watch the words of the run."""
        self._run = run

    @property
    def key(self) -> Hashable:
        """See `Condition.key`."""
        return "shutdown"

    def holds(self) -> bool:
        """See `Condition.holds`."""
        return bool(self._run[layout.SHUTDOWN])

    def arm(self, alarm: Alarm) -> None:
        """Nothing to arrange: the supervisor rings everybody."""


class Readable(Condition):
    """A file descriptor can be read without blocking."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        """Watch `fd`."""
        self._fd = fd

    @property
    def key(self) -> Hashable:
        """See `Condition.key`."""
        return ("readable", self._fd)

    def holds(self) -> bool:
        """See `Condition.holds`."""
        return is_readable(self._fd)

    def arm(self, alarm: Alarm) -> None:
        """Be woken when there is something to read."""
        alarm.fds.append(self._fd)
