"""Waiting: how a turn waits, where a commit is allowed and in its middle."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, Protocol

from steady_mp.cadence import Nap
from steady_mp.memory import layout
from steady_mp.staging import why_early

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.cadence import Cadence
    from steady_mp.channel.waits import Alarm, Condition, End
    from steady_mp.parking import Neighbour, Sleeper
    from steady_mp.recycling import Recycling
    from steady_mp.staging import Staging

#: Seconds that a turn waits in its middle while earlier turns are put off.
_PATIENCE: Final = 1e-3
#: Seconds until a turn that waits in its middle looks again whether all stand still; each time twice as many, at most:
_DOUBT: Final = 1e-3
_MOST_DOUBT: Final = 1.0
#: Seconds without a move where it waits, after which also who may be woken in several ways is taken to stand still.
_RELUCTANCE: Final = 10.0


class StandsStill(Protocol):
    """Tells whether a wait can't end before something is committed: see `Standstill.has_come`."""

    def __call__(self, end: int, held: Sequence[int], *, choosy: bool) -> bool:
        """Tell it of a wait at the actor's end number `end`, and of what is staged at the ends `held`."""


class Waiting(ABC):
    """The waits of a `Turn`, and what they have in common with its commits."""

    __slots__ = (
        "_abandon",
        "_alone",
        "_asking",
        "_cadence",
        "_clock",
        "_committed_at",
        "_due",
        "_ends",
        "_entangled",
        "_neighbours",
        "_own",
        "_parted",
        "_recycling",
        "_sleeper",
        "_stands_still",
        "_warned",
        "_words",
        "pending",
    )

    def __init__(  # noqa: PLR0913 - made by a turn only
        self,
        words: memoryview,
        sleeper: Sleeper,
        clock: Callable[[], float],
        abandon: Callable[[str], None],
        *,
        cadence: Cadence | None,
        recycling: Recycling | None,
        stands_still: StandsStill | None,
    ) -> None:
        """Begin with nothing to wait for; `abandon` ends this life for a fresh one."""
        self._words = words
        self._sleeper = sleeper
        self._clock = clock
        self._abandon = abandon
        self._cadence = cadence
        self._recycling = recycling
        self._stands_still = stands_still
        self._ends: list[Staging] = []
        self._neighbours: list[Neighbour] = []
        self._entangled: dict[int, list[Staging]] = {}
        self._asking: dict[int, list[Staging]] = {}
        #: The other ends of this actor's channels to itself.
        self._own: dict[int, Staging] = {}
        self._warned: set[str] = set()
        self._committed_at = clock()
        #: The next end of a turn has to commit.
        self._due = False
        #: Ends of turns that have to commit each, whoever waits.
        self._alone: float = 0
        #: What the turn at work had done before its last wait was put off.
        self._parted = False
        #: Turns that ended without a commit since the last one.
        self.pending = 0

    @abstractmethod
    def commit(self) -> None:
        """Make all that was staged since the last commit hold at once."""

    @abstractmethod
    def stay_alert(self) -> None:
        """Make the next `is_running` look up."""

    # Where a commit is allowed

    def pause(self, condition: Condition) -> None:
        """Wait until the condition holds or can't hold any more, whatever else happens; a commit point."""
        while not condition.holds():
            if condition.impossible():
                return
            self.rest(condition.arm, lambda: condition.holds() or condition.impossible())

    def rest(self, arm: Callable[[Alarm], None], ready: Callable[[], bool]) -> None:
        """Sleep like `sleep`, where a commit is allowed: behind one, or on what a cadence puts off (`cadence.Nap`)."""
        cadence, recycling = self._cadence, self._recycling
        until = 0.0 if cadence is None else cadence.until(self._committed_at)
        if cadence is not None and not (self._due or self._alone or cadence.is_draining or self._clock() >= until):
            self._parted = self._parted or any(end.is_staged() for end in self._ends)
            nap = Nap(cadence, until, self._ends, self._asking, self._own, arm, ready)
            self.sleep(nap.arm, nap.is_over)
            self._due = nap.end() or self._due
            return
        self.commit()
        if recycling is not None:
            recycling.look(self._ends)
            arm = recycling.alarmed(arm)
        self.sleep(arm, ready)

    # In the middle of a turn

    def hold(self, end: End, ready: Callable[[], bool]) -> None:
        """Wait in the middle of a turn until `ready` answers True, without ending the turn.

        Where that can never be, because the channel is full of the turn's own messages, or because what is waited
        for waits for what the turn has staged, the turn is torn: it commits early. Who comes to sleep for that
        after this look finds it said in the channel (`End.hold_back`), and rings.
        """
        patience = self._clock() + _PATIENCE
        if self._cadence is not None:
            patience = max(patience, self._cadence.until(self._committed_at))
        since, mark, doubt = self._clock(), end.mark(), _DOUBT
        while not ready():
            now, before, mark = self._clock(), mark, end.mark()
            if mark != before:
                since, doubt = now, _DOUBT
            needed = self._needed_beside(end)
            torn = self._must_tear(end) or self._all_stand_still(end, needed, choosy=now - since >= _RELUCTANCE)
            torn = torn and not ready()  # a peer may have moved meanwhile
            behind = self.pending or self._parted
            if behind and (torn or now >= patience):
                self._words[layout.UNGROUPED] = 1
                self._abandon(
                    "a turn had to wait in its middle while earlier ones were put off; repeating them one by one"
                )
            if torn:
                self._commit_early(end)
                continue
            deadline = patience if behind else None
            if needed:  # who falls asleep last of a chain may be no neighbour, and rings nobody here: look again
                deadline = now + doubt if deadline is None else min(deadline, now + doubt)
                doubt = min(2 * doubt, _MOST_DOUBT)
            self._sleep_held(end, ready, deadline, needed)

    def _must_tear(self, end: End) -> bool:
        """Tell whether it is certain that nothing can change at `end` before this turn commits what it has staged."""
        own = self._own.get(id(end))
        if own is not None and own.is_staged():
            return True
        return end.is_choked() or any(other.peer_waits() for other in self._asking.get(id(end), ()))

    def _all_stand_still(self, end: End, needed: Sequence[Staging], *, choosy: bool) -> bool:
        """Tell whether nobody can move before this turn commits what is staged at the ends `needed`."""
        if self._stands_still is None or not needed:
            return bool(needed)
        position: Callable[[object], int] = self._ends.index  # type: ignore[assignment]
        return self._stands_still(position(end), [position(other) for other in needed], choosy=choosy)

    def _needed_beside(self, end: End) -> list[Staging]:
        """Return the ends that may have to do with `end` and at which somebody sleeps for what is staged there."""
        return [other for other in self._entangled.get(id(end), ()) if other.peer_waits()]

    def _sleep_held(
        self, end: End, ready: Callable[[], bool], deadline: float | None, needed: Sequence[Staging]
    ) -> None:
        """Sleep until `ready` answers True, the deadline comes, or more is needed than what was `needed` before."""
        held, known = [end, *self._entangled.get(id(end), ())], set(needed)

        def arm(alarm: Alarm) -> None:
            end.arm_change()
            alarm.ends.append(end)
            if end.sends:
                alarm.blocked = end
            alarm.gives_way = bool(self.pending or self._parted)  # to the next life, once it is out of patience
            for other in held:
                other.hold_back(here=other is end)
            if deadline is not None:
                alarm.at(deadline)

        try:
            self.sleep(arm, lambda: ready() or self._must_tear(end) or not known.issuperset(self._needed_beside(end)))
        except Exception:  # of a signal's handler; who is killed leaves it to whoever mends that
            self._let_go(held)
            raise
        self._let_go(held)

    @staticmethod
    def _let_go(held: Sequence[End]) -> None:
        for other in held:
            other.let_go()

    def _commit_early(self, end: End) -> None:
        name = self._ends[self._ends.index(end)].name  # type: ignore[arg-type]
        self._words[layout.EARLY_COMMITS] += 1
        if name not in self._warned:
            self._warned.add(name)
            logging.getLogger("steady_mp").warning(
                "a turn was committed early, so a crash repeats only its rest: %s", why_early(end, name)
            )
        self.commit()

    def sleep(self, arm: Callable[[Alarm], None], ready: Callable[[], bool]) -> None:
        """Sleep until what `arm` arranges for, unless `ready` answers True already."""
        self._sleeper.sleep(arm, ready, self._ends, self._neighbours)
        self.stay_alert()
