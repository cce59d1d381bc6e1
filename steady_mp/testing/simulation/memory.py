"""Shared memory as a processor shows it: words whose stores may reach the others late.

The memory is real, and so is all that the actors do with it. What is added is where processes differ
from greenlets: each access to a word of a channel is a step, before which somebody else may go on, and
the stores of an actor may wait in its *store buffer*, where only it can see them. That is x86-TSO
(Sewell et al., 2010): stores stay in order, and only a later load may pass an earlier store. A fence, a
ring, a sleep and the end of the process empty the buffer.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, cast

from steady_mp.memory import layout

if TYPE_CHECKING:
    from steady_mp.memory.mapping import Mapping
    from steady_mp.testing.simulation.steps import Steps

#: Stores that a processor keeps to itself at most.
_DEPTH: Final = 32

_NAMES: Final = {
    getattr(layout, name): name
    for name in (
        *(
            "CH_MAGIC",
            "CH_CAPACITY",
            "CH_RING_BYTES",
            "CH_KIND",
            "CH_ITEMSIZE",
            "TAIL",
            "TAIL_POS",
            "TX_CLOSED",
            "TX_HELD",
            "TX_STUCK",
        ),
        *("BLOCKED_NS", "HEAD", "HEAD_POS", "RX_CLOSED", "RX_HELD", "WAKE_TAIL", "WAKE_HEAD"),
    )
}


class StoreBuffer:
    """The stores of one process that nobody else can see yet, oldest first."""

    __slots__ = ("_stores", "late")

    def __init__(self, *, late: bool) -> None:
        """Keep stores back if `late`; else each is visible at once."""
        self.late = late
        self._stores: deque[tuple[Words, int, int]] = deque()

    def __len__(self) -> int:
        """Return how many stores wait."""
        return len(self._stores)

    def put(self, words: Words, index: int, value: int) -> None:
        """Keep one store back."""
        words.unseen[index] = value
        self._stores.append((words, index, value))
        if len(self._stores) > _DEPTH:
            self.drain()

    def drain(self) -> None:
        """Let everybody see all stores, in order."""
        while self._stores:
            words, index, value = self._stores.popleft()
            words.memory[index] = value
            words.unseen.clear()


class Words:
    """The words of a channel as one process sees them: used like the ``memoryview`` that they are elsewhere."""

    __slots__ = ("_buffer", "_channel", "_steps", "memory", "unseen")

    def __init__(self, memory: memoryview, channel: str, steps: Steps, buffer: StoreBuffer) -> None:
        """See `memory` through `buffer`; `channel` names it in traces."""
        self.memory = memory
        self.unseen: dict[int, int] = {}
        self._channel = channel
        self._steps = steps
        self._buffer = buffer

    def __getitem__(self, index: int) -> int:
        steps = self._steps
        steps.count += 1
        if steps.count >= steps.due:
            steps.act(f"reads {_NAMES.get(index, index)} of {self._channel}")
        if self.unseen and index in self.unseen:
            return self.unseen[index]
        return int(self.memory[index])

    def __setitem__(self, index: int, value: int) -> None:
        steps = self._steps
        steps.count += 1
        if steps.count >= steps.due:
            steps.act(f"stores {_NAMES.get(index, index)} of {self._channel}")
        if self._buffer.late:
            self._buffer.put(self, index, value)
        else:
            self.memory[index] = value


class View:
    """A mapped channel as one process sees it; what a ring needs of a `Mapping`."""

    __slots__ = ("data", "size", "words")

    def __init__(self, mapping: Mapping, channel: str, steps: Steps, buffer: StoreBuffer) -> None:
        """See `mapping` through `buffer`."""
        self.data = mapping.data
        self.size = mapping.size
        self.words = cast("memoryview", Words(mapping.words, channel, steps, buffer))

    def close(self) -> None:
        """Stay mapped: the memory belongs to the simulation."""
