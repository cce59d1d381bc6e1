"""Lanes as a behavior sees them: channels of items of one size, which can be read and written where they stand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

from steady_mp.channel.endpoints import Rx, Tx

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")


class Lane(ABC):
    """What both ends of a lane know of its items."""

    __slots__ = ()

    @property
    @abstractmethod
    def dtype(self) -> str:
        """How the items are written: a format of `struct`, or `numpy:` and what describes a numpy dtype."""

    @property
    @abstractmethod
    def itemsize(self) -> int:
        """Bytes of an item."""

    @abstractmethod
    def as_array(self, view: memoryview) -> np.ndarray[Any, Any]:
        """Return a view as an array of items, without a copy. Needs numpy; it has to be gone when the view ends.

        Raises ConfigurationError without numpy, and where the items have texts of the kind `p`, which no array has.
        """


class LaneTx(Tx[T], Lane):
    """The sending end of a lane: see `Tx`. Only a graph makes one, and exactly one actor owns it.

    `send`, `try_send` and `send_slice` copy values into slots, and raise DoesNotFit for what is no item. `send_slice`
    takes a buffer of the same numbers (an array, a bytes-like object) without looking at each.
    """

    __slots__ = ()

    @abstractmethod
    def poke_slice(self, count: int) -> tuple[memoryview, ...]:
        """Return the next slots to be filled, at most `count`: one view, or two where they wrap; none when full.

        What stands in them is whatever was there. Fill them, and call `advance_send`. A view is good until the commit
        that sends a message in it; using it afterwards raises ValueError. Never blocks. Raises ClosedByMe or PeerGone.
        """

    @abstractmethod
    def advance_send(self, count: int) -> None:
        """Stage the next `count` of the slots that `poke_slice` has handed out. Never blocks.

        Raises OutOfReach when it has not handed out so many, and ClosedByMe or PeerGone like `send`.
        """


class LaneRx(Rx[T], Lane):
    """The receiving end of a lane: see `Rx`. Only a graph makes one, and exactly one actor owns it.

    `take`, `try_take`, `take_slice` and `try_peek` give copies; `peek_slice` gives views.
    """

    __slots__ = ()

    @abstractmethod
    def peek_slice(self, count: int) -> tuple[memoryview, ...]:  # type: ignore[override]  # views are what lanes are for
        """Return the next messages where they stand, at most `count`: one view, or two where they wrap; or none.

        Views can't be written to. Call `advance_take` for what was used. A view is good until the commit that gives
        back the slot of a message in it; using it afterwards raises ValueError. Never blocks.
        """

    @abstractmethod
    def advance_take(self, count: int) -> None:
        """Stage the next `count` messages as taken. Never blocks. Raises OutOfReach when there are not so many."""
