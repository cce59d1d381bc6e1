"""Stores of channels that a process may die before writing to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from steady_mp.channel.kinds import store_type
from steady_mp.channel.ring import Ring

if TYPE_CHECKING:
    from steady_mp.channel.kinds import Planned
    from steady_mp.channel.store import Mapped, Store
    from steady_mp.testing.simulation.steps import Steps


class _SlowRing(Ring):
    """A ring whose every record is a step."""

    __slots__ = ("steps",)

    steps: Steps

    def write(self, position: int, kind: int, count: int, first: int, payload: bytes) -> int:
        """See `Ring.write`."""
        self.steps.step("writes a record")
        return super().write(position, kind, count, first, payload)


_SLOW: Final[dict[type[Store], Any]] = {Ring: _SlowRing}


def open_slowly(mapping: Mapped, plan: Planned, steps: Steps) -> Store:
    """Open the planned channel's file; each write to it is a step."""
    store: Any = _SLOW[store_type(plan)](mapping, plan.name, plan.shape.dtype)
    store.steps = steps
    return store  # type: ignore[no-any-return]
