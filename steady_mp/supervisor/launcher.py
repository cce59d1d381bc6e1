"""The supervisor's end of the fork server: start it, ask it for actors, hear of their ends."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import psutil

from steady_mp.errors import StartError
from steady_mp.supervisor.bootstrap import command
from steady_mp.supervisor.child import ORPHANED
from steady_mp.supervisor.messages import Exited, ForkServerGone, Message, Spawned

if TYPE_CHECKING:
    from pathlib import Path

_BUFFER = 1 << 16
#: In the environment of every process of a run: its directory.
_MARK: Final = "STEADY_MP_RUN"


class Launcher:
    """A running fork server. The lifeline is a pipe whose writing end only this process holds."""

    def __init__(self, directory: Path) -> None:
        """Start the fork server of the run in `directory`. Raises StartError."""
        self._directory = directory
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        lifeline, self._lifeline = os.pipe()
        arguments = [str(theirs.fileno()), str(lifeline), str(os.getpid())]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [*command("steady_mp.supervisor.forkserver", directory), *arguments],
                pass_fds=(theirs.fileno(), lifeline),
                stdin=subprocess.DEVNULL,
                env={**os.environ, _MARK: str(directory)},
                process_group=0,
            )
        except OSError as error:
            ours.close()
            os.close(self._lifeline)
            message = f"the fork server can't be started with {sys.executable}: {error.strerror}"
            raise StartError(message) from None
        finally:
            theirs.close()
            os.close(lifeline)
        self._socket = ours
        self._rest = b""

    @property
    def pid(self) -> int:
        """The fork server's process."""
        return self._process.pid

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is news."""
        return self._socket.fileno()

    def spawn(self, actor: int, generation: int, log_fd: int) -> None:
        """Ask for a life of an actor, with `log_fd` for its output. The answer comes as news."""
        request = json.dumps({"spawn": actor, "generation": generation}).encode() + b"\n"
        # A fork server that just died is found out by its news, and the life is asked for again then.
        with contextlib.suppress(OSError):
            socket.send_fds(self._socket, [request], [log_fd])

    def news(self) -> list[Message]:
        """Return what the fork server has told; blocks unless `fileno` is readable."""
        try:
            data = self._socket.recv(_BUFFER)
        except OSError:
            data = b""
        if not data:
            return [ForkServerGone()]
        *lines, self._rest = (self._rest + data).split(b"\n")
        messages: list[Message] = []
        for line in lines:
            told = json.loads(line)
            if "spawned" in told:
                messages.append(Spawned(told["spawned"], told["pid"]))
            else:
                messages.append(Exited(told["exited"], told["pid"], told["status"], told["peak"], told["cpu"]))
        return messages

    def close(self) -> int:
        """Let the fork server go, and with it every actor that is left; return its exit status."""
        self._socket.close()
        os.close(self._lifeline)
        try:
            status = self._process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:  # it is stopped (SIGSTOP), or a module that it imports blocks
            self._process.kill()
            status = self._process.wait()
        if status != ORPHANED:
            kill_leftovers(self._directory)
        return status


def kill_leftovers(directory: Path) -> None:
    """Kill the processes of a run whose fork server had no time to do it: actors, and what they started."""
    found = True
    while found:
        found = False
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                alive = process.status() != psutil.STATUS_ZOMBIE
                if alive and process.environ().get(_MARK) == str(directory):
                    process.kill()
                    found = True
