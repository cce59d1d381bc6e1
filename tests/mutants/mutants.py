"""Deliberate faults in the commit protocol: what the simulation must find, each of them.

A mutant is one function of the runtime whose source has one passage replaced. The passage must stand there
exactly once: a mutant that the code has outgrown is an error, and never passes for found.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from steady_mp import recovery
from steady_mp.actor import Actor
from steady_mp.cadence import Nap
from steady_mp.channel import publish, waits
from steady_mp.channel.bytes_ring import BytesRing
from steady_mp.channel.bytes_tx import BytesTx
from steady_mp.channel.consuming import ConsumingEnd
from steady_mp.channel.lane_receiver import SlotRx
from steady_mp.channel.lane_sender import SlotTx
from steady_mp.channel.lettered import LetteredRx
from steady_mp.channel.producing import ProducingEnd
from steady_mp.channel.receiver import ObjectRx
from steady_mp.channel.sender import ObjectTx
from steady_mp.next_journal import NextJournal
from steady_mp.parking import Sleeper
from steady_mp.turn import Turn
from steady_mp.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


@dataclass(frozen=True)
class Mutant:
    """`owner.name` with `old` replaced by `new`, wherever it was imported to."""

    title: str
    owner: type | ModuleType
    name: str
    old: str
    new: str

    @contextlib.contextmanager
    def alive(self) -> Iterator[None]:
        """Put the mutant in the place of the function it was made from."""
        original = inspect.getattr_static(self.owner, self.name)
        function = _mutated(original, self.old, self.new)
        modules = [module for name, module in sys.modules.items() if name.startswith("steady_mp")]
        places = [place for place in {self.owner, *modules} if vars(place).get(self.name) is original]
        for place in places:
            setattr(place, self.name, function)
        try:
            yield
        finally:
            for place in places:
                setattr(place, self.name, original)


def _mutated(function: Any, old: str, new: str) -> Any:
    source = textwrap.dedent(inspect.getsource(function))
    found = source.count(old)
    if found != 1:
        message = f"{function.__qualname__} has this passage {found} times, not once:\n{old}"
        raise LookupError(message)
    names: dict[str, Any] = {}
    code = compile(
        "from __future__ import annotations\n" + source.replace(old, new),
        f"<mutant of {function.__qualname__}>",
        "exec",
    )
    exec(code, sys.modules[function.__module__].__dict__, names)  # noqa: S102 - our own source, one passage replaced
    return names[function.__name__]


# A commit from its journal on: the passages that come in another order.
_JOURNAL = """\
    self._control.write_journal(epoch, self._next.packed)
    if fault is not None:
        fault("commit:journal")
    if self._sync is not None:
        self._sync.write([end.freeze() for end in self._ends], None if snapshot is None else kept[0])
"""
_IN_FORCE = """\
    self._control.put_in_force(epoch)
    if snapshot is not None:
        self._next.snapshot, book.kept = kept, snapshot
    if fault is not None:
        fault("commit:epoch")
    if self._sync is not None:
        self._sync.seal()
"""
_PUBLISH = """\
    try:
        self._publish(moved)
    except Exception:  # of a signal's handler
        self._publish_again(moved)
        raise
"""

MUTANTS = [
    # The order of the commit
    Mutant("publish before the commit", Turn, "commit", _IN_FORCE + _PUBLISH, _PUBLISH + _IN_FORCE),
    Mutant(
        "publish before the journal", Turn, "commit", _JOURNAL + _IN_FORCE + _PUBLISH, _PUBLISH + _JOURNAL + _IN_FORCE
    ),
    Mutant(
        "the journal is written after the epoch",
        Turn,
        "commit",
        "    self._control.write_journal(epoch, self._next.packed)\n",
        "    self._control.put_in_force(epoch)\n    self._control.write_journal(epoch, self._next.packed)\n",
    ),
    Mutant(
        "the journal in place",
        Turn,
        "commit",
        "self._control.write_journal(epoch, self._next.packed)",
        "[self._control.write_journal(each, self._next.packed) for each in (epoch - 1, epoch)]",
    ),
    Mutant("the snapshot in place", Turn, "commit", "slot = 1 - kept[0]", "slot = kept[0]"),
    Mutant(
        "a snapshot is left out now and then",
        Turn,
        "commit",
        "    if snapshot is not None:\n        slot",
        "    if snapshot is not None and self._control.epoch % 7:\n        slot",
    ),
    Mutant(
        "the records are written behind the commit",
        ObjectTx,
        "freeze",
        "    self._flush()\n    return self._cursor(self._sent, self._position)\n",
        "    late = self._cursor(self.position(), self._position)\n    self._flush()\n    return late\n",
    ),
    # Which ends a commit looks at
    Mutant("who sends does not say so", ProducingEnd, "_stir", "self._turn.moved[self] = None", "pass"),
    Mutant("who takes does not say so", ObjectRx, "_take_up_to", "    self._turn.moved[self] = None\n", "    pass\n"),
    Mutant("who takes from a lane does not say so", SlotRx, "_advance", "    self._turn.moved[self] = None\n", ""),
    Mutant("a grant outlasts the publish", ObjectTx, "_rest", "self._rested, self._grant = self._grant, 0", "pass"),
    Mutant("a grant that was taken back is not forgotten", ProducingEnd, "_stir", "self._rests = False", "pass"),
    Mutant(
        "a cursor is noted for another end",
        NextJournal,
        "freeze",
        "layout.J_PER_ENDPOINT * place",
        "layout.J_PER_ENDPOINT * (len(moved) - 1)",
    ),
    # Cursors
    Mutant(
        "the head is published too early",
        ObjectRx,
        "_look_ahead",
        "    left = len(self._batch) - self._index\n    here",
        "    self._words[layout.HEAD] = self.position()\n    left = len(self._batch) - self._index\n    here",
    ),
    Mutant(
        "the tail is published too early",
        ObjectTx,
        "_stage",
        "    self._regrant()\n",
        "    self._flush()\n    self._words[layout.TAIL] = self._sent\n    self._regrant()\n",
    ),
    Mutant(
        "closed before the last message",
        publish,
        "publish_tx",
        "    words[layout.TAIL_POS] = position\n",
        "    words[layout.TX_CLOSED] = closed\n    words[layout.TAIL_POS] = position\n",
    ),
    Mutant(
        "the tail is read before the closing",
        ConsumingEnd,
        "is_closed_and_empty",
        "self.is_closed() and not self.has(1)",
        "not self.has(1) and self.is_closed()",
    ),
    Mutant(
        "a batch that was taken in part is taken from its start again",
        ObjectRx,
        "_resume",
        "self._index = wanted - self._base",
        "self._index = 0",
    ),
    Mutant("room of a batch that is still needed", ObjectRx, "freeze", "if last > taken:", "if last > taken + 1:"),
    Mutant("a message too many", ObjectTx, "_fits", "< self._capacity and", "<= self._capacity and"),
    Mutant("bytes too many", ObjectTx, "_fits", "used + need <=", "used + need // 2 <="),
    # Bytes lanes
    Mutant(
        "the messages of a bytes lane are written behind the commit",
        BytesTx,
        "freeze",
        "    self._flush()\n    return self._cursor(self._sent, self._position)\n",
        "    late = self._cursor(self.position(), self._position)\n    self._flush()\n    return late\n",
    ),
    Mutant(
        "padding takes no room",
        BytesTx,
        "_fits",
        "self._ring.start(here, size) + layout",
        "here + layout",
    ),
    Mutant("a long message overtakes short ones", BytesTx, "_send_long", "if self._atoms or ", "if "),
    Mutant("padding is a message", BytesRing, "find", "if kind == layout.RECORD_PADDING", "if False"),
    Mutant(
        "what was written in place is sent twice",
        BytesTx,
        "advance_send",
        "self._position = self._start = self._ring.seal(",
        "self._start = self._ring.seal(",
    ),
    # Lanes
    Mutant(
        "the tail of a lane is published too early",
        SlotTx,
        "_stage",
        "    self._advance(1)\n",
        "    self._advance(1)\n    self._words[layout.TAIL] = self.position()\n",
    ),
    Mutant(
        "a lane sends what it has only handed out",
        SlotTx,
        "freeze",
        "sent = self.position()",
        "sent = max(self.position(), self._poked)",
    ),
    Mutant("an item too many", SlotTx, "_room", "    return room\n", "    return room + 1\n"),
    Mutant(
        "a life forgets in which slot it stands",
        SlotRx,
        "__init__",
        "self._slot = cursor.messages % slots.count",
        "self._slot = 0",
    ),
    Mutant(
        "the head of a lane is published too early",
        SlotRx,
        "_look_ahead",
        "    left = self._reach(self._burst)\n",
        "    self._words[layout.HEAD] = self.position()\n    left = self._reach(self._burst)\n",
    ),
    # Wake-ups
    Mutant("no fence before the look at who waits", Turn, "_publish", "    self._fence()\n", "    pass\n"),
    Mutant("no fence before the last look", Sleeper, "sleep", "    self._fence()\n", "    pass\n"),
    Mutant(
        "the last look comes before the thresholds",
        Sleeper,
        "sleep",
        "    arm(alarm)\n",
        "    early = ready()\n    ready = lambda: early\n    arm(alarm)\n",
    ),
    Mutant(
        "consumers are not rung", Turn, "_publish", "if end.wants_ring():", "if end.wants_ring() and not end.sends:"
    ),
    Mutant("producers are not rung", Turn, "_publish", "if end.wants_ring():", "if end.wants_ring() and end.sends:"),
    Mutant(
        "one ring a commit",
        Turn,
        "_publish",
        "            self._neighbours[place].ring()\n",
        "            self._neighbours[place].ring()\n            break\n",
    ),
    Mutant(
        "a threshold that is reached exactly",
        waits,
        "crossed",
        "wanted <= now[0]",
        "wanted < now[0]",
    ),
    Mutant(
        "a closing wakes nobody",
        waits,
        "crossed",
        " or before[2] != now[2]",
        "",
    ),
    Mutant(
        "a threshold that is passed already",
        Sleeper,
        "sleep",
        " and not _is_overtaken(alarm.ends)",
        "",
    ),
    Mutant("a shutdown nobody hears of", Turn, "_publish", "        self._supervisor.ring()\n", "        pass\n"),
    # Waits in the middle of a turn
    Mutant(
        "a turn is never torn",
        Waiting,
        "_must_tear",
        "return end.is_choked() or any(",
        "return False and any(",
    ),
    Mutant("what is held back is not said", Waiting, "_sleep_held", "other.hold_back(here=other is end)", "pass"),
    Mutant("who holds back is not rung", Sleeper, "sleep", "if end.peer_must_know():", "if False:"),
    Mutant("what was put off is never given up", Waiting, "hold", "if behind and (torn or", "if False and (torn or"),
    # Spaced commits
    Mutant("a spaced commit never comes while its actor sleeps", Nap, "arm", "alarm.at(self._until)", "pass"),
    Mutant("who naps does not say what it holds back", Nap, "arm", "other.hold_back(here=False)", "pass"),
    Mutant(
        "who naps does not look who needs it", Nap, "is_over", "self._ready() or self._is_needed()", "self._ready()"
    ),
    Mutant("who naps on a question waits for its answer", Nap, "_is_needed", "other.peer_waits()", "False"),
    Mutant("who naps on room is not asked for it", Nap, "_is_needed", "not end.sends and end.peer_waits()", "False"),
    Mutant(
        "a wait inside of a turn forgets what was put off before it",
        Waiting,
        "hold",
        "behind = self.pending or self._parted",
        "behind = False",
    ),
    # What was put aside
    Mutant(
        "a letter that is taken is not counted",
        LetteredRx,
        "_take_letter",
        "    self._closed += self._counts.popleft() << layout.CLOSED_BITS\n",
        "    pass\n",
    ),
    Mutant(
        "a letter is counted only by the turn behind it",
        ObjectRx,
        "freeze",
        "    return taken, freed, self._closed",
        "    return taken, freed, max(self._committed[2], self._closed - 2) | self._closed & 1",
    ),
    Mutant("what was put aside is passed over twice", LetteredRx, "_pass", "self._index += 1", "self._index += 2"),
    # Recovery
    Mutant(
        "recovery does not publish what was sent",
        recovery,
        "recover",
        "publish_tx(words, cursor)",
        "pass",
    ),
    Mutant("recovery does not publish what was taken", recovery, "recover", "publish_rx(words, cursor)", "pass"),
    Mutant(
        "recovery forgets that the actor had finished",
        recovery,
        "recover",
        "control.words[layout.REQUESTED] = journal.requested",
        "control.words[layout.REQUESTED] = 0",
    ),
    # Shutdown
    Mutant(
        "a lifted veto is not asked again",
        Actor,
        "_may_stop",
        "self._reason() is None",
        "not self._refused",
    ),
]
