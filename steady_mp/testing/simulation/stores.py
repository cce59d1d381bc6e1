"""Stores of channels that a process may die before writing to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from steady_mp.channel.bytes_ring import BytesRing
from steady_mp.channel.kinds import store_type
from steady_mp.channel.ring import Ring

if TYPE_CHECKING:
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


_SLOW: Final[dict[type[Store], Any]] = {Ring: _SlowRing, BytesRing: _SlowBytesRing}


def open_slowly(mapping: Mapped, plan: Planned, steps: Steps) -> Store:
    """Open the planned channel's file; each write to it is a step."""
    store: Any = _SLOW[store_type(plan)](mapping, plan.name, plan.shape.dtype)
    store.steps = steps
    return store  # type: ignore[no-any-return]
