"""The stall watch: an actor with a `stall_timeout` that does not look up for so long is killed, and begins anew.

The actor's own loop says when it last looked up (`memory/standing.py`), so nobody has to guess from processor time: a
loop without end, a sleep without end and a hang in C look alike. One that waits is idle or blocked, which is no stall
however long it lasts. Time in which it could not look up does not count: while it is debugged, frozen by chaos, or
while the watch itself did not run (the whole run was stopped).
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from steady_mp.events import ActorStalled
from steady_mp.memory import layout
from steady_mp.memory.signals import blocked_by, catches, is_pending
from steady_mp.memory.standing import halt_of, is_debugged, seconds_in_its_code
from steady_mp.plan import actor_file
from steady_mp.supervisor.messages import LookForStalls, StackDue
from steady_mp.supervisor.seat import Status
from steady_mp.supervisor.stacks import ASK, top_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from steady_mp.events import Event
    from steady_mp.memory.standing import Halt
    from steady_mp.supervisor.messages import Message
    from steady_mp.supervisor.seat import Seat

#: What the death of one is called that was stuck.
STALL: Final = "stall"
#: Looks in the time of the shortest `stall_timeout`, and seconds between two looks at most.
_LOOKS: Final = 4
_LONGEST_PAUSE: Final = 0.5
#: Seconds that a stuck process has to dump its stacks (on a busy machine it may get no core for half of one), and
#: between two looks at the dump.
_ANSWER: Final = 2.0
_SOON: Final = 0.02


@dataclass(slots=True)
class _Watched:
    """What is known of one life."""

    generation: int
    #: From when on time counts, and since when the process stands still.
    since: float
    stopped_since: float | None = None
    #: It was asked for its stacks: when, how long it was stuck then, where it stood, and who does not hear the signal.
    asked_at: float = 0.0
    seconds: float = 0.0
    mark: tuple[int, ...] = ()
    deaf: frozenset[str] = frozenset()
    asked: bool = False
    #: It can hear the question.
    answers: bool = False


class StallWatch:
    """Watches the actors that have a `stall_timeout`, by timers of the supervisor's loop."""

    def __init__(  # noqa: PLR0913 - made in one place
        self,
        seats: Sequence[Seat],
        directory: Path,
        *,
        emit: Callable[[Event], None],
        after: Callable[[float, Message], None],
        is_frozen: Callable[[int], bool],
        clock: Callable[[], float] = time.monotonic,
        halt: Callable[[int], Halt] = halt_of,
    ) -> None:
        """Watch those of `seats` with a limit. `is_frozen` tells whom chaos has stopped."""
        self._limits = {seat.index: seat.plan.stall_timeout for seat in seats if seat.plan.stall_timeout is not None}
        self._seats = seats
        self._directory = directory
        self._emit = emit
        self._after = after
        self._is_frozen = is_frozen
        self._clock = clock
        self._halt = halt
        self._pause = min([_LONGEST_PAUSE, *(limit / _LOOKS for limit in self._limits.values())])
        self._due = 0.0
        self._watched: dict[int, _Watched] = {}
        #: Lives that were killed here: cause, detail and stack.
        self._verdicts: dict[int, tuple[str, str, str]] = {}

    def begin(self) -> None:
        """Look for the first time in a moment, if there is anybody to watch."""
        if self._limits:
            self._due = self._clock() + self._pause
            self._after(self._pause, LookForStalls())

    def look(self) -> None:
        """Look at everybody, and again in a moment."""
        now = self._clock()
        if now - self._due > self._pause:  # nobody looked for so long: the actors may have been held up as well
            self._watched.clear()
        for index, limit in self._limits.items():
            seat = self._seats[index]
            if seat.status is Status.RUNNING and seat.pid is not None and index not in self._verdicts:
                self._look_at(seat, seat.pid, limit, now)
        self.begin()

    def _look_at(self, seat: Seat, pid: int, limit: float, now: float) -> None:
        watched = self._watched.get(seat.index)
        if watched is None or watched.generation != seat.generation:
            watched = self._watched[seat.index] = _Watched(seat.generation, now)
        halt = self._halt(pid)
        if self._is_held_up(seat, halt):
            watched.since, watched.stopped_since = now, None
        elif halt.stopped:
            watched.since = now
            if watched.stopped_since is None:
                watched.stopped_since = now
            elif now - watched.stopped_since >= limit:
                self._kill(seat, limit, now - watched.stopped_since, stopped=True)
        else:
            watched.stopped_since = None
            seconds = min(seconds_in_its_code(seat.control.words, now), now - watched.since)
            if seconds >= limit and not watched.asked:
                self._ask(seat, pid, watched, seconds)

    def _is_held_up(self, seat: Seat, halt: Halt) -> bool:
        return halt.traced or is_debugged(seat.control.words) or self._is_frozen(seat.index)

    def _ask(self, seat: Seat, pid: int, watched: _Watched, seconds: float) -> None:
        """Have a stuck process dump its stacks; what comes of it is looked at in a moment."""
        watched.asked, watched.asked_at, watched.seconds, watched.answers = True, self._clock(), seconds, False
        watched.mark = _mark(seat)
        watched.deaf = frozenset(blocked_by(pid, ASK))
        with suppress(OSError):
            os.truncate(self._stack(seat), 0)
            watched.answers = catches(pid, ASK) is not False
            if watched.answers:  # else the signal would end it
                seat.kill(ASK)
        self._after(_SOON, StackDue(seat.index, seat.generation))

    def take_stack(self, due: StackDue) -> None:
        """Kill a stuck life once its dump is whole, or will not come; not if it goes on after all."""
        seat, watched = self._seats[due.actor], self._watched.get(due.actor)
        if watched is None or seat.pid is None or not due.generation == seat.generation == watched.generation:
            return
        waited = self._clock() - watched.asked_at
        if _mark(seat) != watched.mark or self._is_held_up(seat, self._halt(seat.pid)):
            watched.asked, watched.since = False, self._clock()
        elif self._is_whole(seat, seat.pid, watched) or waited >= (_ANSWER if watched.answers else _SOON):
            self._kill(seat, self._limits[seat.index], watched.seconds + waited, stack=self._dump(seat))
        else:
            self._after(_SOON, due)

    def _is_whole(self, seat: Seat, pid: int, watched: _Watched) -> bool:
        with suppress(OSError):
            return (
                self._stack(seat).stat().st_size > 0
                and catches(pid, ASK) is not None
                and not is_pending(pid, ASK)
                and blocked_by(pid, ASK) <= watched.deaf
            )
        return False

    def _stack(self, seat: Seat) -> Path:
        return self._directory / actor_file(seat.index, "stack")

    def _dump(self, seat: Seat) -> str:
        with suppress(OSError):  # there is none, or no descriptor to read it by: the actor is stuck all the same
            return self._stack(seat).read_text(errors="replace")
        return ""

    def _kill(self, seat: Seat, limit: float, seconds: float, *, stopped: bool = False, stack: str = "") -> None:
        where = top_frame(stack)
        if stopped:
            verdict = ("stopped", f"by SIGSTOP or the like, for {seconds:.1f} s; stall_timeout is {limit:g} s", "")
        else:
            at = f", at {where}" if where else ""
            verdict = (STALL, f"in its own code for {seconds:.1f} s{at}; stall_timeout is {limit:g} s", stack)
        self._verdicts[seat.index] = verdict
        self._emit(
            ActorStalled(
                actor=seat.name,
                generation=seat.generation,
                seconds=seconds,
                limit=limit,
                where=where,
                stopped=stopped,
            )
        )
        seat.kill()

    def ended(self, seat: Seat, status: int | None) -> tuple[str, str, str] | None:
        """Take note that a life has ended; return cause, detail and stack if it was killed here."""
        self._watched.pop(seat.index, None)
        verdict = self._verdicts.pop(seat.index, None)
        return verdict if status is None or status < 0 else None


def _mark(seat: Seat) -> tuple[int, ...]:
    words = seat.control.words
    return words[layout.LOOKED_NS], words[layout.PHASE], words[layout.PARKS]
