"""What a life that is over had in hand, in the words of its plan, and as its death report has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from steady_mp.channel.kinds import open_store
from steady_mp.channel.lookup import shown
from steady_mp.memory import layout
from steady_mp.memory.hands import Held, held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.channel.ring import Ring
    from steady_mp.memory.control import ControlBlock
    from steady_mp.memory.mapping import Mapping
    from steady_mp.plan import Plan
    from steady_mp.supervisor.seat import Seat


class InHand(NamedTuple):
    """The messages `first` to `last` of a channel: several where they were read together, or in a group of turns."""

    channel: int
    name: str
    end: int
    first: int
    last: int


def in_hand(seat: Seat, plan: Plan, channels: Sequence[Mapping]) -> dict[str, Any] | None:
    """Return ``channel`` (its name), ``first`` and ``last`` position, and ``value`` (a bounded repr) of the last one.

    None when nothing was taken since the last commit. To be asked before the actor is recovered. Never blocks, and runs
    none of the user's code. A letter that is replayed stands in no ring: it is shown as when it was put aside.
    """
    found = held(seat.control)
    what = hand(seat.control, plan, seat.index, found)
    if what is None:
        return None
    if found[0].last >= layout.LETTER:
        value = seat.letter_shown(what.channel, what.last)
    else:
        ring = cast("Ring", open_store(channels[what.channel], plan.channels[what.channel]))
        value = repr_of(ring, seat.control, what)
    return {"channel": what.name, "first": what.first, "last": what.last, "value": value}


def hand(control: ControlBlock, plan: Plan, actor: int, found: list[Held] | None = None) -> InHand | None:
    """Return what an actor that does not run had in hand when it died; None for nothing.

    Ask before it is recovered (`recover`), which empties its hands; or hand over what `held` answered then. Nothing was
    in hand when nothing was taken or peeked since the last commit.
    """
    for each in held(control) if found is None else found:
        channel = plan.actors[actor].ends[each.end].channel
        first, last = each.first % layout.LETTER, each.last % layout.LETTER  # of a letter: the position that it had
        return InHand(channel, plan.channels[channel].name, each.end, first, last)
    return None


def repr_of(ring: Ring, control: ControlBlock, what: InHand) -> str:
    """Return the repr of the last message in hand, in one line (`lookup.shown`).

    Its class is not imported and none of its code runs (`standin.py`). Only before the actor's next life begins.
    """
    return shown(ring, control.journal().cursors[what.end], what.last)
