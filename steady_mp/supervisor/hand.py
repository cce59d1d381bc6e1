"""What a life that has just ended had in hand, as its death report has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from steady_mp.channel.kinds import open_store
from steady_mp.memory import layout
from steady_mp.memory.hands import held
from steady_mp.supervisor.inhand import hand, repr_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.channel.ring import Ring
    from steady_mp.memory.mapping import Mapping
    from steady_mp.plan import Plan
    from steady_mp.supervisor.seat import Seat


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
