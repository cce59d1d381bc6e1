"""multiprocessing.SimpleQueue: two locks and a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peer import Link, Peer

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkServerContext
    from multiprocessing.queues import SimpleQueue


class _SimpleQueueLink(Link):
    def __init__(self, queue: SimpleQueue[Any]) -> None:
        self._queue = queue

    def sender(self) -> Callable[[Any], object]:
        return self._queue.put

    def receiver(self) -> Callable[[], Any]:
        return self._queue.get

    def close(self) -> None:
        self._queue.close()


class _SimpleQueue(Peer):
    name = "multiprocessing.SimpleQueue"
    note = "no bound but the pipe's buffer"

    def link(self, capacity: int, context: ForkServerContext, size: int = 64) -> Link:
        del capacity, size  # it has none
        return _SimpleQueueLink(context.SimpleQueue())


def peers() -> list[Peer]:
    """See `benchmarks.peer.peers`."""
    return [_SimpleQueue()]
