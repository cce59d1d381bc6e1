"""Cadence: commits that are spaced on purpose, for actors whose state is dear to save.

`Turn` asks at each of its points where a commit is allowed. At the end of a turn the answer is the clock's and the
count's alone. Where the actor comes to sleep, it may sleep on what it has put off, until that is due at the latest; but
not while somebody waits for it whom it waits for itself, for then the graph would stand still until that moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steady_mp.amounts import is_count, is_duration
from steady_mp.errors import ConfigurationError
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from steady_mp.channel.waits import Alarm, End
    from steady_mp.staging import Staging


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitEvery:
    """How an actor spaces its commits: one after `turns` turns or `seconds` seconds, whichever comes first.

    What the actor has taken, sent and remembered since its last commit stays unseen until then, and a crash repeats it,
    so nothing is lost or doubled at any setting. Without `turns` the seconds alone decide.

    Raises ConfigurationError for `seconds` that are not above 0, and `turns` that are no whole number from 1 on.
    """

    seconds: float
    turns: int | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not is_duration(self.seconds):
            raise ConfigurationError(f"CommitEvery: seconds {self.seconds!r} must be a number of seconds above 0")
        if self.turns is not None and not is_count(self.turns):
            raise ConfigurationError(f"CommitEvery: turns {self.turns!r} must be a whole number, 1 or more")


class Cadence:
    """The spacing of one life's commits."""

    __slots__ = ("_every", "_run")

    def __init__(self, every: CommitEvery, run: memoryview) -> None:
        """Space commits as `every` says; `run` has the words of the run."""
        self._every = every
        self._run = run

    @property
    def counts(self) -> bool:
        """Whether each turn has to be counted."""
        return self._every.turns is not None

    @property
    def is_draining(self) -> bool:
        """Whether a shutdown was requested: who sleeps then commits before."""
        return bool(self._run[layout.SHUTDOWN])

    def until(self, committed_at: float) -> float:
        """Return the moment at which the next commit is due."""
        return committed_at + self._every.seconds

    def is_over(self, turns: int, seconds: float) -> bool:
        """Tell whether a commit is due, so many turns and seconds after the last one."""
        return seconds >= self._every.seconds or (self._every.turns is not None and turns >= self._every.turns)


class Nap:
    """One sleep on what was put off.

    While it lasts the channels say what is held back (`End.hold_back`), so that a neighbour that comes to need it
    after the last look rings.
    """

    __slots__ = ("_arm", "_asking", "_cadence", "_ends", "_held", "_own", "_ready", "_until", "_waits")

    def __init__(  # noqa: PLR0913, PLR0917 - made in one place
        self,
        cadence: Cadence,
        until: float,
        ends: Sequence[Staging],
        asking: Mapping[int, Sequence[End]],
        own: Mapping[int, Staging],
        arm: Callable[[Alarm], None],
        ready: Callable[[], bool],
    ) -> None:
        """Sleep until the moment `until`; `asking` are the ends to which what an end waits for may be the answer.

        `own` are the other ends of the channels to itself; `arm` and `ready` say what is waited for, as for any sleep.
        """
        self._cadence = cadence
        self._until = until
        self._ends = ends
        self._asking = asking
        self._own = own
        self._arm = arm
        self._ready = ready
        self._waits: list[End] = []
        self._held: list[End] = []

    def arm(self, alarm: Alarm) -> None:
        """Take note of what is waited for, and tell the neighbours what they would have to wait for."""
        self._arm(alarm)
        alarm.at(self._until)
        alarm.gives_way = True
        self._waits = list(alarm.ends)
        self._held = [end for end in self._ends if not end.sends]
        for end in self._waits:
            self._held += self._questions(end)
        for other in self._held:
            other.hold_back(here=False)

    def _questions(self, end: End) -> Sequence[End]:
        """Return the outputs whose messages may lead to what comes in at `end`."""
        return self._asking.get(id(end), ())

    def is_over(self) -> bool:
        """Tell whether there is no reason to sleep on: it has come, or the commit is needed."""
        return self._ready() or self._is_needed()

    def _is_needed(self) -> bool:
        """Tell whether the commit can't be put off any longer.

        Somebody waits for the room that was taken; this actor waits for room itself, for what it has sent to itself, or
        for the answer of somebody who waits for its question; or the graph drains.
        """
        if self._cadence.is_draining or any(own.is_staged() for own in self._other_ends()):
            return True
        if any(end.sends for end in self._waits) and any(end.is_staged() for end in self._ends):
            return True
        return any(not end.sends and end.peer_waits() for end in self._ends) or any(
            other.peer_waits() for end in self._waits for other in self._questions(end)
        )

    def _other_ends(self) -> list[Staging]:
        """Return the other ends, this actor's as well, of the channels at which it waits."""
        return [self._own[id(end)] for end in self._waits if id(end) in self._own]

    def end(self) -> bool:
        """Hold nothing back any more; tell whether the commit is needed now."""
        for other in self._held:
            other.let_go()
        return self._is_needed()
