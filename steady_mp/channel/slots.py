"""The slots of a lane: places of one size, used in turn. Message number n stands in slot n modulo their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steady_mp.channel.items import items_of
from steady_mp.channel.store import Store
from steady_mp.memory import layout

if TYPE_CHECKING:
    from steady_mp.channel.store import Mapped


class Slots(Store):
    """A mapped lane: header words, and slots behind them.

    Where the mapping shows the ring twice in a row, a stretch of slots is contiguous wherever it begins.
    """

    __slots__ = ("_bytes", "cells", "count", "dtype", "items", "itemsize", "mirrored", "whole")

    KIND = layout.KIND_LANE

    def __init__(self, mapping: Mapped, name: str, dtype: str | None = None) -> None:
        """Wrap a formatted lane whose items are `dtype`."""
        super().__init__(mapping, name)
        self.dtype = dtype or ""
        self.items = items_of(self.dtype)
        self.itemsize = self.words[layout.CH_ITEMSIZE]
        #: Slots in the ring, at least as many as the capacity.
        self.count = self.size // self.itemsize
        #: The ring is there twice in a row.
        self.mirrored = len(self._data) >= 2 * self.size
        shown = self.count * (2 if self.mirrored else 1)
        self._bytes = self._data[: shown * self.itemsize]
        #: The items by slot.
        self.cells = self.items.cells(self._bytes)
        #: All slots as one view.
        self.whole = self.items.whole(self._bytes)

    def release(self) -> None:
        """See `Store.release`."""
        for view in (self.cells, self.whole, self._bytes):
            if isinstance(view, memoryview):
                view.release()
        # An array of numpy holds the mapping until it is forgotten: what stays instead is a view that raises.
        self.cells = self.whole
        super().release()

    def spans(self, slot: int, count: int) -> tuple[tuple[int, int], ...]:
        """Return where `count` slots from `slot` on are: (start, stop), once, or twice where they wrap."""
        stop = slot + count
        if not count:
            return ()
        if stop <= self.count or self.mirrored:
            return ((slot, stop),)
        return ((slot, self.count), (0, stop - self.count))

    def write(self, slot: int, packed: Any, count: int) -> None:  # noqa: ANN401 - what `Items.pack` returned
        """Write `count` packed items from `slot` on."""
        size = self.itemsize
        with memoryview(packed) as view:
            done = 0
            for start, stop in self.spans(slot, count):
                until = done + (stop - start) * size
                self._bytes[start * size : stop * size] = view[done:until]
                done = until

    def read(self, slot: int, count: int) -> list[Any]:
        """Return the items of `count` slots from `slot` on, as values of their own."""
        size, found = self.itemsize, []
        for start, stop in self.spans(slot, count):
            found += self.items.unpack(self._bytes[start * size : stop * size])
        return found

    def copy(self, slot: int, count: int) -> bytes:
        """Return the bytes of `count` slots from `slot` on."""
        size = self.itemsize
        return b"".join(self._bytes[start * size : stop * size] for start, stop in self.spans(slot, count))
