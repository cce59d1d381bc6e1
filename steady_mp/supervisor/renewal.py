"""Renewals: ends of lives that actors have chosen themselves. No failures; the next life begins at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from steady_mp.events import ActorRecycled, ActorReplayed
from steady_mp.supervisor.exits import RECYCLED, REPLAY

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What is told of such an end, and what it is called in reports, by the exit status of the life.
RENEWALS: Final[Mapping[int, tuple[type[ActorReplayed | ActorRecycled], str]]] = {
    REPLAY: (ActorReplayed, "replay"),
    RECYCLED: (ActorRecycled, "recycled"),
}
