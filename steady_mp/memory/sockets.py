"""Sockets: their addresses in a run directory, whose path may be longer than one can be, and descriptors over them.

`socket.send_fds` and `socket.recv_fds` of Python 3.11 leave out the flags that they are handed, and so block.
"""

from __future__ import annotations

import array
import contextlib
import os
import socket
from typing import TYPE_CHECKING, Final

from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Bytes of a Unix socket's address that every system takes.
_LONGEST: Final = 100


@contextlib.contextmanager
def address_of(path: Path) -> Iterator[str]:
    """Give the address of a socket: its path, or where that is too long for one, a way around its folder's name.

    Raises ConfigurationError where the system has no such way, and OSError where there is no such folder.
    """
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        around = f"/proc/self/fd/{folder}"
        if not os.path.exists(around):  # noqa: PTH110 - no path of ours
            message = f"{path} is too long for a socket's address: set STEADY_MP_ROOT to a folder with a shorter name"
            raise ConfigurationError(message)
        yield f"{around}/{path.name}"
    finally:
        os.close(folder)


def send_now(connection: socket.socket, data: bytes, fd: int) -> int:
    """Send `data` with a copy of `fd`, and return how much of it was sent. Never blocks. Raises OSError."""
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
    return connection.sendmsg([data], rights, socket.MSG_DONTWAIT)


def receive_now(connection: socket.socket, size: int) -> tuple[bytes, list[int | None]]:
    """Return what has come, and the descriptor with it if there is one; no program started by this one gets it.

    In the place of one that came, and that this process had none left for, is None. Never blocks. Raises OSError.
    """
    room = socket.CMSG_LEN(array.array("i").itemsize)
    data, ancillary, flags, _ = connection.recvmsg(size, room, socket.MSG_DONTWAIT)
    fds = array.array("i")
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    for fd in fds:
        os.set_inheritable(fd, False)  # noqa: FBT003 - its only way to be called
    return data, [*fds, *([None] if flags & socket.MSG_CTRUNC else [])]
