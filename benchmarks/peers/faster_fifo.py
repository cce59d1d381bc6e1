"""faster-fifo: a circular buffer behind a mutex of its processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peer import Link, Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.context import ForkServerContext

_BYTES = 1 << 20
#: What it keeps beside each message.
_OVERHEAD = 8


class _FifoLink(Link):
    def __init__(self, queue: Any) -> None:  # noqa: ANN401 - the package has no types
        self._queue = queue

    def sender(self) -> Callable[[Any], object]:
        put: Callable[[Any], object] = self._queue.put
        return put

    def receiver(self) -> Callable[[], Any]:
        get: Callable[[], Any] = self._queue.get
        return get


class _FifoManyLink(_FifoLink):
    def receiver(self) -> Callable[[], Any]:
        get_many = self._queue.get_many

        def values() -> Iterator[Any]:
            while True:
                yield from get_many()

        return values().__next__


def _as_it_is(value: bytes) -> bytes:
    return value


def _copied(view: memoryview) -> bytes:
    return bytes(view)


class _FasterFifo(Peer):
    module = "faster_fifo"
    package = "faster-fifo"

    def __init__(self, name: str, note: str, kind: type[_FifoLink]) -> None:
        self.name = name
        self.note = note
        self._kind = kind

    def link(self, capacity: int, context: ForkServerContext, size: int = 64) -> Link:
        del context  # it brings its own memory
        return self._link(capacity, size)

    def bytes_link(self, capacity: int, context: ForkServerContext, size: int) -> Link:
        del context
        return self._link(capacity, size, loads=_copied, dumps=_as_it_is)

    def _link(self, capacity: int, size: int, **settings: Callable[[Any], bytes]) -> Link:
        import faster_fifo  # noqa: PLC0415 - the bench extra may be absent

        room = max(_BYTES, capacity * (size + _OVERHEAD))
        return self._kind(faster_fifo.Queue(max_size_bytes=room, maxsize=capacity, **settings))


def peers() -> list[Peer]:
    """See `benchmarks.peer.peers`."""
    return [
        _FasterFifo("faster-fifo", "maxsize = capacity; put and get", _FifoLink),
        _FasterFifo("faster-fifo, get_many", "maxsize = capacity; gets all there is at once", _FifoManyLink),
    ]
