"""Recycling: an actor that has lived long enough begins its next life, at a commit and by its own decision."""

from __future__ import annotations

import logging
import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from steady_mp.amounts import is_count, is_duration
from steady_mp.errors import ConfigurationError
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.channel.waits import Alarm
    from steady_mp.staging import Staging

#: Seconds between two looks at the size of the process.
_LOOK: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Recycle:
    """When an actor begins its next life though nothing has failed: a cure for libraries that leak.

    A life ends behind the first commit at which one of the limits is passed: `max_rss` bytes of resident memory (as
    `ps` shows it, the parts of channels that it has touched included), `max_messages` messages that this life has
    taken (sent, for an actor without inputs), or `max_age` seconds since it began. An actor that sleeps is recycled
    by its age too.

    Raises ConfigurationError without any limit, and for one that is not above 0.
    """

    max_rss: int | None = None
    max_messages: int | None = None
    max_age: float | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for name, unit in (("max_rss", "bytes"), ("max_messages", "messages")):
            value = getattr(self, name)
            if value is not None and not is_count(value):
                raise ConfigurationError(f"Recycle: {name} {value!r} must be a whole number of {unit}, 1 or more")
        if self.max_age is not None and not is_duration(self.max_age):
            raise ConfigurationError(f"Recycle: max_age {self.max_age!r} must be a number of seconds above 0")
        if self.max_rss is None and self.max_messages is None and self.max_age is None:
            raise ConfigurationError("Recycle: give it a limit: max_rss (bytes), max_messages or max_age (seconds)")


def resident_bytes() -> int:
    """Return the resident memory of this process; where there is no /proc, the most that it ever was."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:  # pragma: no cover - macOS, whose unit here is the byte
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Recycling:
    """The limits of one life."""

    __slots__ = ("_born", "_clock", "_first", "_limits", "_look_at", "_most_rss", "_retire", "_rss", "_run", "until")

    def __init__(
        self,
        limits: Recycle,
        *,
        run: memoryview,
        retire: Callable[[str], None],
        clock: Callable[[], float],
        rss: Callable[[], int] = resident_bytes,
    ) -> None:
        """Begin a life with these limits; `retire` ends it for a fresh one."""
        self._limits = limits
        self._run = run
        self._retire = retire
        self._clock = clock
        self._rss = rss
        self._born = clock()
        #: The moment at which this life is too old.
        self.until = None if limits.max_age is None else self._born + limits.max_age
        self._look_at = self._born
        self._most_rss = limits.max_rss
        self._first = 0

    def alarmed(self, arm: Callable[[Alarm], None]) -> Callable[[Alarm], None]:
        """Return what arms a sleep as `arm` does, and wakes it when this life is too old.

        One whose size counts is asked again behind each long sleep: a thread of its own may let it grow.
        """
        until, weighed = self.until, self._most_rss is not None
        if (until is None and not weighed) or self._run[layout.SHUTDOWN]:
            return arm

        def both(alarm: Alarm) -> None:
            arm(alarm)
            alarm.asks_again = alarm.asks_again or weighed
            if until is not None:
                alarm.at(until)

        return both

    def look(self, ends: Sequence[Staging]) -> None:
        """End this life if it has passed a limit. Call it where everything is committed."""
        if self._run[layout.SHUTDOWN]:  # it ends anyway
            return
        if reason := self._passed(_moved(ends) - self._first):
            self._retire(reason)

    def begin(self, ends: Sequence[Staging]) -> None:
        """Count messages from where the life begins."""
        self._first = _moved(ends)

    def _passed(self, moved: int) -> str | None:
        limits, now = self._limits, self._clock()
        if limits.max_messages is not None and moved >= limits.max_messages:
            return f"max_messages {limits.max_messages:,} reached"
        if self.until is not None and now >= self.until:
            return f"max_age {limits.max_age:g} s reached"
        if self._most_rss is None or now < self._look_at:
            return None
        first, self._look_at = self._look_at == self._born, now + _LOOK
        found = self._rss()
        if found < self._most_rss:
            return None
        if first:  # another life would begin just so
            self._most_rss = None
            logging.getLogger("steady_mp").warning(
                "max_rss %s is less than this actor has at its first commit (%s bytes): a fresh life would not help, "
                "so this one is not recycled for it; raise max_rss",
                f"{limits.max_rss:,}",
                f"{found:,}",
            )
            return None
        return f"max_rss {limits.max_rss:,} passed with {found:,} bytes"


def _moved(ends: Sequence[Staging]) -> int:
    """Return how far the cursors have come; not `position`, which is a dead letter's own where one comes back."""
    inputs = [end for end in ends if not end.sends]
    return sum(end.mark()[0] for end in inputs or ends)
