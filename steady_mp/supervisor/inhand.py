"""What a life that is over had in hand, in the words of its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from steady_mp.channel.lookup import LONGEST, shown
from steady_mp.memory import layout
from steady_mp.memory.hands import Held, held

if TYPE_CHECKING:
    from steady_mp.channel.ring import Ring
    from steady_mp.memory.control import ControlBlock
    from steady_mp.plan import Plan


class InHand(NamedTuple):
    """The messages `first` to `last` of a channel: several where they were read together, or in a group of turns."""

    channel: int
    name: str
    end: int
    first: int
    last: int


def hand(control: ControlBlock, plan: Plan, actor: int, found: list[Held] | None = None) -> InHand | None:
    """Return what an actor that does not run had in hand when it died; None for nothing.

    Ask before it is recovered (`recover`), which empties its hands; or hand over what `held` answered then
    (`Seat.in_hand`). Nothing was in hand when nothing was taken or peeked since the last commit.
    """
    for each in held(control) if found is None else found:
        channel = plan.actors[actor].ends[each.end].channel
        first, last = each.first % layout.LETTER, each.last % layout.LETTER  # of a letter: the position that it had
        return InHand(channel, plan.channels[channel].name, each.end, first, last)
    return None


def repr_of(ring: Ring, control: ControlBlock, what: InHand, most: int = LONGEST) -> str:
    """Return the repr of the last message in hand, in one line of at most `most` characters.

    Its class is not imported and none of its code runs (`standin.py`). Only before the actor's next life begins.
    """
    return shown(ring, control.journal().cursors[what.end], what.last, most)
