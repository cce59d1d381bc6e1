"""The wire: a Unix socket between a test and an actor that it plays. Whole objects, in order, or the end.

The test listens for as long as the run lasts; each life of the actor connects anew. So the end of a
connection tells either side that the other one is gone, and nothing half said is ever heard.
"""

from __future__ import annotations

import pickle
import socket
import struct
from typing import TYPE_CHECKING, Any, Final

from steady_mp.memory.sockets import address_of

if TYPE_CHECKING:
    from pathlib import Path

_LENGTH: Final = struct.Struct("<Q")
_CHUNK: Final = 1 << 16
_BACKLOG: Final = 128


class Lost(Exception):
    """The other side is gone."""


class Wire:
    """One connection."""

    def __init__(self, connected: socket.socket) -> None:
        """Own a connected socket."""
        self._socket = connected
        self._rest = bytearray()

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is something to receive."""
        return self._socket.fileno()

    def send(self, message: object, seconds: float | None = None) -> None:
        """Send one object. Blocks while the other side does not read; raises Lost, and TimeoutError after `seconds`.

        After a TimeoutError the connection can't be used any more.
        """
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(_LENGTH.pack(len(data)) + data)
        except TimeoutError:
            raise
        except OSError as error:
            raise Lost from error

    def receive(self) -> list[Any]:
        """Return the objects that are here as a whole; never blocks. Raises Lost at the end."""
        self._socket.settimeout(0.0)
        try:
            while data := self._socket.recv(_CHUNK):
                self._rest += data
        except BlockingIOError:
            return self._cut()
        except OSError as error:
            raise Lost from error
        if messages := self._cut():
            return messages  # the end is told next time
        raise Lost

    def _cut(self) -> list[Any]:
        messages = []
        start = 0
        with memoryview(self._rest) as rest:
            while len(rest) - start >= _LENGTH.size:
                begin = start + _LENGTH.size
                end = begin + _LENGTH.unpack_from(rest, start)[0]
                if len(rest) < end:
                    break
                messages.append(pickle.loads(rest[begin:end]))  # noqa: S301 - a socket in our own 0700 directory
                start = end
        del self._rest[:start]
        return messages

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def listen(path: Path) -> socket.socket:
    """Listen at `path`; who finds a file there can connect. Raises OSError, and ConfigurationError for a long path."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        draft = path.with_name(f"{path.name}.new")
        with address_of(draft) as address:
            listener.bind(address)
        listener.listen(_BACKLOG)
        listener.settimeout(0.0)
        draft.rename(path)
    except BaseException:
        listener.close()
        raise
    return listener


def connect(path: Path) -> Wire:
    """Connect to whoever listens at `path`. Raises OSError where nobody does."""
    connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with address_of(path) as address:
            connecting.connect(address)
    except BaseException:
        connecting.close()
        raise
    return Wire(connecting)
