"""multiprocessing.Pipe, one way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peer import Link, Peer

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext


class _PipeLink(Link):
    def __init__(self, reader: Connection, writer: Connection) -> None:
        self._reader = reader
        self._writer = writer

    def sender(self) -> Callable[[Any], object]:
        return self._writer.send

    def receiver(self) -> Callable[[], Any]:
        return self._reader.recv

    def close(self) -> None:
        self._reader.close()
        self._writer.close()


class _PipeBytesLink(_PipeLink):
    def sender(self) -> Callable[[Any], object]:
        return self._writer.send_bytes

    def receiver(self) -> Callable[[], Any]:
        return self._reader.recv_bytes


class _Pipe(Peer):
    name = "multiprocessing.Pipe"
    note = "no bound but the pipe's buffer"

    def link(self, capacity: int, context: ForkServerContext, size: int = 64) -> Link:
        del capacity, size  # it has none
        # One way each: a pipe, which is faster than the pair of sockets of a two-way Pipe.
        return _PipeLink(*context.Pipe(duplex=False))

    def bytes_link(self, capacity: int, context: ForkServerContext, size: int) -> Link:
        del capacity, size
        return _PipeBytesLink(*context.Pipe(duplex=False))


def peers() -> list[Peer]:
    """See `benchmarks.peer.peers`."""
    return [_Pipe()]
