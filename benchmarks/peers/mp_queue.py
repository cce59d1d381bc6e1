"""multiprocessing.Queue: a lock, a semaphore, a pipe and a feeder thread. The baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peer import Link, Peer

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkServerContext
    from multiprocessing.queues import Queue

#: The name that ratios refer to.
NAME = "multiprocessing.Queue"


class _QueueLink(Link):
    def __init__(self, queue: Queue[Any]) -> None:
        self._queue = queue

    def sender(self) -> Callable[[Any], object]:
        return self._queue.put

    def receiver(self) -> Callable[[], Any]:
        return self._queue.get

    def close(self) -> None:
        self._queue.close()


class _MpQueue(Peer):
    name = NAME
    note = "maxsize = capacity"

    def link(self, capacity: int, context: ForkServerContext, size: int = 64) -> Link:
        del size  # any
        return _QueueLink(context.Queue(capacity))


def peers() -> list[Peer]:
    """See `benchmarks.peer.peers`."""
    return [_MpQueue()]
