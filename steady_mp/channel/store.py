"""The store: a channel's file as its two ends see it. What stands in it differs by kind, the header does not."""

from __future__ import annotations

from typing import ClassVar, Protocol

from steady_mp.errors import CorruptChannel
from steady_mp.memory import layout


class Mapped(Protocol):
    """A file of a run as somebody sees it: a `Mapping`, or what stands for one."""

    @property
    def data(self) -> memoryview:
        """Its bytes."""

    @property
    def words(self) -> memoryview:
        """Its 8-byte words."""

    @property
    def size(self) -> int:
        """Bytes of the file."""

    def close(self) -> None:
        """Unmap it."""


class Store:
    """A mapped channel file: header words, and what each kind of channel keeps behind them."""

    __slots__ = ("_data", "_mapping", "capacity", "name", "size", "words")

    #: Which kind of channel it is, in the header.
    KIND: ClassVar[int]

    def __init__(self, mapping: Mapped, name: str, dtype: str | None = None) -> None:  # noqa: ARG002 - for lanes
        """Wrap a formatted channel file; `dtype` says what its items are where all are alike."""
        words = mapping.words
        if words[layout.CH_MAGIC] != layout.MAGIC:
            message = f"channel {name!r} was written by another version of steady-mp"
            raise CorruptChannel(message)
        if words[layout.CH_KIND] != self.KIND:
            message = f"channel {name!r} is of kind {words[layout.CH_KIND]} in its file, and of kind {self.KIND} here"
            raise CorruptChannel(message)
        self._mapping = mapping
        self._data = mapping.data[layout.RING_START :]
        self.words = words
        self.capacity = words[layout.CH_CAPACITY]
        self.size = words[layout.CH_RING_BYTES]
        self.name = name

    @classmethod
    def format(cls, mapping: Mapped, capacity: int, itemsize: int = 0) -> None:
        """Make the file an empty channel; `itemsize` is 0 where messages differ in size."""
        words = mapping.words
        words[layout.CH_CAPACITY] = capacity
        words[layout.CH_RING_BYTES] = mapping.size - layout.RING_START
        words[layout.CH_KIND] = cls.KIND
        words[layout.CH_ITEMSIZE] = itemsize
        words[layout.WAKE_TAIL] = words[layout.WAKE_HEAD] = layout.NEVER
        words[layout.CH_MAGIC] = layout.MAGIC

    def release(self) -> None:
        """Let go of the channel, which stays mapped."""
        self._data.release()

    def close(self) -> None:
        """Unmap the channel."""
        self.release()
        self._mapping.close()
