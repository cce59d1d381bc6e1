"""Life: one life of one actor, from recovery to its last commit, wherever it is lived.

A process, the bench and the simulation hand it different memory, clocks, doorbells and ways to sleep;
what happens between them is the same code.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from steady_mp.actor import Actor
from steady_mp.cadence import Cadence
from steady_mp.channel.kinds import open_end
from steady_mp.errors import EndOfStream
from steady_mp.memory import layout
from steady_mp.memory.fence import fence
from steady_mp.memory.hands import Hand
from steady_mp.memory.letters import Mail
from steady_mp.recovery import recover
from steady_mp.recycling import Recycling, resident_bytes
from steady_mp.standstill import Standstill
from steady_mp.state import StateBook, SteadyState
from steady_mp.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.channel.store import Store
    from steady_mp.memory.control import ControlBlock, Cursor
    from steady_mp.memory.durability import Durability
    from steady_mp.memory.snapshots import SnapshotSlots
    from steady_mp.parking import Neighbour, Parker
    from steady_mp.plan import Plan


def _pass(point: str) -> None:
    """Reach a fault point where nothing is planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a life finds: its memory, and how it sleeps, wakes others and tells the time."""

    plan: Plan
    index: int
    #: The channel's file for each end of the actor, in the order of the plan.
    stores: Sequence[Store]
    control: ControlBlock
    snapshots: SnapshotSlots
    #: Words of the run file.
    run: memoryview
    parker: Parker
    supervisor: Neighbour
    #: Gives the actor of an index; the same object for the same index.
    neighbour: Callable[[int], Neighbour]
    #: Ends this life for a fresh one; does not return.
    abandon: Callable[[str], None]
    #: Ends this life for a fresh one where everything is committed; does not return. None: nobody is recycled here.
    retire: Callable[[str], None] | None = None
    rss: Callable[[], int] = resident_bytes
    clock: Callable[[], float] = time.monotonic
    fence: Callable[[], None] = fence
    #: Told of each fault point; None costs nothing.
    fault: Callable[[str], None] | None = None
    turn: Callable[..., Turn] = Turn
    grouped: bool = True
    #: Actors may spin before they sleep here; where time does not pass by itself they must not.
    spins: bool = False
    #: Tells what was put aside of a channel that the actor receives from.
    mail: Callable[[int], Mail] = lambda _: Mail()
    #: Sees to it that each commit survives a loss of power; None costs nothing.
    sync: Durability | None = None
    #: Gives the words of every actor's control block and of every channel's header. None: who is connected is taken to
    #: stand still.
    everybody: Callable[[], tuple[Sequence[memoryview], Sequence[memoryview]]] | None = None


class Life:
    """One life of one actor."""

    def __init__(self, place: Place, generation: int) -> None:
        """Recover from the journal, and open the ends where the last commit stands."""
        self._place = place
        self._generation = generation
        self._me = place.plan.actors[place.index]
        reach = place.fault or _pass
        reach("start:mapped")
        channels = [(end.sends, store.words) for end, store in zip(self._me.ends, place.stores, strict=True)]
        journal = recover(place.control, channels, reach)
        reach("start:recovered")
        saved = None
        if journal.snapshot_length:
            saved = place.snapshots.read(journal.snapshot_slot, journal.snapshot_length, journal.snapshot_crc)
        self.book = StateBook(saved)
        recycling = None
        if self._me.recycle is not None and place.retire is not None:
            recycling = Recycling(
                self._me.recycle, run=place.run, retire=place.retire, clock=place.clock, rss=place.rss
            )
        still = None if place.everybody is None else Standstill(place.plan, place.index, place.everybody)
        self.turn = place.turn(
            control=place.control,
            book=self.book,
            snapshots=place.snapshots,
            parker=place.parker,
            supervisor=place.supervisor,
            abandon=place.abandon,
            clock=place.clock,
            fence=place.fence,
            fault=place.fault,
            grouped=place.grouped,
            spin=self._me.wait_strategy.spin if place.spins else 0.0,
            cadence=None if self._me.commit_every is None else Cadence(self._me.commit_every, place.run),
            recycling=recycling,
            watched=self._me.stall_timeout is not None,
            sync=place.sync,
            stands_still=still.has_come if still is not None else None,
        )
        #: Its ends of channels, in the order of the plan.
        self.ends = [self._open(position, cursor) for position, cursor in enumerate(journal.cursors)]
        self._entangle()
        if recycling is not None:
            recycling.begin(self.ends)
        reach("start:ready")

    def _open(self, position: int, cursor: Cursor) -> Any:  # noqa: ANN401 - an end of any kind
        plan = self._me.ends[position]
        channel = self._place.plan.channels[plan.channel]
        store = self._place.stores[position]
        if plan.sends:
            end = open_end(store, channel, self.turn, cursor, sends=True)
        else:
            hand = Hand(self._place.control.words, len(self._me.ends), position)
            mail = self._place.mail(plan.channel)
            end = open_end(store, channel, self.turn, cursor, sends=False, hand=hand, mail=mail)
            if hand.until > cursor.messages:
                self.turn.be_wary(end.is_wary)
        self.turn.join(end, self._place.neighbour(channel.consumer if plan.sends else channel.producer))
        return end

    def _entangle(self) -> None:
        """Tell the turn which of its neighbours hear of each other by another way than by this actor.

        Messages go one way and room comes back the other, so whoever is connected may wait for whoever is.
        """
        plan, me = self._place.plan, self._place.index
        parts = plan.parts(without=me)
        known = [(end, its.sends, plan.peer(its)) for end, its in zip(self.ends, self._me.ends, strict=True)]
        for end, sends, peer in known:
            for other, goes, another in known:
                if peer != another and parts[peer] == parts[another]:
                    asks = goes and not sends and plan.leads(another, peer, me)
                    self.turn.entangle(end, other, asks=asks)

    def resolve(self, kind: str, index: int) -> object:
        """Return the live object for a reference among the behavior's arguments."""
        if kind == "state":
            state: SteadyState[object] = SteadyState(self.book, index)  # with its type it would be made by `typing`
            return state
        for plan, end in zip(self._me.ends, self.ends, strict=True):
            if plan.channel == index and plan.sends == (kind == "tx"):
                return end
        message = f"reference {kind} {index} is not in the plan"
        raise LookupError(message)

    def actor(self) -> Actor:
        """Return what the behavior is handed."""
        place = self._place
        return Actor(
            name=self._me.name,
            generation=self._generation,
            turn=self.turn,
            control=place.control,
            run=place.run,
            clock=place.clock,
        )

    def live(self, behavior: Callable[..., None], args: Sequence[object]) -> None:
        """Run the behavior to its end, close its ends, and commit that it has finished."""
        words = self._place.control.words
        words[layout.LOOKED_NS] = int(self._place.clock() * 1e9)
        words[layout.PHASE] = layout.PHASE_RUNNING
        try:
            behavior(self.actor(), *args)
        except EndOfStream:
            if not all(end.is_closed_and_empty() for end in self.ends if not end.sends):
                raise
        for end in self.ends:
            if end.sends:
                end.mark_closed()
            else:
                end.close()
        self.turn.finish()
