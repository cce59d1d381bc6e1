"""The fork server: a small process with the actors' modules loaded, which forks them and reaps them.

It talks with the supervisor over a stream socket, one JSON object a line:

    supervisor → {"spawn": actor, "generation": n}, with the write end of the log pipe attached
    supervisor ← {"spawned": actor, "pid": pid} and {"exited": actor, "pid": pid, "status": code or -signal}

Why not the one of `multiprocessing`: that is one for the whole process, so that two graphs (or a graph
and its user) share what is preloaded; it runs ``__main__`` again in each child; it starts a resource
tracker; and it tells 255 where the exit status is not known.

Order of things around signals: this process ignores INT and TERM, so that only the supervisor decides;
a child sets TERM back to its default before anything of the user's runs, and keeps ignoring INT. When
the connection ends, the supervisor is gone: every actor's process group is killed, also one that sits
in a busy loop.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import types
import warnings
from pathlib import Path
from typing import NoReturn

from steady_mp.plan import PLAN_FILE, Plan
from steady_mp.supervisor import child, native

_BUFFER = 1 << 16
_MOST_FDS = 64
_MAIN = "__mp_main__"


class ForkServer:
    """The loop of the fork server."""

    def __init__(self, directory: Path, connection: socket.socket, lifeline: int) -> None:
        """Serve the supervisor at the other end of `connection`."""
        self._directory = directory
        self._connection = connection
        self._lifeline = lifeline
        self._plan = Plan.from_json((directory / PLAN_FILE).read_text())
        self._children: dict[int, int] = {}
        self._rest = b""
        self._fds: list[int] = []
        self._wake_out, self._wake_in = os.pipe()

    def serve(self) -> NoReturn:
        """Fork and reap until the supervisor is gone."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        os.set_blocking(self._wake_in, False)
        signal.set_wakeup_fd(self._wake_in, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        native.become_subreaper()
        self._preload()
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        poll.register(self._wake_out, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == self._wake_out:
                    os.read(self._wake_out, _BUFFER)
                else:
                    self._receive()
            self._reap()

    def _preload(self) -> None:
        """Import what the actors will need; what fails here fails in the actor, with its traceback."""
        if self._plan.main is not None:
            with contextlib.suppress(Exception):
                load_main(*self._plan.main)
        for name in self._plan.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        gc.collect()
        gc.freeze()

    def _receive(self) -> None:
        data, fds, _, _ = socket.recv_fds(self._connection, _BUFFER, _MOST_FDS)
        self._fds += fds
        if not data:
            self._abandon()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            self._spawn(request["spawn"], request["generation"], self._fds.pop(0))

    def _spawn(self, actor: int, generation: int, log_fd: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # a preloaded module may have started threads
            pid = os.fork()
        if pid == 0:
            self._become(actor, generation, log_fd)
        os.close(log_fd)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        self._children[pid] = actor
        self._send({"spawned": actor, "pid": pid})

    def _become(self, actor: int, generation: int, log_fd: int) -> NoReturn:
        """Turn this fresh fork into an actor."""
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            server = os.getppid()
            native.die_with_parent()
            self._connection.close()
            os.close(self._wake_in)
            os.close(self._wake_out)
            for fd in self._fds:
                os.close(fd)
            if os.getppid() != server:  # it died before the kernel was asked to tell
                os._exit(child.ORPHANED)
            child.main(self._directory, self._plan, actor, generation, self._lifeline, log_fd)
        finally:
            os._exit(child.FAILED)

    def _reap(self) -> None:
        """Report who is gone, after killing what is left of its process group."""
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            pid = found.si_pid
            actor = self._children.pop(pid, None)
            if actor is not None:
                # The group's number is the zombie's pid, which nobody can be given before it is reaped.
                with contextlib.suppress(OSError):
                    os.killpg(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            if actor is not None:
                self._send({"exited": actor, "pid": pid, "status": os.waitstatus_to_exitcode(status)})

    def _send(self, message: dict[str, int]) -> None:
        try:
            self._connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self._abandon()

    def _abandon(self) -> NoReturn:
        """The supervisor is gone: leave nobody behind."""
        for pid in self._children:
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
        os._exit(child.ORPHANED)


def load_main(kind: str, where: str) -> None:
    """Load what was ``__main__`` where the graph was built, as `multiprocessing` does."""
    if kind == "module":
        module = importlib.import_module(where)
    else:
        module = types.ModuleType(_MAIN)
        sys.modules[_MAIN] = module
        module.__dict__.update(runpy.run_path(where, run_name=_MAIN))
    sys.modules["__main__"] = module


def main() -> NoReturn:
    """Run the fork server: ``argv`` is directory, descriptor of the socket, descriptor of the lifeline."""
    directory, connection, lifeline = sys.argv[1:4]
    server = ForkServer(Path(directory), socket.socket(fileno=int(connection)), int(lifeline))
    server.serve()
