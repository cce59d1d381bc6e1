"""Group: how many messages of one channel turns may stage before they are committed together."""

from __future__ import annotations

from typing import Final

#: Most messages of a group.
MOST: Final = 16384
#: Messages among which a commit costs little; a group is larger only where the channel still holds three of it.
_WORTHWHILE: Final = 256


def group_of(capacity: int, *, spaced: bool) -> int:
    """Return the size of a group in a channel of so many messages; `spaced` where commits are rare on purpose.

    Of three groups each end can have one at work while the third lies ready between them; of two, either end waits
    for the other one's commit again and again.
    """
    half = max(1, capacity // 2)
    return half if spaced else min(MOST, half, max(_WORTHWHILE, capacity // 3))
