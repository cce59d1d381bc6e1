"""The end of a lane, whichever: what its slots say of the items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steady_mp.channel.lane import Lane

if TYPE_CHECKING:
    import numpy as np

    from steady_mp.channel.slots import Slots


class SlotEnd(Lane):
    """See `Lane`."""

    __slots__ = ()

    _slots: Slots

    @property
    def dtype(self) -> str:
        """See `Lane.dtype`."""
        return self._slots.dtype

    @property
    def itemsize(self) -> int:
        """See `Lane.itemsize`."""
        return self._slots.itemsize

    def as_array(self, view: memoryview) -> np.ndarray[Any, Any]:
        """See `Lane.as_array`."""
        return self._slots.items.as_array(view)
