"""The fork server's end of its connection with the supervisor: lines of JSON, some with a descriptor attached."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from typing import TYPE_CHECKING, Any, Final

from steady_mp.memory.sockets import send_now

if TYPE_CHECKING:
    from collections.abc import Mapping

_BUFFER: Final = 1 << 16
_MOST_FDS: Final = 64


class Wire:
    """The connection. Nothing is waited for: the supervisor may ask for more, and wait for us to hear that."""

    __slots__ = ("_connection", "_fds", "_rest", "_unsent")

    def __init__(self, connection: socket.socket) -> None:
        """Talk over `connection`."""
        self._connection = connection
        self._fds: list[int] = []
        self._rest = b""
        self._unsent = b""

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._connection.fileno()

    @property
    def is_behind(self) -> bool:
        """Whether something is left that could not be sent yet."""
        return bool(self._unsent)

    def requests(self) -> list[tuple[dict[str, Any], int]] | None:
        """Return what the supervisor asks for, each with its descriptor; None once it is gone. Blocks without news."""
        try:
            data, fds, _, _ = socket.recv_fds(self._connection, _BUFFER, _MOST_FDS)
        except ConnectionResetError:
            return None
        self._fds += fds
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [(json.loads(line), self._fds.pop(0)) for line in lines]

    def tell(self, *messages: Mapping[str, int | float | str]) -> None:
        """Tell the supervisor something behind what is left, as far as that goes. Raises OSError when it is gone."""
        self._unsent += b"".join(json.dumps(message).encode() + b"\n" for message in messages)
        with contextlib.suppress(BlockingIOError):
            self._unsent = self._unsent[self._connection.send(self._unsent, socket.MSG_DONTWAIT) :]

    def hand_over(self, message: Mapping[str, int | float | str], fd: int) -> bool:
        """Tell something with a copy of `fd` attached; False where that can't be sent now."""
        if self._unsent:
            return False
        data = json.dumps(message).encode() + b"\n"
        try:
            self._unsent = data[send_now(self._connection, data, fd) :]
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let go of it, in a fork."""
        self._connection.close()
        for fd in self._fds:
            os.close(fd)
