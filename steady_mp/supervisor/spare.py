"""The spare: a fork of the fork server that is ready for any role, so that a restart need not wait for the fork.

The fork server (`supervisor/forkserver.py`) keeps one. Its role comes over a socket as one message: which actor, which
life, and the write end of its log pipe. It answers with one byte, and is that actor from then on: the fork server tells
the supervisor of a process only when the byte is there. So a spare that dies, or is stopped, before it has taken its
role costs nobody anything: it was no life of any actor, and the life is forked as it would be without a spare. One that
does not answer is not waited for.

It is the supervisor that gives it the role, over the fork server's end of the socket, of which it gets a copy; right
behind that it tells the fork server, which alone hears the answer. So there may be an answer to a role that the fork
server does not know of yet, but none that it will not be told of.

Before its role the spare is told whose that will likely be: who has died just now. It opens what that actor's life
begins with (`supervisor/ahead.py`) while the supervisor still finds out what follows.

A spare has run none of the user's code beyond what the fork server has loaded. It ignores INT and TERM like its
parent, ends with it, and leads a process group of its own, as an actor does.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import struct
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from steady_mp.memory.pidfd import pidfd_open, pidfd_send_signal
from steady_mp.memory.sockets import send_now
from steady_mp.parking import is_readable
from steady_mp.supervisor.exits import ORPHANED
from steady_mp.supervisor.orphans import bury

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROLE: Final = struct.Struct("=II")
_TAKEN: Final = b"\1"
#: Seconds that a spare has to take its role. It needs less than two thousandths; a fork needs more.
_ANSWER: Final = 0.05
#: Seconds until the fork server listens for that. It has the time, and the life that begins has the processors.
_UNHEARD: Final = 0.003
#: Seconds without a new life before the next spare is forked: a fork then takes no time from a life that begins.
_CALM: Final = 0.002
#: In the place of the number of a life, which is 1 or more: it is not the spare's yet.
_NOT_YET: Final = 0
#: The most seconds until the next one where one after the other dies while it waits.
_LONGEST: Final = 60.0


class Role(NamedTuple):
    """What a process is to be: a life of an actor, and where its output goes."""

    actor: int
    generation: int
    log_fd: int


class Spare:
    """The fork server's end of a spare."""

    __slots__ = ("_halted", "_socket", "_taken", "is_offered", "pid", "role")

    def __init__(self, pid: int, connection: socket.socket) -> None:
        """Talk with the spare `pid` over `connection`."""
        self.pid = pid
        self._socket = connection
        self._halted = self._taken = False
        #: The supervisor knows of it. Lives are forked past one of which it does not.
        self.is_offered = False
        #: What it was told to become, as far as the supervisor has said.
        self.role: Role | None = None

    def fileno(self) -> int:
        """Return the descriptor that is readable when it has taken its role."""
        return self._socket.fileno()

    def announce(self, actor: int) -> None:
        """Tell it whose role is likely to come."""
        with contextlib.suppress(OSError):
            self._socket.send(_ROLE.pack(actor, _NOT_YET), socket.MSG_DONTWAIT)

    def has_taken(self) -> bool:
        """Tell whether it has taken its role; to be asked until it says so, also when it is dead. Never blocks."""
        if not self._taken:
            with contextlib.suppress(OSError):
                self._taken = self._socket.recv(1, socket.MSG_DONTWAIT) == _TAKEN
        return self._taken

    def is_stopped(self) -> bool:
        """Tell whether it is stopped (SIGSTOP): what it has not said by then, it does not say."""
        with contextlib.suppress(ChildProcessError):
            return os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
        return False

    def halt(self) -> None:
        """Stop it, so that it can be asked, once it stands, whether it has taken its role after all."""
        if not self._halted:
            self._halted = True
            self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        """Take `halt` back."""
        if self._halted:
            self._send(signal.SIGCONT)

    def end(self) -> None:
        """Kill it; to be reaped as any other child."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def close(self) -> None:
        """Close the connection: a spare that waits ends then."""
        self._socket.close()


class Reserve:
    """Knows when the next spare is due."""

    __slots__ = ("_answer_due", "_clock", "_due", "_hear_due", "_pause", "is_wanted", "spare")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a spare, and want none before the first life has begun."""
        self._clock = clock
        self.spare: Spare | None = None
        self.is_wanted = False
        self._pause = _CALM
        self._due = 0.0
        self._hear_due: float | None = None
        self._answer_due: float | None = None

    def given(self, pid: int, role: Role) -> bool:
        """Take note that the spare `pid` was given a role; False where it is gone."""
        if self.spare is None or self.spare.pid != pid:
            return False
        self.spare.role = role
        now = self._clock()
        self._hear_due, self._answer_due = now + _UNHEARD, now + _ANSWER
        return True

    def is_early(self, pid: int) -> bool:
        """Tell whether process `pid` is the spare, and has taken a role that is not known here yet."""
        return self.spare is not None and self.spare.pid == pid and self.spare.role is None and self.spare.has_taken()

    def begins_to_hear(self) -> bool:
        """Tell, once, that from here on the answer of the spare is to be waited for."""
        if self._hear_due is None or self._clock() < self._hear_due:
            return False
        self._hear_due = None
        return True

    def expect(self, actor: int) -> None:
        """Tell the spare, if there is one, that the next role is likely to be this actor's."""
        if self.spare is not None and self.spare.role is None:
            self.spare.announce(actor)

    def postpone(self) -> None:
        """A life begins: let it get on first."""
        self._due = self._clock() + self._pause

    def patience(self) -> float | None:
        """Milliseconds until the next one is due, or something of this one; None where nothing is."""
        due = self._due if self.is_wanted else None
        if self.spare is not None:
            due = self._answer_due if self._hear_due is None else self._hear_due
        return None if due is None else max(0.0, (due - self._clock()) * 1000)

    def is_due(self) -> bool:
        """Whether one should be forked now."""
        return self.spare is None and self.patience() == 0.0

    def took(self) -> Role | None:
        """Let go of the spare if it has taken its role, and return that. End one that can't, or does not in time."""
        spare = self.spare
        if spare is None:
            return None
        stopped = spare.is_stopped()  # asked first: the answer to the next question is the last one then
        if spare.has_taken():
            if (role := spare.role) is not None:
                spare.go_on()
                self._pause = _CALM
                self.let_go()
            return role
        if stopped:
            spare.end()
        elif spare.role is not None and self._hear_due is None and self.patience() == 0.0:
            spare.halt()
            self._answer_due = None
        return None

    def died(self) -> Role | None:
        """Let go of the spare, which has died as one, or could not be forked; return the role that it was given."""
        role = self.spare.role if self.spare is not None else None
        self._pause = min(2 * self._pause, _LONGEST)  # something kills them: no loop of forks
        self.let_go()
        return role

    def let_go(self) -> None:
        """Close the connection with the spare, and forget it."""
        if self.spare is not None:
            self.spare.close()
            self.spare = None
        self._hear_due = self._answer_due = None
        self.postpone()


class Offer:
    """The supervisor's end of a spare, which it gives its role itself: that saves the way by the fork server."""

    __slots__ = ("_pidfd", "_socket", "pid")

    def __init__(self, pid: int, fd: int) -> None:
        """Talk with the spare `pid` over `fd`, which is the offer's from here on."""
        self.pid = pid
        self._socket = socket.socket(fileno=fd)
        self._pidfd: int | None = None
        with contextlib.suppress(OSError):  # not on Linux, no descriptor left, or dead by now
            self._pidfd = pidfd_open(pid)

    def give(self, role: Role) -> bool:
        """Tell it what to become, and let go of it; False where it is dead. Never blocks."""
        try:
            send_now(self._socket, _ROLE.pack(role.actor, role.generation), role.log_fd)
        except OSError:
            return False
        finally:
            self.close()
        return True

    def end(self) -> None:
        """End it where its fork server can't, and wait until it is gone."""
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                pidfd_send_signal(self._pidfd, signal.SIGKILL)
            bury(self._pidfd)
        self.close()

    def close(self) -> None:
        """Let go of it."""
        self._socket.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None


def wait_for_role(connection: socket.socket, steps: Iterator[None], look_at: Callable[[int], None]) -> Role:
    """Wait, in the spare, for its role; `look_at` is told whose that is likely to be.

    Meanwhile it goes through the steps of a rehearsal, between which it listens. Ends the process when the fork server
    is gone.
    """
    while True:
        with contextlib.suppress(Exception):  # what a module of the user's has changed may not bear it: a colder spare
            for _ in steps:
                if is_readable(connection.fileno()):
                    break
        role = _hear(connection)
        if role is None:
            os._exit(ORPHANED)
        if role.generation != _NOT_YET:
            return role
        look_at(role.actor)


def _hear(connection: socket.socket) -> Role | None:
    """Return the next that is said: a role, or whose it is likely to be; None when nothing will be."""
    try:
        data, fds, _, _ = socket.recv_fds(connection, _ROLE.size, 1)
    except OSError:
        data, fds = b"", []
    if len(data) < _ROLE.size:
        return None
    actor, generation = _ROLE.unpack(data)
    if generation == _NOT_YET:
        return Role(actor, generation, -1)
    return Role(actor, generation, fds[0]) if fds else None


def take(connection: socket.socket) -> None:
    """Take the role, in the spare: from here on its process is the actor's. Does not return without the fork server."""
    try:
        connection.sendall(_TAKEN)
    except OSError:
        os._exit(ORPHANED)
    connection.close()


def warm_up(pid: int) -> None:
    """Go through what the next death asks of the fork server, with which its new fork `pid` shares all pages.

    Nothing is changed by it, but that the loop makes one more turn. Raises OSError.
    """
    signal.raise_signal(signal.SIGCHLD)
    resource.getrusage(resource.RUSAGE_CHILDREN)
    os.waitstatus_to_exitcode(0)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        reserve = Reserve()
        reserve.spare = Spare(os.getpid(), ours)
        reserve.expect(0)
        _hear(theirs)
        send_now(theirs, b"\n", theirs.fileno())
        for fd in socket.recv_fds(ours, 1, 1)[1]:
            os.close(fd)
        reserve.given(os.getpid(), Role(0, 1, -1))
        theirs.sendall(_TAKEN)
        reserve.took()
    json.loads(json.dumps({"exited": 0, "pid": 0, "status": 0, "peak": 0, "cpu": 0.001}))
    os.killpg(pid, 0)
