"""How an actor sleeps: one `poll` over everything that may wake it."""

from __future__ import annotations

import contextlib
import errno
import os
import select
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

from steady_mp.channel.waits import Alarm
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.channel.waits import End
    from steady_mp.memory.doorbell import Doorbell

#: Seconds after which a sleeper looks again unasked. Each time that this finds something is counted
#: as a rescue; no test may need one.
SAFETY: Final = 5.0

#: Looks of an actor that spins between two at the clock.
_LOOKS: Final = 4
#: Lets whoever waits for this core run first.
give_way: Final[Callable[[], None]] = getattr(os, "sched_yield", lambda: None)


class Wake(Enum):
    """Why a sleep ended."""

    RUNG = "rung"
    TIMER = "timer"
    SAFETY = "safety"


class Parker(Protocol):
    """Puts the calling actor to sleep."""

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> Wake:
        """Sleep until rung, until one of `fds` is readable, or for `seconds`."""


class Neighbour(Protocol):
    """Whoever is at the other end of a channel."""

    def ring(self) -> None:
        """Wake it."""


class Sleeper:
    """Falls asleep without losing a wake-up, and keeps account of it in the actor's control block."""

    __slots__ = ("_clock", "_counted_ns", "_fault", "_fence", "_parker", "_spin", "_words")

    def __init__(  # noqa: PLR0913 - made in one place
        self,
        parker: Parker,
        words: memoryview,
        clock: Callable[[], float],
        fence: Callable[[], None],
        fault: Callable[[str], None] | None,
        *,
        spin: float = 0.0,
    ) -> None:
        """Sleep by `parker`, after `spin` seconds of looking; `fault` is told of each fault point."""
        self._parker = parker
        self._words = words
        self._clock = clock
        self._fence = fence
        self._fault = fault
        self._spin = spin
        #: Up to when the time of the present sleep is added up.
        self._counted_ns = 0

    def sleep(
        self,
        arm: Callable[[Alarm], None],
        ready: Callable[[], bool],
        ends: Sequence[End],
        neighbours: Sequence[Neighbour],
    ) -> None:
        """Sleep until what `arm` arranges for, unless `ready` answers True already.

        The order is the whole point: say what is waited for, fence, look again, sleep. Either this
        look sees what a peer has published, or the peer's look behind its own fence sees that we wait.
        """
        if self._spin and self._looks_until(ready):
            return
        alarm = Alarm()
        arm(alarm)
        fault = self._fault
        if fault is not None:
            fault("park:armed")
        self._fence()
        if not ready() and not _is_overtaken(alarm.ends):
            for end in alarm.ends:
                if end.peer_must_know():
                    neighbours[ends.index(end)].ring()
            self._fall_asleep(alarm, ends)
            try:
                while self._is_still(self._sleep_once(alarm), alarm, ready):
                    pass
            except Exception:  # of a signal's handler
                self._is_still(Wake.RUNG, alarm, ready)  # counts the time, and says that it has looked up
                for end in alarm.ends:
                    end.disarm()
                raise
        for end in alarm.ends:
            end.disarm()

    def _looks_until(self, ready: Callable[[], bool]) -> bool:
        """Look again and again for a while; tell whether what is waited for came. It says nothing to anybody."""
        clock = self._clock
        until = clock() + self._spin
        while clock() < until:
            for _ in range(_LOOKS):
                if ready():
                    return True
            # Who was rung just now may have been put on this core, and would wait there for the end of this.
            give_way()
        return False

    def _fall_asleep(self, alarm: Alarm, ends: Sequence[End]) -> None:
        """Say since when we wait, and for room in which channel."""
        words = self._words
        words[layout.PARKS] += 1
        self._counted_ns = words[layout.WAIT_SINCE_NS] = int(self._clock() * 1e9)
        words[layout.BLOCKED_ON] = 0 if alarm.blocked is None else ends.index(alarm.blocked) + 1
        words[layout.OTHER_WAYS] = layout.GIVES_WAY if alarm.gives_way else int(alarm.has_choice)
        words[layout.PHASE] = layout.PHASE_WAITING

    def _sleep_once(self, alarm: Alarm) -> Wake:
        fault = self._fault
        if fault is not None:
            fault("park:sleep")
        seconds = None if alarm.deadline is None else max(0.0, alarm.deadline - self._clock())
        wake = self._parker.sleep(seconds, alarm.fds)
        if fault is not None:
            fault("park:woke")
        return wake

    def _is_still(self, wake: Wake, alarm: Alarm, ready: Callable[[], bool]) -> bool:
        """Tell whether nothing has come, so that the sleep can go on without a turn and a commit; count its time."""
        words = self._words
        still = missed = False
        now = self._clock()
        try:
            if wake is Wake.SAFETY:
                came = ready()
                missed = came and (alarm.deadline is None or now < alarm.deadline)
                still = not (came or alarm.asks_again or _is_overtaken(alarm.ends))
        finally:  # a condition that raises ends the sleep as well
            now_ns = int(now * 1e9)
            passed_ns, self._counted_ns = now_ns - self._counted_ns, now_ns
            words[layout.LOOKED_NS] = now_ns  # before the phase: see `standing`
            if not still:
                words[layout.PHASE] = layout.PHASE_RUNNING
            words[layout.WAITED_NS] += passed_ns
            if alarm.blocked is not None:
                alarm.blocked.charge(passed_ns)
        if missed:
            words[layout.RESCUES] += 1
        return still


def _is_overtaken(ends: Sequence[End]) -> bool:
    for end in ends:  # noqa: SIM110 - a generator would double what a sleep costs here
        if end.is_overtaken():
            return True
    return False


class PollParker:
    """Sleeps in ``poll``; ends the process when the supervisor's end of the lifeline closes."""

    __slots__ = ("_bell", "_lifeline", "_orphaned", "_poll")

    def __init__(self, bell: Doorbell, lifeline: int, orphaned: Callable[[], None]) -> None:
        """Watch the actor's own bell and the lifeline."""
        self._bell = bell
        self._lifeline = lifeline
        self._orphaned = orphaned
        self._poll = select.poll()
        self._poll.register(bell.fd, select.POLLIN)
        self._poll.register(lifeline, select.POLLIN)

    def sleep(self, seconds: float | None, fds: Sequence[int]) -> Wake:
        """See `Parker.sleep`."""
        wait = SAFETY if seconds is None else min(seconds, SAFETY)
        # poll counts whole milliseconds: round up, or a timer would spin through its last one.
        milliseconds = max(0, -int(-wait * 1000 // 1))
        ready = self._poll_with(set(fds), milliseconds) if fds else self._poll.poll(milliseconds)
        for fd, _ in ready:
            if fd == self._bell.fd:
                self._bell.clear()
            elif fd == self._lifeline:
                self._orphaned()
        if ready:
            return Wake.RUNG
        return Wake.TIMER if seconds is not None and seconds <= SAFETY else Wake.SAFETY

    def _poll_with(self, fds: set[int], milliseconds: int) -> list[tuple[int, int]]:
        """Watch `fds` as well, for this once, whatever a signal's handler raises."""
        try:
            for fd in fds:
                self._poll.register(fd, select.POLLIN)
            return self._poll.poll(milliseconds)
        finally:
            for fd in fds:
                with contextlib.suppress(KeyError):  # it was not registered yet
                    self._poll.unregister(fd)


def is_readable(fd: int) -> bool:
    """Tell whether reading from `fd` would not block. Raises OSError for a descriptor that is not open."""
    probe = select.poll()
    probe.register(fd, select.POLLIN)
    ready = probe.poll(0)
    if ready and ready[0][1] & select.POLLNVAL:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), f"descriptor {fd}")
    return bool(ready)
