"""The control block of an actor: its journal, and the words it stores about itself."""

from __future__ import annotations

import struct
from array import array
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from steady_mp.memory import layout
from steady_mp.memory.fence import ORDERED, fence

if TYPE_CHECKING:
    from steady_mp.memory.mapping import Mapping


class Cursor(NamedTuple):
    """Where an actor stands at one end of a channel."""

    messages: int
    position: int
    closed: int


#: The same three as turns and ends hand them on: a plain tuple is made, read and unpacked in a fraction of the time.
CursorWords: TypeAlias = tuple[int, int, int]


class Journal(NamedTuple):
    """What one commit fixed, all at once."""

    snapshot_slot: int
    snapshot_length: int
    snapshot_crc: int
    requested: int
    finished: int
    cursors: tuple[Cursor, ...]

    def words(self) -> array[int]:
        """Return what stands in a slot: the words of the header, and three for each cursor."""
        return array("Q", [*self[: layout.J_HEADER], *chain.from_iterable(self.cursors)])


class ControlBlock:
    """A mapped control block. Only its actor writes it while the actor lives."""

    __slots__ = ("_data", "_mapping", "_offsets", "_places", "_slot", "endpoints", "words")

    def __init__(self, mapping: Mapping, endpoints: int) -> None:
        """Wrap the control block of an actor with so many endpoints."""
        self._mapping = mapping
        self._data = mapping.data
        self.words = mapping.words
        self.endpoints = endpoints
        self._slot = struct.Struct(f"{layout.journal_words(endpoints)}Q")
        self._offsets = (layout.journal_offset(endpoints, 0), layout.journal_offset(endpoints, 1))
        self._places = tuple(slice(begin, begin + self._slot.size) for begin in self._offsets)

    def format(self) -> None:
        """Make it the control block of an actor that never lived: epoch 0, an empty journal."""
        self.words[layout.CB_ENDPOINTS] = self.endpoints
        self.words[layout.CB_MAGIC] = layout.MAGIC

    @property
    def epoch(self) -> int:
        """Number of commits so far."""
        return self.words[layout.EPOCH]

    def write_journal(self, epoch: int, packed: bytes | memoryview) -> None:
        """Fill the slot that `epoch` will put in force (the inactive one): see `Journal.words`."""
        self._data[self._places[epoch & 1]] = packed

    def put_in_force(self, epoch: int) -> None:
        """Commit: everything that was written before holds from this one store on."""
        if not ORDERED:
            fence()
        self.words[layout.EPOCH] = epoch

    def store_again(self) -> None:
        """Store the epoch once more, where nobody lives who would commit: its page is one to be written then.

        The kernel tells once that it could not write a page, to whoever has asked, and takes the page for written.
        """
        self.words[layout.EPOCH] = self.words[layout.EPOCH]

    def journal(self) -> Journal:
        """Read the slot in force."""
        values = self._slot.unpack_from(self._data, self._offsets[self.epoch & 1])
        head = layout.J_HEADER
        step = layout.J_PER_ENDPOINT
        cursors = tuple(Cursor(*values[i : i + step]) for i in range(head, len(values), step))
        slot, length, crc, requested, finished = values[:head]
        return Journal(slot, length, crc, requested, finished, cursors)

    @property
    def refusal(self) -> str:
        """Why the actor last refused to stop; empty when it did not."""
        length = min(int.from_bytes(self._data[layout.REFUSAL : layout.REFUSAL + 2], "little"), layout.REFUSAL_BYTES)
        start = layout.REFUSAL + 2
        return bytes(self._data[start : start + length]).decode(errors="replace")

    @refusal.setter
    def refusal(self, reason: str) -> None:
        text = reason.encode(errors="replace")[: layout.REFUSAL_BYTES]
        start = layout.REFUSAL + 2
        self._data[layout.REFUSAL : start] = len(text).to_bytes(2, "little")
        self._data[start : start + len(text)] = text

    def close(self) -> None:
        """Unmap the block."""
        self._mapping.close()
