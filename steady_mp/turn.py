"""Turns: stage, journal, publish.

A turn is the code between two commit points. What it takes and sends is staged in private memory and
beyond the committed tails, where nobody looks. `Turn.commit` makes all of it hold at once:

1. the staged records go into the rings, beyond the committed tails;
2. the state's snapshot goes into the slot that is not in force;
3. all cursors go into the journal slot that is not in force;
4. one 8-byte store, the epoch, puts that slot in force: this is the commit;
5. the cursors are copied into the channel headers (publish);
6. the neighbours that sleep until one of them are rung.

A death before 4 undoes the turn, a death after 4 is mended by repeating 5 and ringing everybody
(`recovery.py`). Nothing is ever locked.

**Group commit.** The end of a turn may put its commit off while nobody waits for it. The turns put off
and the turn at work then commit together, and that is where care is needed: a turn that has to wait in
its middle (in `send` or `take`) can't commit without being torn, yet what earlier turns have put off
must not wait for it. So commits are put off only while every end still has what a turn has used so far
(its *burst*); and when a turn has to wait in its middle all the same, for more than `_PATIENCE`, with
earlier turns put off, this life is abandoned: the next one repeats those turns from the last commit,
and never puts a commit off again. Commits may also be spaced on purpose, by the actor's `Cadence`.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from steady_mp.cadence import Nap
from steady_mp.memory import layout
from steady_mp.memory.fence import fence
from steady_mp.parking import Sleeper
from steady_mp.snapshot_cost import SnapshotCost
from steady_mp.staging import why_early

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.cadence import Cadence
    from steady_mp.channel.waits import Alarm, Condition, End
    from steady_mp.memory.control import ControlBlock, Cursor
    from steady_mp.memory.durability import Durability
    from steady_mp.memory.snapshots import SnapshotSlots
    from steady_mp.parking import Neighbour, Parker
    from steady_mp.recycling import Recycling
    from steady_mp.staging import Staging
    from steady_mp.state import StateBook

#: Seconds between two looks at whether a neighbour waits for what was put off.
_LOOK: Final = 100e-6
#: Turns that may begin without a look at the clock, where turns are that short.
_UNSEEN: Final = 4
#: Seconds after which what was put off is committed.
_PUT_OFF: Final = 1e-3
#: Seconds that a turn waits in its middle while earlier turns are put off.
_PATIENCE: Final = 1e-3
#: First turns of a life, each committed alone: they show how much a turn takes and sends.
_ALONE_AT_FIRST: Final = 16


class Turn:
    """The turns of one life of one actor. Only the thread that runs the behavior may use it."""

    __slots__ = (
        "_abandon",
        "_alone",
        "_book",
        "_cadence",
        "_clock",
        "_committed_at",
        "_control",
        "_cost",
        "_due",
        "_ends",
        "_entangled",
        "_epoch",
        "_fault",
        "_fence",
        "_finished",
        "_look",
        "_look_at",
        "_neighbours",
        "_parted",
        "_recycling",
        "_requested",
        "_sleeper",
        "_snapshot",
        "_snapshots",
        "_supervisor",
        "_sync",
        "_unseen",
        "_warned",
        "_wary",
        "_words",
        "left",
        "pending",
        "spaced",
        "touched",
    )

    def __init__(  # noqa: PLR0913 - the parts of an actor's process meet here and nowhere else
        self,
        *,
        control: ControlBlock,
        book: StateBook,
        snapshots: SnapshotSlots,
        parker: Parker,
        supervisor: Neighbour,
        abandon: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        fence: Callable[[], None] = fence,
        fault: Callable[[str], None] | None = None,
        grouped: bool = True,
        cadence: Cadence | None = None,
        recycling: Recycling | None = None,
        watched: bool = False,
        sync: Durability | None = None,
    ) -> None:
        """Continue from the journal in force. `abandon` ends this life for a fresh one.

        No turn of one that is `watched` for stalls begins without a look at the clock, so that each turn of more than
        a millisecond shows in LOOKED_NS.
        """
        journal = control.journal()
        self._control = control
        self._words = control.words
        self._book = book
        self._snapshots = snapshots
        self._cost = SnapshotCost(control.words, clock)
        self._snapshot = (journal.snapshot_slot, journal.snapshot_length, journal.snapshot_crc)
        self._sleeper = Sleeper(parker, control.words, clock, fence, fault)
        self._supervisor = supervisor
        self._abandon = abandon
        self._clock = clock
        self._fence = fence
        self._fault = fault
        self._sync = sync
        self._epoch = control.epoch
        self._requested = journal.requested
        self._finished = journal.finished
        self._ends: list[Staging] = []
        self._neighbours: list[Neighbour] = []
        self._entangled: dict[int, list[Staging]] = {}
        self._warned: set[str] = set()
        self._wary: list[Callable[[], bool]] = []
        grouped = grouped and not self._words[layout.UNGROUPED]
        self._alone: float = _ALONE_AT_FIRST if grouped else float("inf")
        #: Commits are spaced on purpose (`cadence.py`); never in a life that commits each turn alone.
        self.spaced = grouped and cadence is not None
        self._cadence = cadence if grouped else None
        self._look = 0.0 if cadence is not None and cadence.counts else _LOOK
        self._recycling = recycling
        self._committed_at = clock()
        self._due = False
        #: What the turn at work had done before its last wait was put off.
        self._parted = False
        self._unseen = 0 if watched else _UNSEEN
        #: Turns that ended without a commit since the last one.
        self.pending = 0
        #: The turn at work has staged something.
        self.touched = False
        #: Turns that may still begin before `is_running` has to look at the clock.
        self.left = 0
        self._look_at = 0.0

    def join(self, end: Staging, neighbour: Neighbour) -> None:
        """Make `end` part of each commit; `neighbour` is at its other end."""
        for other, known in zip(self._ends, self._neighbours, strict=True):
            if known is neighbour:
                self.entangle(end, other)
                self.entangle(other, end)
        self._ends.append(end)
        self._neighbours.append(neighbour)

    def entangle(self, end: Staging, other: Staging) -> None:
        """Note that what the peer of `end` does may depend on what is staged at `other`."""
        self._entangled.setdefault(id(end), []).append(other)

    def be_wary(self, still: Callable[[], bool]) -> None:
        """Commit each turn alone for as long as `still` answers True: a life has died over what comes there."""
        self._wary.append(still)

    @property
    def ends(self) -> list[Staging]:
        """All ends of this actor, in the order of the topology."""
        return self._ends

    # Ends of turns

    def call_for_commit(self) -> None:
        """Make the next `is_running` look up and commit."""
        self._due = True
        self.stay_alert()

    def stay_alert(self) -> None:
        """Make the next `is_running` look up."""
        self.pending -= self.left
        self.left = 0
        self._look_at = 0.0

    def glance(self) -> bool:
        """Put the commit of the turn at work off, if the time for a look has not come; tell whether it was."""
        if self._clock() >= self._look_at:
            return False
        self.pending += 1 + self._unseen
        self.left = self._unseen
        self.touched = False
        return True

    def end(self) -> None:
        """End the turn at work: commit it, or put that off while nobody waits for it."""
        now = self._clock()
        if self._must_commit(now):
            self.commit()
            if self._alone and not any(still() for still in self._wary):
                self._alone -= 1
            if self._recycling is not None:
                self._recycling.look(self._ends)
        else:
            self.pending += 1
            if self._cadence is not None:  # else it settles within a millisecond
                self._words[layout.LOOKED_NS] = int(now * 1e9)
        self.touched = False
        self._look_at = 0.0 if self._alone or self._due else now + self._look

    def _must_commit(self, now: float) -> bool:
        if self._due or self._alone:
            return True
        if self._cadence is not None:
            return self._cadence.is_over(self.pending + 1, now - self._committed_at)
        if now - self._committed_at >= _PUT_OFF:
            return True
        for end in self._ends:  # noqa: SIM110 - a generator would double what a look costs
            if end.is_urgent():
                return True
        return False

    def request_shutdown(self) -> None:
        """Ask, as part of this turn, for the graph to be drained."""
        self._requested = 1
        self.touched = True
        self.call_for_commit()

    def finish(self) -> None:
        """Commit for the last time: the actor has finished."""
        self._finished = 1
        self.commit()

    # Commit

    def commit(self) -> None:  # noqa: C901, PLR0912 - fault points, in line because each call would cost more than its step
        """Make all that was staged since the last commit hold at once. Never blocks, but for the disk (`sync`).

        Raises StateError when the state can't be pickled or saved.
        """
        fault = self._fault
        if fault is not None:
            fault("commit:begin")
        self._due = False
        began = self._clock()
        book = self._book
        snapshot = book.encode()
        if snapshot is None and book.values:
            self._cost.add(began, len(book.kept or b""), written=False)
        words = self._words
        ends = self._ends
        for end in ends:
            if end.is_staged():
                break
        else:
            if (
                snapshot is None
                and self._requested == words[layout.REQUESTED]
                and self._finished == words[layout.FINISHED]
            ):
                self._settle()
                return
        cursors = [end.freeze() for end in ends]
        if fault is not None:
            fault("commit:records")
        if snapshot is not None:
            slot = 1 - self._snapshot[0]
            self._snapshot = (slot, len(snapshot), self._snapshots.write(slot, snapshot))
            book.kept = snapshot
            self._cost.add(began, len(snapshot), written=True)
        if fault is not None:
            fault("commit:snapshot")
        epoch = self._epoch + 1
        journal = [*self._snapshot, self._requested, self._finished]
        for cursor in cursors:
            journal += cursor
        self._control.write_journal(epoch, journal)
        if fault is not None:
            fault("commit:journal")
        if self._sync is not None:
            self._sync.write(cursors, None if snapshot is None else self._snapshot[0])
        self._control.put_in_force(epoch)
        self._epoch = epoch
        if fault is not None:
            fault("commit:epoch")
        if self._sync is not None:
            self._sync.seal()
        self._publish(cursors)
        self._settle()

    def _publish(self, cursors: list[Cursor]) -> None:
        fault = self._fault
        alone = not self.pending and not self._parted
        for end, cursor in zip(self._ends, cursors, strict=True):
            end.publish(cursor, alone=alone)
            if fault is not None:
                fault("commit:publish")
        words = self._words
        asked = self._requested and not words[layout.REQUESTED]
        words[layout.REQUESTED] = self._requested
        words[layout.FINISHED] = self._finished
        if fault is not None:
            fault("commit:published")
        self._fence()
        for end, neighbour in zip(self._ends, self._neighbours, strict=True):
            if end.wants_ring():
                neighbour.ring()
                if fault is not None:
                    fault("commit:ring")
        if asked:
            self._supervisor.ring()
        if fault is not None:
            fault("commit:done")

    def _settle(self) -> None:
        self._words[layout.TURNS] += self.pending - self.left + 1
        self.pending = self.left = 0
        self._parted = False
        self._committed_at = now = self._clock()
        self._words[layout.LOOKED_NS] = int(now * 1e9)

    # Waits

    def pause(self, condition: Condition) -> None:
        """Wait until the condition holds or can't hold any more, whatever else happens; a commit point."""

        def over() -> bool:
            return condition.holds() or condition.impossible()

        while not over():
            self.rest(condition.arm, over)

    def rest(self, arm: Callable[[Alarm], None], ready: Callable[[], bool]) -> None:
        """Sleep like `sleep`, where a commit is allowed: behind one, or on what a cadence puts off (`cadence.Nap`)."""
        cadence, recycling = self._cadence, self._recycling
        until = 0.0 if cadence is None else cadence.until(self._committed_at)
        if cadence is not None and not (self._due or self._alone or cadence.is_draining or self._clock() >= until):
            self._parted = self._parted or any(end.is_staged() for end in self._ends)
            nap = Nap(cadence, until, self._ends, self._entangled, arm, ready)
            self.sleep(nap.arm, nap.is_over)
            self._due = nap.end() or self._due
            return
        self.commit()
        if recycling is not None:
            recycling.look(self._ends)
            arm = recycling.alarmed(arm)
        self.sleep(arm, ready)

    def hold(self, end: End, ready: Callable[[], bool]) -> None:
        """Wait in the middle of a turn until `ready` answers True, without ending the turn.

        Where that can never be, because the channel is full of the turn's own messages or somebody
        sleeps until what the turn has staged, the turn is torn: it commits early. Who comes to sleep
        for it after this look finds it said in the channel (`End.hold_back`), and rings.
        """
        patience = self._clock() + _PATIENCE
        if self._cadence is not None:
            patience = max(patience, self._cadence.until(self._committed_at))
        while not ready():
            torn = self._must_tear(end)
            behind = self.pending or self._parted
            if behind and (torn or self._clock() >= patience):
                self._words[layout.UNGROUPED] = 1
                self._abandon(
                    "a turn had to wait in its middle while earlier ones were put off; repeating them one by one"
                )
            if torn:
                self._commit_early(end)
            else:
                self._sleep_held(end, ready, patience if behind else None)

    def _must_tear(self, end: End) -> bool:
        """Tell whether nothing can change at `end` before this turn commits what it has staged."""
        return end.is_choked() or any(other.peer_waits() for other in self._entangled.get(id(end), ()))

    def _sleep_held(self, end: End, ready: Callable[[], bool], deadline: float | None) -> None:
        held = [end, *self._entangled.get(id(end), ())]

        def arm(alarm: Alarm) -> None:
            end.arm_change()
            alarm.ends.append(end)
            for other in held:
                other.hold_back(here=other is end)
            if deadline is not None:
                alarm.at(deadline)

        self.sleep(arm, lambda: ready() or self._must_tear(end))
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
