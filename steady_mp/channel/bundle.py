"""Bundles: several lanes between the same kinds of actors, waited for together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, overload

from steady_mp.channel.endpoints import Rx, Tx
from steady_mp.channel.waits import Condition

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from steady_mp.channel.waits import Alarm

T = TypeVar("T")
E = TypeVar("E")


class LaneCondition(Condition):
    """At least one lane is ready. `Actor.await_for_lane` tells which, taking each ready lane in turn."""

    __slots__ = ("_next", "_parts")

    def __init__(self, make: Callable[[], list[Condition]]) -> None:
        """Ask each lane the same question."""
        self._parts = make()
        self._next = 0

    @property
    def key(self) -> Hashable:
        """See `Condition.key`."""
        return ("lane", *(part.key for part in self._parts))

    def holds(self) -> bool:
        """See `Condition.holds`."""
        return any(part.holds() for part in self._parts)

    def impossible(self) -> bool:
        """Tell whether no lane can become ready any more."""
        return all(part.impossible() for part in self._parts)

    def arm(self, alarm: Alarm) -> None:
        """Be woken by each lane."""
        alarm.has_choice = alarm.has_choice or len(self._parts) > 1
        for part in self._parts:
            part.arm(alarm)

    def lane(self) -> int | None:
        """Return the index of the next ready lane behind the one returned last; None when none is ready."""
        count = len(self._parts)
        for step in range(count):
            index = (self._next + step) % count
            if self._parts[index].holds():
                self._next = (index + 1) % count
                return index
        return None


class _Bundle(Generic[E]):
    """Lanes by index."""

    __slots__ = ("_lanes", "_waits")

    def __init__(self, lanes: Sequence[E]) -> None:
        """Bundle the ends of the same side."""
        self._lanes = tuple(lanes)
        self._waits: dict[int, LaneCondition] = {}

    def __getstate__(self) -> tuple[E, ...]:
        """Pickle the ends only."""
        return self._lanes

    def __setstate__(self, lanes: tuple[E, ...]) -> None:
        """See `__getstate__`."""
        self._lanes = lanes
        self._waits = {}

    def __len__(self) -> int:
        """Return the number of lanes."""
        return len(self._lanes)

    def __iter__(self) -> Iterator[E]:
        """Go through the lanes in order."""
        return iter(self._lanes)

    @overload
    def __getitem__(self, index: int) -> E: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[E, ...]: ...

    def __getitem__(self, index: int | slice) -> E | tuple[E, ...]:
        """Return one lane, or some."""
        return self._lanes[index]

    def _wait(self, count: int, make: Callable[[], list[Condition]]) -> LaneCondition:
        condition = self._waits.get(count)
        if condition is None:
            condition = self._waits[count] = LaneCondition(make)
        return condition


class TxBundle(_Bundle[Tx[T]], Generic[T]):
    """The sending ends of a bundle of channels."""

    __slots__ = ()

    def wait_vacant(self, count: int) -> LaneCondition:
        """Condition: a lane has room for at least `count` more messages."""
        return self._wait(count, lambda: [tx.wait_vacant(count) for tx in self])

    def mark_closed(self) -> None:
        """Close all lanes; see `Tx.mark_closed`."""
        for tx in self:
            tx.mark_closed()


class RxBundle(_Bundle[Rx[T]], Generic[T]):
    """The receiving ends of a bundle of channels."""

    __slots__ = ()

    def wait_avail(self, count: int) -> LaneCondition:
        """Condition: a lane has at least `count` messages."""
        return self._wait(count, lambda: [rx.wait_avail(count) for rx in self])

    def is_closed_and_empty(self) -> bool:
        """Tell whether no message will ever come on any lane."""
        return all(rx.is_closed_and_empty() for rx in self)
