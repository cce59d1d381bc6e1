"""Quarantine: finds the message that an actor keeps dying over, and puts it aside.

At each death that a message may be the fault of, what was in hand is compared with what was in hand at the deaths
before. What has been so at enough deaths in a row is a *showstopper*. Several may have been: those taken together in
one turn. Then the one with the most deaths is put aside, and of equals the one taken last (all of it, where a slice was
taken): when that was the wrong one, the next death finds the right one with more deaths than any other.

All of it happens between two lives of the actor, which provably does not run then. What is known is in the run
directory (`memory/letters.py`), so another supervisor goes on with it.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from steady_mp.channel.decoding import wrap
from steady_mp.channel.kinds import can_put_aside, open_store
from steady_mp.channel.lookup import record_of, shown
from steady_mp.events import LettersReplayed, MessagePutAside
from steady_mp.log_format import SELF
from steady_mp.memory import layout
from steady_mp.memory.deaths import cut
from steady_mp.memory.letters import Letter, Letters, Suspect, orders_done, rescue
from steady_mp.plan import MOST_DEATHS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.channel.ring import Ring
    from steady_mp.events import Event
    from steady_mp.logs import LogWriter
    from steady_mp.memory.mapping import Mapping
    from steady_mp.memory.rundir import RunDir
    from steady_mp.plan import Plan
    from steady_mp.supervisor.seat import Seat

#: Deaths over one message that are written down whole, the latest ones.
_WHOLE_DEATHS: Final = 16
#: Characters of the cause that stay of one that is only counted.
_LONGEST_CAUSE: Final = 100
#: Characters of a traceback that are written down with each; the report of the death has more of it.
_LONGEST_TRACE: Final = 4000
#: Messages that are put aside before the supervisor looks up again: a letter takes about 2 ms on a disk.
_AT_ONCE: Final = 64


class Verdict(NamedTuple):
    """What a death came to: messages were put aside, or the graph has to stop over one."""

    put_aside: bool = False
    stop: str = ""


class _Rest(NamedTuple):
    """What is still to be put aside from `position` on, and what is to be known of the actor's deaths behind that."""

    chosen: Suspect
    position: int
    policy: str
    suspects: list[Suspect]


class Quarantine:
    """Judges the deaths of all actors of a run."""

    def __init__(
        self,
        letters: Letters,
        plan: Plan,
        channels: Sequence[Mapping],
        emit: Callable[[Event], None],
        logs: LogWriter,
    ) -> None:
        """Go on with what lies in the run directory."""
        self.letters = letters
        self._plan = plan
        self._stores = [open_store(each, channel) for each, channel in zip(channels, plan.channels, strict=True)]
        self._emit = emit
        self._logs = logs
        self._silent = False
        self._rests: dict[int, _Rest] = {}

    def died(self, seat: Seat, cause: str, trace: str = "", *, excused: bool = False) -> Verdict:
        """Judge a death, unless it is excused: somebody else wanted it. Ask before the next life begins.

        `trace` is the traceback or the stacks of the life, for whoever opens the letter later. Where the disk refuses
        what has to be known of deaths, this one is judged as if nothing was: the first time that is said. Of many
        messages only the first are put aside: see `go_on`.
        """
        found = [] if excused else self._in_hand(seat)
        if not found:
            return Verdict()  # nobody is cleared by a death that has to do with no message
        death = {"generation": seat.generation, "cause": cause.strip()[:2000], "time": round(time.time(), 3)}
        if trace:
            death["traceback"] = cut(trace, _LONGEST_TRACE)
        try:
            return self._judge(seat, found, death)
        except OSError as error:
            self._complain(seat, error)
            return Verdict()

    def _judge(self, seat: Seat, found: list[Suspect], death: dict[str, Any]) -> Verdict:
        before = self.letters.suspects(seat.index)
        suspects = [new for each in found for new in _compared(each, before, death)]
        stoppers = [each for each in suspects if 0 < self._after(each.channel) <= len(each.deaths)]
        if not stoppers:
            self._remember(seat, suspects)
            return Verdict()
        chosen = self._choose(seat, stoppers)
        policy = self._plan.channels[chosen.channel].showstopper
        if policy == "stop":
            self._remember(seat, suspects)
            return Verdict(stop=self._stop(seat, chosen))
        self._step(seat, _Rest(chosen, chosen.first, policy, [each for each in suspects if each != chosen]))
        return Verdict(put_aside=True)

    def is_at_work(self, seat: Seat) -> bool:
        """Tell whether more is to be put aside before the actor's next life: see `go_on`."""
        return seat.index in self._rests

    def go_on(self, seat: Seat) -> bool:
        """Put some more of a long range aside; tell whether there was any. Ask until not, then begin the next life.

        Whoever does not, or dies before that, leaves the rest as it was before the death: in its channel, suspected.
        """
        if (rest := self._rests.pop(seat.index, None)) is None:
            return False
        try:
            self._step(seat, rest)
        except OSError as error:
            self._complain(seat, error)
        return True

    def _step(self, seat: Seat, rest: _Rest) -> None:
        stop = min(rest.position + _AT_ONCE, rest.chosen.last + 1)
        for position in range(rest.position, stop):
            self._put_aside(seat, rest.chosen, position, rest.policy)
        if stop <= rest.chosen.last:
            self._rests[seat.index] = rest._replace(position=stop)
        else:
            self._remember(seat, rest.suspects)

    def _remember(self, seat: Seat, suspects: list[Suspect]) -> None:
        try:
            self.letters.suspect(seat.index, suspects)
        except OSError as error:
            self._complain(seat, error)

    def _complain(self, seat: Seat, error: OSError, what: str = "had in hand") -> None:
        if not self._silent:
            self._silent = True
            text = f"what {seat.name} {what} can't be written down in {self.letters.path}: {error.strerror or error}"
            self._logs.write(SELF, logging.ERROR, text)

    def settle(self, seat: Seat) -> bool:
        """Take out of the letters what an actor has committed to have taken; tell whether that could be done.

        Any time will do, so what the system refuses is said, and left to the next one.
        """
        try:
            self._settle(seat)
        except OSError as error:
            self._complain(seat, error, "has taken of its letters")
            return False
        return True

    def _settle(self, seat: Seat) -> None:
        if not self.letters.path.exists():
            return
        cursors = seat.control.journal().cursors
        seat.seal()  # a letter that is marked as done must be so for good
        for end, cursor in zip(seat.plan.ends, cursors, strict=True):
            if not end.sends and (done := orders_done(cursor.closed)):
                before = len(self.letters.all())
                self.letters.settle(end.channel, done)
                if delivered := before - len(self.letters.all()):
                    name = self._plan.channels[end.channel].name
                    self._emit(LettersReplayed(actor=seat.name, channel=name, letters=delivered))

    def close(self) -> None:
        """Let go of the channels."""
        for store in self._stores:
            store.release()

    def _can_put_aside(self, channel: int) -> bool:
        return can_put_aside(self._plan.channels[channel].shape)

    def _after(self, channel: int) -> int:
        return self._plan.channels[channel].showstopper_after

    def _in_hand(self, seat: Seat) -> list[Suspect]:
        """Return what was in hand, without what was put aside before."""
        found: list[Suspect] = []
        for held in seat.unsettled:
            channel = seat.plan.ends[held.end].channel
            found += self._without_holes(Suspect(channel, held.head, held.last, ()))
        return found

    def _without_holes(self, suspect: Suspect) -> list[Suspect]:
        """Cut a suspect where something of it was put aside before; a letter that is replayed is whole."""
        pieces = []
        first, last = suspect.first, suspect.last
        holes = self.letters.holes(suspect.channel) if first < layout.LETTER else frozenset()
        for stop in [*sorted(hole for hole in holes if first <= hole <= last), last + 1]:
            if first < stop:
                pieces.append(suspect._replace(first=first, last=stop - 1))
            first = stop + 1
        return pieces

    def _choose(self, seat: Seat, stoppers: list[Suspect]) -> Suspect:
        most = max(len(each.deaths) for each in stoppers)
        equal = [each for each in stoppers if len(each.deaths) == most]
        for held in seat.unsettled:  # the end read last comes first
            channel = seat.plan.ends[held.end].channel
            for each in equal:
                first, last = max(each.first, held.first), min(each.last, held.last)
                if each.channel == channel and first <= last:
                    return each._replace(first=first, last=last)
        last_of_all = equal[0].last
        return equal[0]._replace(first=last_of_all)

    def _stop(self, seat: Seat, chosen: Suspect) -> str:
        name = self._plan.channels[chosen.channel].name
        position = chosen.last % layout.LETTER
        return (
            f"message {position} of {name} was in hand at {len(chosen.deaths)} deaths of {seat.name} in a row "
            f"({chosen.deaths[-1]['cause']}), and the channel's policy is to stop"
        )

    def heads(self, seat: Seat) -> list[Suspect]:
        """Return what an actor that does not run is most likely stuck over, else the next message of each input."""
        suspects = [each for each in self._left(seat) if self._can_put_aside(each.channel)]
        if suspects:
            most = max(len(each.deaths) for each in suspects)
            return [next(each for each in suspects if len(each.deaths) == most)]
        found = []
        for end, cursor in zip(seat.plan.ends, seat.control.journal().cursors, strict=True):
            holes = self.letters.holes(end.channel)
            tail = self._stores[end.channel].words[layout.TAIL]
            head = next((each for each in range(cursor.messages, tail) if each not in holes), None)
            if not end.sends and head is not None and self._can_put_aside(end.channel):
                found.append(Suspect(end.channel, head, head, ()))
        return found

    def _left(self, seat: Seat) -> list[Suspect]:
        """Return the suspects as far as the actor has not got past them: it may have died of other things since."""
        cursors = zip(seat.plan.ends, seat.control.journal().cursors, strict=True)
        taken = {end.channel: cursor for end, cursor in cursors if not end.sends}
        left = []
        for each in self.letters.suspects(seat.index):
            cursor = taken[each.channel]
            if each.first >= layout.LETTER:
                waiting = self.letters.orders(each.channel)[orders_done(cursor.closed) :]
                left += [each] if each.last - layout.LETTER in waiting else []
            elif each.last >= cursor.messages:
                left += self._without_holes(each._replace(first=max(each.first, cursor.messages)))
        return left

    def done(self, seat: Seat, channel: int) -> int:
        """Return how many orders of a channel its receiver has carried out."""
        ends = zip(seat.plan.ends, seat.control.journal().cursors, strict=True)
        return next(orders_done(cursor.closed) for end, cursor in ends if end.channel == channel and not end.sends)

    def put_aside(self, seat: Seat, chosen: Suspect, policy: str = "dead_letter") -> None:
        """Make letters of messages; only between two lives of their receiver."""
        for position in range(chosen.first, chosen.last + 1):
            self._put_aside(seat, chosen, position, policy)

    def _put_aside(self, seat: Seat, chosen: Suspect, position: int, policy: str) -> None:
        if position >= layout.LETTER:
            self._withdraw(chosen.channel, position - layout.LETTER)
        else:
            self.letters.put(self._letter(seat, chosen, position, policy))
        self._emit(
            MessagePutAside(
                actor=seat.name,
                channel=self._plan.channels[chosen.channel].name,
                position=position % layout.LETTER,
                deaths=len(chosen.deaths),
                cause=chosen.deaths[-1]["cause"] if chosen.deaths else "",
                policy="replay" if position >= layout.LETTER else policy,
            )
        )

    def _letter(self, seat: Seat, chosen: Suspect, position: int, policy: str) -> Letter:
        ring = cast("Ring", self._stores[chosen.channel])
        end = next(n for n, e in enumerate(seat.plan.ends) if e.channel == chosen.channel and not e.sends)
        cursor = seat.control.journal().cursors[end]
        return Letter(
            channel=ring.name,
            index=chosen.channel,
            position=position,
            actor=seat.name,
            policy=policy,
            time=round(time.time(), 3),
            together=chosen.last - chosen.first + 1,
            deaths=list(chosen.deaths),
            shown=shown(ring, cursor, position),
            message=b"" if policy == "skip" else message_of(ring, cursor, position),
        )

    def _withdraw(self, channel: int, position: int) -> None:
        """Take back the order to replay a letter, which has killed again; the letter stays."""
        orders = self.letters.orders(channel)
        for index in reversed(range(len(orders))):
            if orders[index] == position:
                orders[index] = None
                break
        self.letters.order(channel, orders)


def leave(quarantine: Quarantine, seats: Sequence[Seat], run: RunDir) -> tuple[int, str]:
    """See to it that the letters outlive the run; return how many there are, and where they are then."""
    are_settled = all(quarantine.settle(seat) for seat in seats)
    left = None
    with suppress(OSError):
        left = len([letter for letter in quarantine.letters.all(surely=True) if letter.policy != "skip"])
    if left is None or not are_settled:  # nobody knows how many: the directory stays, and a later sweep keeps them safe
        run.hold_on()
        return 0, ""
    if not left:
        return 0, ""
    if run.has_begun:  # a durable one is never removed
        return left, str(run.path)
    try:
        return left, str(rescue(run.path))
    except OSError as error:
        run.hold_on()
        return left, f"{run.path}, which stays because they could not be copied: {error.strerror or error}"


def _compared(found: Suspect, before: list[Suspect], death: dict[str, Any]) -> list[Suspect]:
    """Cut what is in hand now where the deaths before differ, and add this death."""
    pieces = []
    first = found.first
    for old in sorted(each for each in before if each.channel == found.channel):
        start, stop = max(first, old.first), min(found.last, old.last) + 1
        if start < stop:
            if first < start:
                pieces.append(Suspect(found.channel, first, start - 1, (death,)))
            pieces.append(Suspect(found.channel, start, stop - 1, _with(old.deaths, death)))
            first = stop
    if first <= found.last:
        pieces.append(Suspect(found.channel, first, found.last, (death,)))
    return pieces


def _with(deaths: tuple[dict[str, Any], ...], death: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Add a death; of those before the latest ones only what tells them apart stays."""
    counted = (*deaths, death)[-MOST_DEATHS:]
    older = [
        {"generation": each["generation"], "cause": each["cause"][:_LONGEST_CAUSE], "time": each["time"]}
        for each in counted[:-_WHOLE_DEATHS]
    ]
    return (*older, *counted[-_WHOLE_DEATHS:])


def message_of(ring: Ring, cursor: Any, position: int) -> bytes:  # noqa: ANN401 - a Cursor
    """Return one message by itself, as it was sent: see `wrap`."""
    record = record_of(ring, cursor, position)
    return wrap(record, position - record.first)
