"""The next journal of an actor, kept from commit to commit: a commit writes into it only what has changed.

So a commit does not pay for ends of channels that stand idle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from steady_mp.memory.control import CursorWords, Journal
    from steady_mp.staging import Staging


class NextJournal:
    """What the next commit will fix, as far as it is known. It begins as the journal in force."""

    __slots__ = ("_places", "cursors", "packed", "snapshot", "words")

    def __init__(self, journal: Journal) -> None:
        """Begin with what the last commit fixed."""
        self.words = journal.words()
        #: The same memory as bytes.
        self.packed = memoryview(self.words).cast("B")
        #: Slot, length and checksum of the snapshot in force: a commit that is refused leaves them as they are.
        self.snapshot = (journal.snapshot_slot, journal.snapshot_length, journal.snapshot_crc)
        self._places: dict[Staging, int] = {}
        #: Where each end stood at the last commit.
        self.cursors: list[CursorWords] = []

    def join(self, end: Staging) -> None:
        """Make room for one more end, in the order of the topology."""
        self._places[end] = len(self._places)
        self.cursors.append(end.freeze())

    def keep(self, snapshot: tuple[int, int, int]) -> None:
        """Note the snapshot that is to be in force: slot, length and checksum."""
        words = self.words
        words[layout.J_SNAP_SLOT], words[layout.J_SNAP_LENGTH], words[layout.J_SNAP_CRC] = snapshot

    def freeze(self, ends: Iterable[Staging]) -> list[tuple[Staging, int, CursorWords]]:
        """Write what is staged at `ends` into the rings; note who of them has moved, and return them, numbered."""
        words, places, before = self.words, self._places, self.cursors
        moved = []
        for end in ends:
            cursor = end.freeze()
            place = places[end]
            if cursor is not before[place]:
                word = layout.J_HEADER + layout.J_PER_ENDPOINT * place
                words[word], words[word + 1], words[word + 2] = cursor
                moved.append((end, place, cursor))
        return moved
