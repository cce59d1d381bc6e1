"""Staging: an end of a channel as the turn that commits it sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from steady_mp.channel.waits import End

if TYPE_CHECKING:
    from steady_mp.memory.control import CursorWords


class Staging(End, Protocol):
    """An end of a channel, as the turn that commits it sees it."""

    @property
    def name(self) -> str:
        """The channel's name."""

    def position(self) -> int:
        """Number of the next message."""

    def is_staged(self) -> bool:
        """Tell whether there is something to publish."""

    def is_urgent(self) -> bool:
        """Tell whether putting a commit off leaves the peer idle."""

    def freeze(self) -> CursorWords:
        """Write what is staged and return the cursor to commit: the one of the last commit where nothing has moved."""

    def publish(self, cursor: CursorWords) -> None:
        """Show the peer what was committed, where something has moved."""

    def wants_ring(self) -> bool:
        """Tell whether the publish crossed what the peer waits for."""

    def settle(self, *, alone: bool) -> None:
        """Take stock behind a publish, which the peer works on meanwhile.

        `alone` says that the commit held one turn only: its size is then known.
        """


def why_early(end: End, name: str) -> str:
    """Say why a turn can't wait at this end, of the channel `name`, without being torn, and what to do about it."""
    if end.is_choked():
        return (
            f"it takes or sends more than channel {name} (capacity {end.capacity}) lets it; "
            "raise the capacity, or send less a turn (vacant(), wait_vacant(n))"
        )
    return (
        f"it waits for channel {name} while somebody waits for what it has sent or taken; "
        "wait for all that a turn needs before it takes anything (await_for_all), or commit() before such a wait, with "
        "a state that says how far the turn has come"
    )
