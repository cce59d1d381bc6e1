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
(its *burst*); and when a turn has to wait in its middle all the same, for more than `_PATIENCE` (`waiting.py`),
with earlier turns put off, this life is abandoned: the next one repeats those turns from the last
commit, and never puts a commit off again. Commits may also be spaced on purpose, by the actor's `Cadence`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NoReturn

from steady_mp.errors import SteadyError
from steady_mp.memory import layout
from steady_mp.memory.fence import fence
from steady_mp.next_journal import NextJournal
from steady_mp.parking import Sleeper
from steady_mp.snapshot_cost import SnapshotCost
from steady_mp.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from steady_mp.cadence import Cadence
    from steady_mp.memory.control import ControlBlock, CursorWords
    from steady_mp.memory.durability import Durability
    from steady_mp.memory.snapshots import SnapshotSlots
    from steady_mp.parking import Neighbour, Parker
    from steady_mp.recycling import Recycling
    from steady_mp.staging import Staging
    from steady_mp.state import StateBook
    from steady_mp.waiting import StandsStill

#: Seconds at least between two looks at whether a neighbour waits for what was put off.
_LOOK: Final = 100e-6
#: The same in durations of a commit, so that who is waited for does not spend its time on committing.
_DEAR: Final = 12
#: Turns that may begin without a look at the clock, where turns are that short; and more where they are brief.
_UNSEEN: Final = 4
_UNSEEN_BRIEF: Final = 11
#: Seconds below which a turn is brief, on the average since the last commit.
_BRIEF: Final = 2e-6
#: Seconds after which what was put off is committed.
_PUT_OFF: Final = 1e-3
#: First turns of a life, each committed alone: they show how much a turn takes and sends.
_ALONE_AT_FIRST: Final = 16


def _refuse_fork(_: str) -> NoReturn:
    message = "this is a fork of an actor's process, and only the actor's own can commit: let it end by os._exit()"
    raise SteadyError(message)


class Turn(Waiting):
    """The turns of one life of one actor. Only the thread that runs the behavior may use it."""

    __slots__ = (
        "_book",
        "_control",
        "_cost",
        "_fault",
        "_fence",
        "_look",
        "_look_at",
        "_news",
        "_next",
        "_snapshots",
        "_supervisor",
        "_sync",
        "_unseen",
        "_wary",
        "_watched",
        "left",
        "moved",
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
        spin: float = 0.0,
        cadence: Cadence | None = None,
        recycling: Recycling | None = None,
        watched: bool = False,
        sync: Durability | None = None,
        stands_still: StandsStill | None = None,
    ) -> None:
        """Continue from the journal in force. `abandon` ends this life for a fresh one.

        No turn of one that is `watched` for stalls begins without a look at the clock, so that each turn of more than
        a millisecond shows in LOOKED_NS.
        """
        grouped = grouped and not control.words[layout.UNGROUPED]
        super().__init__(
            control.words,
            Sleeper(parker, control.words, clock, fence, fault, spin=spin),
            clock,
            abandon,
            cadence=cadence if grouped else None,
            recycling=recycling,
            stands_still=stands_still,
        )
        self._control = control
        self._book = book
        self._snapshots = snapshots
        self._cost = SnapshotCost(control.words, clock())
        self._next = NextJournal(control.journal())
        self._supervisor = supervisor
        self._fence = fence
        self._fault = fault
        self._sync = sync
        #: To be committed though no turn has staged it: shutdown asked for, finished, begun behind what was put aside.
        self._news = False
        #: The ends that the next commit has to look at, in the order in which they came to it: see `Pace`.
        self.moved: dict[Staging, None] = {}
        self._wary: list[Callable[[], bool]] = []
        self._alone = _ALONE_AT_FIRST if grouped else float("inf")
        self.spaced = grouped and cadence is not None
        self._look = 0.0 if cadence is not None and cadence.counts else _LOOK
        self._watched = watched
        self._unseen = 0 if watched else _UNSEEN
        #: The turn at work has staged something.
        self.touched = False
        #: Turns that may still begin before `is_running` has to look at the clock.
        self.left = 0
        self._look_at = 0.0

    def join(self, end: Staging, neighbour: Neighbour) -> None:
        """Make `end` part of each commit; `neighbour` is at its other end."""
        for other, known in zip(self._ends, self._neighbours, strict=True):
            if other.name == end.name:  # both ends of one channel: what one waits for comes of the other
                self._own[id(end)], self._own[id(other)] = other, end
            elif known is neighbour:
                self.entangle(end, other, asks=other.sends and not end.sends)
                self.entangle(other, end, asks=end.sends and not other.sends)
        self._next.join(end)
        self._ends.append(end)
        self._neighbours.append(neighbour)
        if end.is_staged():
            self.moved[end] = None
            self._news = True

    def entangle(self, end: Staging, other: Staging, *, asks: bool) -> None:
        """Note that what the peer of `end` does may depend on what is staged at `other`.

        `asks` says that it may be the answer to that, so that who waits at `end` has to let `other` go at once.
        """
        self._entangled.setdefault(id(end), []).append(other)
        if asks:
            self._asking.setdefault(id(end), []).append(other)

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
        self.pending -= self.left  # as in `stay_alert`: a call would double what this costs
        self.left = 0
        self._look_at = 0.0

    def stay_alert(self) -> None:
        """Make the next `is_running` look up."""
        self.pending -= self.left
        self.left = 0
        self._look_at = 0.0

    def glance(self) -> bool:
        """Put the commit of the turn at work off, if the time for a look has not come; tell whether it was."""
        look_at = self._look_at
        if not look_at or self._clock() >= look_at:
            return False
        self.pending += 1 + self._unseen
        self.left = self._unseen
        self.touched = False
        return True

    def end(self) -> None:
        """End the turn at work: commit it, or put that off while nobody waits for it."""
        now = self._clock()
        if (self.pending or self._look_at) and not self._watched:
            self._find_pace(now)
        if self._due or self._alone or self._has_to_commit(now):
            self.commit()
            if self._alone and not any(still() for still in self._wary):
                self._alone -= 1
            if self._look:
                self._look = min(_PUT_OFF, max(_LOOK, _DEAR * (self._committed_at - now)))
            if self._recycling is not None:
                self._recycling.look(self._ends)
        else:
            self.pending += 1
            if self._cadence is not None:  # else it settles within a millisecond
                self._words[layout.LOOKED_NS] = int(now * 1e9)
        self.touched = False
        self._look_at = 0.0 if self._alone or self._due else now + self._look

    def _find_pace(self, now: float) -> None:
        """Say how many turns may begin unseen from now on: more where they are brief, until some take long."""
        if self.pending > _ALONE_AT_FIRST:
            self._unseen = _UNSEEN_BRIEF if now - self._committed_at < _BRIEF * self.pending else _UNSEEN
        elif self._look_at and now - self._look_at > _PUT_OFF:
            self._unseen = _UNSEEN

    def _has_to_commit(self, now: float) -> bool:
        """Tell whether the time for a commit has come, or somebody waits for one."""
        if self._cadence is not None:
            return self._cadence.is_over(self.pending + 1, now - self._committed_at)
        if now - self._committed_at >= _PUT_OFF:
            return True
        for end in self.moved:  # noqa: SIM110 - a generator would double what a look costs
            if end.is_urgent():
                return True
        return False

    def request_shutdown(self) -> None:
        """Ask, as part of this turn, for the graph to be drained."""
        self._next.words[layout.J_REQUESTED] = 1
        self._news = True
        self.touched = True
        self.call_for_commit()

    def finish(self) -> None:
        """Commit for the last time: the actor has finished."""
        self._next.words[layout.J_FINISHED] = 1
        self._news = True
        self.commit()

    def disown(self) -> None:
        """Refuse each commit from here on: this process is a fork of the actor's, with the actor's memory before it."""
        self._fault = _refuse_fork

    # Commit

    def commit(self) -> None:  # noqa: C901, PLR0912 - fault points, in line because each call would cost more than its step
        """Make all that was staged since the last commit hold at once. Never blocks, but for the disk (`sync`).

        Raises StateError when the state can't be pickled or saved.
        """
        fault = self._fault
        if fault is not None:
            fault("commit:begin")
        self._due = False
        book = self._book
        if not (self.touched or self.pending or self._news or book.values):
            self._settle()
            return
        snapshot = None
        if book.values:
            began = self._clock()
            snapshot = book.encode()
            spent = (now := self._clock()) - began
            if snapshot is None:
                self._cost.add(now, spent, len(book.kept or b""), written=False)
        moved = self._next.freeze(self.moved)
        if snapshot is None and not moved and not self._news:
            self._settle()
            return
        if fault is not None:
            fault("commit:records")
        kept = self._next.snapshot
        if snapshot is not None:
            slot = 1 - kept[0]
            began = self._clock()
            kept = (slot, len(snapshot), self._snapshots.write(slot, snapshot))
            spent += self._clock() - began
        if fault is not None:
            fault("commit:snapshot")
        epoch = self._control.epoch + 1  # from there: whatever breaks in between must not write to the slot in force
        self._next.keep(kept)
        self._control.write_journal(epoch, self._next.packed)
        if fault is not None:
            fault("commit:journal")
        if self._sync is not None:
            self._sync.write([end.freeze() for end in self._ends], None if snapshot is None else kept[0])
        self._control.put_in_force(epoch)
        if snapshot is not None:
            self._next.snapshot, book.kept = kept, snapshot
        if fault is not None:
            fault("commit:epoch")
        if self._sync is not None:
            self._sync.seal()
        try:
            self._publish(moved)
        except Exception:  # of a signal's handler
            self._publish_again(moved)
            raise
        self._settle(moved)
        if snapshot is not None:
            self._cost.add(self._committed_at, spent, len(snapshot), written=True)

    def _publish(self, moved: list[tuple[Staging, int, CursorWords]]) -> None:
        fault = self._fault
        cursors = self._next.cursors
        for end, place, cursor in moved:
            end.publish(cursor)
            cursors[place] = cursor
            if fault is not None:
                fault("commit:publish")
        asked = False
        if self._news:
            words, journal = self._words, self._next.words
            asked = journal[layout.J_REQUESTED] != words[layout.REQUESTED]
            words[layout.REQUESTED] = journal[layout.J_REQUESTED]
            words[layout.FINISHED] = journal[layout.J_FINISHED]
            self._news = False
        if fault is not None:
            fault("commit:published")
        self._fence()
        for end, place, _ in moved:
            if end.wants_ring():
                self._neighbours[place].ring()
                if fault is not None:
                    fault("commit:ring")
        if asked:
            self._supervisor.ring()
        if fault is not None:
            fault("commit:done")

    def _publish_again(self, moved: list[tuple[Staging, int, CursorWords]]) -> None:
        """Show what is committed, and ring everybody: who has been rung, and for what, is not known any more."""
        cursors, words, journal = self._next.cursors, self._words, self._next.words
        for end, place, cursor in moved:
            end.publish(cursor)
            cursors[place] = cursor
        words[layout.REQUESTED] = journal[layout.J_REQUESTED]
        words[layout.FINISHED] = journal[layout.J_FINISHED]
        self._news = False
        self._fence()
        for _, place, _ in moved:
            self._neighbours[place].ring()
        self._supervisor.ring()
        self._settle(moved)

    def _settle(self, moved: Iterable[tuple[Staging, int, CursorWords]] = ()) -> None:
        alone = not self.pending and not self._parted
        for end, _, _ in moved:  # behind the rings: who was rung works meanwhile
            end.settle(alone=alone)
            del self.moved[end]
        words = self._words
        words[layout.TURNS] += self.pending - self.left + 1
        self.pending = self.left = 0
        self._parted = False
        self._committed_at = now = self._clock()
        words[layout.LOOKED_NS] = int(now * 1e9)
