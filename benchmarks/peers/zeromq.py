"""pyzmq: PUSH to PULL over ipc, a Unix socket behind two I/O threads."""

from __future__ import annotations

import functools
import pickle
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

from benchmarks.peer import Link, Peer

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkServerContext

_MUCH = 1 << 16


class _ZmqLink(Link):
    def __init__(self, capacity: int, size: int) -> None:
        self._size = size
        self._folder = tempfile.mkdtemp(prefix="steady-mp-bench-")
        self._address = f"ipc://{self._folder}/link"
        self._capacity = capacity
        # A socket that nobody holds is closed, and one closed too early loses what it has not delivered.
        self._socket: Any = None

    def sender(self) -> Callable[[Any], object]:
        import zmq  # noqa: PLC0415 - the bench extra may be absent

        self._socket = zmq.Context.instance().socket(zmq.PUSH)
        self._socket.sndhwm = self._capacity
        self._socket.bind(self._address)
        send, dumps = self._socket.send, pickle.dumps

        # Leaner than send_pyobj, and what somebody in a hurry writes.
        def put(value: object) -> None:
            send(dumps(value))

        return put

    def receiver(self) -> Callable[[], Any]:
        import zmq  # noqa: PLC0415 - the bench extra may be absent

        self._socket = zmq.Context.instance().socket(zmq.PULL)
        self._socket.rcvhwm = self._capacity
        self._socket.connect(self._address)
        receive, loads = self._socket.recv, pickle.loads

        def get() -> object:
            return loads(receive())

        return get

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class _ZmqBytesLink(_ZmqLink):
    def sender(self) -> Callable[[Any], object]:
        super().sender()
        # copy=False costs a message some microseconds: it pays where there is much to copy.
        send: Callable[[Any], object] = functools.partial(self._socket.send, copy=self._size < _MUCH)
        return send

    def receiver(self) -> Callable[[], Any]:
        super().receiver()
        receive: Callable[[], Any] = self._socket.recv
        return receive


class _Zmq(Peer):
    name = "pyzmq PUSH/PULL"
    note = "ipc; high-water mark = capacity at either side, and the socket's buffer between them"
    module = "zmq"
    package = "pyzmq"

    def link(self, capacity: int, context: ForkServerContext, size: int = 64) -> Link:
        del context  # an address is all that the processes share
        return _ZmqLink(capacity, size)

    def bytes_link(self, capacity: int, context: ForkServerContext, size: int) -> Link:
        del context
        return _ZmqBytesLink(capacity, size)


def peers() -> list[Peer]:
    """See `benchmarks.peer.peers`."""
    return [_Zmq()]
