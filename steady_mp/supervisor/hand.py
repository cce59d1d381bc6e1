"""What a life that has just ended had in hand.

The seam to the live cursors in the control block: whoever knows them answers here. It is asked once for each death,
before the actor is recovered, and never blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steady_mp.supervisor.seat import Seat


def in_hand(seat: Seat) -> dict[str, Any] | None:  # noqa: ARG001 - nobody knows yet
    """Return ``channel`` (its name), ``first`` and ``last`` position, and ``value`` (a bounded repr) of the last one.

    None when nothing was in hand, or nobody knows.
    """
    return None
