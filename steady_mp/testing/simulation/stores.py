"""Stores of channels that a process may die before writing to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from steady_mp.channel.bytes_ring import BytesRing
from steady_mp.channel.kinds import store_type
from steady_mp.channel.ring import Ring
from steady_mp.channel.slots import Slots

if TYPE_CHECKING:
    from steady_mp.channel.items import Cells
    from steady_mp.channel.kinds import Planned
    from steady_mp.channel.ring import Part
    from steady_mp.channel.store import Mapped, Store
    from steady_mp.testing.simulation.steps import Steps


class _SlowRing(Ring):
    """A ring whose every record is a step."""

    __slots__ = ("steps",)

    steps: Steps

    def write(self, position: int, kind: int, count: int, first: int, *parts: Part) -> int:
        """See `Ring.write`."""
        self.steps.step("writes a record")
        return super().write(position, kind, count, first, *parts)


class _SlowBytesRing(BytesRing):
    """The same, in one piece each; padding is a step too."""

    __slots__ = ("steps",)

    steps: Steps

    def write(self, position: int, kind: int, count: int, first: int, *parts: Part) -> int:
        """See `Ring.write`."""
        self.steps.step("writes a record")
        return super().write(position, kind, count, first, *parts)

    def seal(self, position: int, start: int, length: int, first: int) -> int:
        """See `BytesRing.seal`."""
        self.steps.step("seals a record")
        return super().seal(position, start, length, first)

    def _pad(self, position: int, stop: int, first: int) -> None:
        super()._pad(position, stop, first)
        self.steps.step("has padded")


class _SlowCells:
    """Slots by index; each that is written to is a step."""

    def __init__(self, cells: Cells, steps: Steps) -> None:
        self._cells = cells
        self._steps = steps

    def __getitem__(self, index: int) -> Any:  # noqa: ANN401 - an item
        return self._cells[index]

    def __setitem__(self, index: int, value: Any) -> None:  # noqa: ANN401
        self._steps.step("writes an item")
        self._cells[index] = value


class _SlowSlots(Slots):
    """Slots whose every write is a step, and whose every stretch: before it is looked for, and thus before its use."""

    __slots__ = ("_steps",)

    @property
    def steps(self) -> Steps:
        """Of the simulation that it is opened in."""
        return self._steps

    @steps.setter
    def steps(self, steps: Steps) -> None:
        self._steps = steps
        self.cells = _SlowCells(self.cells, steps)

    def spans(self, slot: int, count: int) -> tuple[tuple[int, int], ...]:
        """See `Slots.spans`."""
        self._steps.step("comes to its slots")
        return super().spans(slot, count)


_SLOW: Final[dict[type[Store], Any]] = {Ring: _SlowRing, BytesRing: _SlowBytesRing, Slots: _SlowSlots}


def open_slowly(mapping: Mapped, plan: Planned, steps: Steps) -> Store:
    """Open the planned channel's file; each write to it is a step."""
    store: Any = _SLOW[store_type(plan)](mapping, plan.name, plan.shape.dtype)
    store.steps = steps
    return store  # type: ignore[no-any-return]
