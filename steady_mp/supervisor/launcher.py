"""The supervisor's end of the fork server: start it, ask it for actors, hear of their ends."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil

from steady_mp.errors import StartError, in_words
from steady_mp.events import ProcessDelayed
from steady_mp.memory.pidfd import pidfd_open
from steady_mp.memory.sockets import receive_now
from steady_mp.parking import give_way
from steady_mp.supervisor.bootstrap import RUN_MARK, command
from steady_mp.supervisor.exits import ORPHANED
from steady_mp.supervisor.messages import Announce, Exited, ForkServerGone, Message, Spawned
from steady_mp.supervisor.spare import Offer, Role

if TYPE_CHECKING:
    from pathlib import Path

_BUFFER = 1 << 16
#: Seconds until the system is asked again for who is left.
PAUSE = 0.1
#: Characters of a word with which a process can surely be started.
_LONGEST_WORD = 100_000


class Launcher:
    """A running fork server. The lifeline is a pipe whose writing end only this process holds."""

    def __init__(self, directory: Path) -> None:
        """Start the fork server of the run in `directory`. Raises StartError."""
        self._directory = directory
        with contextlib.ExitStack() as after:
            try:
                self._start(after)
            except OSError as error:
                message = f"the fork server can't be started with {sys.executable}: {in_words(error)}"
                raise StartError(message) from None
        self._rest = b""
        #: What has come with lines that have not come whole yet; None for what there was no room for.
        self._fds: list[int | None] = []
        #: A spare that nobody has given a role.
        self._spare: Offer | None = None
        self._is_gone = False

    def _start(self, after: contextlib.ExitStack) -> None:
        """Start the process; `after` lets go of what is its, and of everything where that fails."""
        failed = after.enter_context(contextlib.ExitStack())
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        after.callback(theirs.close)
        failed.callback(self._socket.close)
        lifeline, self._lifeline = os.pipe()
        after.callback(os.close, lifeline)
        failed.callback(os.close, self._lifeline)
        arguments = [str(theirs.fileno()), str(lifeline), str(os.getpid()), _command_line()]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [*command("steady_mp.supervisor.forkserver", self._directory), *arguments],
            pass_fds=(theirs.fileno(), lifeline),
            stdin=subprocess.DEVNULL,
            env={**os.environ, RUN_MARK: str(self._directory)},
            process_group=0,
        )
        #: Readable once it is dead.
        self._pidfd: int | None = None
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # no descriptor left: the end of the connection tells as well, as a rule
                self._pidfd = pidfd_open(self.pid)
        failed.pop_all()

    @property
    def pid(self) -> int:
        """The fork server's process."""
        return self._process.pid

    def filenos(self) -> list[int]:
        """Return the descriptors of which one is readable when there is news."""
        return [self._socket.fileno(), *([] if self._pidfd is None else [self._pidfd])]

    def spawn(self, actor: int, generation: int, log_fd: int) -> None:
        """Begin a life of an actor, in a spare or else in a fork, with `log_fd` for its output. The answer is news."""
        spare, self._spare = self._spare, None
        request = {"spawn": actor, "generation": generation}
        if spare is not None and spare.give(Role(actor, generation, log_fd)):
            request["given"] = spare.pid
        # A fork server that just died is found out by its news, and the life is asked for again then.
        with contextlib.suppress(OSError):
            socket.send_fds(self._socket, [json.dumps(request).encode() + b"\n"], [log_fd])
        if "given" in request:  # the kernel mostly puts who is woken on the waker's core: it would wait there for us
            give_way()

    def news(self) -> list[Message]:
        """Return what the fork server has told since, and once that it is gone. Never blocks."""
        if self._is_gone:
            return []
        data = self._received()
        if data is None:
            if self._process.poll() is None:
                return []
            data = self._received()  # once more: what it has said by now is all
        if not data:  # or a process that it has forked holds the connection open
            self._is_gone = True
            return [ForkServerGone()]
        *lines, self._rest = (self._rest + data).split(b"\n")
        messages: list[Message] = []
        for line in lines:
            told = json.loads(line)
            if "spare" in told:
                self._let_spare_go()
                if (fd := self._fds.pop(0)) is not None:
                    self._spare = Offer(told["spare"], fd)
            elif "spawned" in told:
                messages.append(Spawned(told["spawned"], told["pid"]))
            elif "delayed" in told:
                messages.append(Announce(ProcessDelayed(process=told["delayed"], reason=told["reason"])))
            else:
                messages.append(Exited(told["exited"], told["pid"], told["status"], told["peak"], told["cpu"]))
        return messages

    def _received(self) -> bytes | None:
        """Return what has come; None where nothing has yet, and nothing at all once nothing will."""
        try:
            data, fds = receive_now(self._socket, _BUFFER)
        except BlockingIOError:
            return None
        except OSError:
            return b""
        self._fds += fds
        return data

    def _let_spare_go(self) -> None:
        if self._spare is not None:
            self._spare.close()
            self._spare = None

    def close(self) -> int:
        """Let the fork server go, and with it every actor that is left; return its exit status."""
        with contextlib.suppress(OSError):  # it has died
            self._socket.shutdown(socket.SHUT_RDWR)  # a fork of this process may hold a copy, so closing is no end
        self._socket.close()
        for fd in (self._lifeline, *(fd for fd in self._fds if fd is not None)):
            os.close(fd)
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None
        try:
            status = self._process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:  # it is stopped (SIGSTOP), or a module that it imports blocks
            self._process.kill()
            status = self._process.wait()
        if status != ORPHANED:
            if self._spare is not None:
                self._spare.end()
            kill_leftovers(self._directory)
        self._let_spare_go()
        return status


def kill_leftovers(directory: Path) -> None:
    """Kill the processes of a run whose fork server had no time to do it: actors, and what they started.

    Nobody of them may live on beside the next lives, so it waits where the system refuses to say who lives.
    """
    found = True
    while found:
        try:
            found = _kill_who_is_found(directory)
        except OSError:  # no descriptor is left, to this process or to the system
            time.sleep(PAUSE)


def _kill_who_is_found(directory: Path) -> bool:
    """Look once, and tell whether there was anybody to kill. Raises OSError."""
    found = False
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and process.environ().get(RUN_MARK) == str(directory):
                process.kill()
                found = True
    return found


def _command_line() -> str:
    """Return the command line of this process, or of one that is too long its first word, as one word.

    Not as it reads: `pkill -f script.py` is to mean this process, not the fork server and its actors too.
    """
    words = [str(word) for word in sys.argv]  # a program may have put anything there
    told = base64.b64encode(json.dumps(words).encode()).decode()
    return told if len(told) <= _LONGEST_WORD else base64.b64encode(json.dumps(words[:1]).encode()).decode()
