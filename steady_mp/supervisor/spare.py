"""The spare: a fork of the fork server that is ready for any role, so that a restart need not wait for the fork.

The fork server (`supervisor/forkserver.py`) keeps one. Its role comes over a socket as one message: which actor, which
life, and the write end of its log pipe. It answers with one byte, and is that actor from then on: the fork server tells
the supervisor of a process only when the byte is there. So a spare that dies, or is stopped, before it has taken its
role costs nobody anything: it was no life of any actor, and the life is forked as it would be without a spare.

A spare has run none of the user's code beyond what the fork server has loaded. It ignores INT and TERM like its
parent, ends with it, and leads a process group of its own, as an actor does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from steady_mp.parking import ORPHANED

if TYPE_CHECKING:
    from collections.abc import Callable

_ROLE: Final = struct.Struct("=II")
_TAKEN: Final = b"\1"
#: Seconds without a new life before the next spare is forked: a fork then takes no time from a life that begins.
_CALM: Final = 0.01
#: The most seconds until the next one where one after the other dies while it waits.
_LONGEST: Final = 60.0


class Role(NamedTuple):
    """What a process is to be: a life of an actor, and where its output goes."""

    actor: int
    generation: int
    log_fd: int


class Spare:
    """The fork server's end of a spare."""

    __slots__ = ("_socket", "pid", "role")

    def __init__(self, pid: int, connection: socket.socket) -> None:
        """Talk with the spare `pid` over `connection`."""
        self.pid = pid
        self._socket = connection
        #: What it was told to become, and has not taken yet.
        self.role: Role | None = None

    def fileno(self) -> int:
        """Return the descriptor that is readable when it has taken its role."""
        return self._socket.fileno()

    def give(self, role: Role) -> bool:
        """Tell it what to become; False when it is dead. The descriptor stays the caller's."""
        try:
            socket.send_fds(self._socket, [_ROLE.pack(role.actor, role.generation)], [role.log_fd])
        except OSError:
            return False
        self.role = role
        return True

    def has_taken(self) -> bool:
        """Tell whether it has taken its role; to be asked until it says so, also when it is dead. Never blocks."""
        with contextlib.suppress(OSError):
            return self._socket.recv(1, socket.MSG_DONTWAIT) == _TAKEN
        return False

    def end_if_stopped(self) -> None:
        """Kill it if it is stopped (SIGSTOP): it can't take a role, and nobody would know whom to wake."""
        with contextlib.suppress(ChildProcessError, ProcessLookupError):
            if os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None:
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close the connection: a spare that waits ends then."""
        self._socket.close()


class Reserve:
    """Knows when the next spare is due."""

    __slots__ = ("_clock", "_due", "_pause", "is_wanted", "spare")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a spare, and want none before the first life has begun."""
        self._clock = clock
        self.spare: Spare | None = None
        self.is_wanted = False
        self._pause = _CALM
        self._due = 0.0

    def postpone(self) -> None:
        """A life begins: let it get on first."""
        self._due = self._clock() + self._pause

    def patience(self) -> float | None:
        """Milliseconds until the next one is due; None where none is wanted."""
        if not self.is_wanted or self.spare is not None:
            return None
        return max(0.0, (self._due - self._clock()) * 1000)

    def is_due(self) -> bool:
        """Whether one should be forked now."""
        return self.patience() == 0.0

    def took(self) -> Role | None:
        """Let go of the spare if it has taken its role, and return that."""
        if self.spare is None or self.spare.role is None or not self.spare.has_taken():
            return None
        role = self.spare.role
        self._pause = _CALM
        self.let_go()
        return role

    def died(self) -> Role | None:
        """Let go of the spare, which has died as one; return the role that it was given."""
        role = self.spare.role if self.spare is not None else None
        self._pause = min(2 * self._pause, _LONGEST)  # something kills them: no loop of forks
        self.let_go()
        return role

    def let_go(self) -> None:
        """Close the connection with the spare, and forget it."""
        if self.spare is not None:
            self.spare.close()
            self.spare = None
        self.postpone()


def wait_for_role(connection: socket.socket) -> Role:
    """Block, in the spare, until its role comes. Ends the process when the fork server is gone."""
    try:
        data, fds, _, _ = socket.recv_fds(connection, _ROLE.size, 1)
    except OSError:
        data, fds = b"", []
    if len(data) < _ROLE.size or not fds:
        os._exit(ORPHANED)
    actor, generation = _ROLE.unpack(data)
    return Role(actor, generation, fds[0])


def take(connection: socket.socket) -> None:
    """Take the role, in the spare: from here on its process is the actor's. Does not return without the fork server."""
    try:
        connection.sendall(_TAKEN)
    except OSError:
        os._exit(ORPHANED)
    connection.close()
