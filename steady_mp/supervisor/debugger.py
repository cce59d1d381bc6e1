"""The debugger: what `breakpoint()` does in an actor, which has no terminal to ask.

The actor opens a socket in the run directory, says in the log which command attaches (`steady-mp pdb`), and waits.
While it waits and while somebody is attached its control block says so (`DEBUGGED`): its own code stands still because
a person thinks, so it is not stuck, and the time for a shutdown begins anew afterwards.
"""

from __future__ import annotations

import os
import shlex
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any, Final

from steady_mp.memory import layout
from steady_mp.memory.rundir import RunDir
from steady_mp.memory.sockets import address_of
from steady_mp.plan import SUPERVISOR_BELL, actor_file

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from steady_mp.supervisor.conversation import ActorPdb

_VARIABLE: Final = "PYTHONBREAKPOINT"


class Debugger:
    """What `breakpoint()` calls in an actor's process."""

    def __init__(self, directory: Path, actor: int, name: str) -> None:
        """Hold actor number `actor` of the run in `directory` at its breakpoints."""
        self._directory = directory
        self._actor = actor
        self._name = name
        self._pdb: ActorPdb | None = None
        self._words: memoryview | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as `breakpoint` hands it over
        """Wait for somebody who attaches, then debug the caller; PYTHONBREAKPOINT goes first."""
        if self._pdb is not None:
            sys.settrace(None)  # its session may go on, and would halt in what follows, of ours and of pdb
        if os.environ.get(_VARIABLE):
            return sys.__breakpointhook__(*args, **kwargs)  # noqa: T100
        frame = sys._getframe(1)  # noqa: SLF001 - the way that pdb itself goes
        if self._pdb is None or not self._pdb.line.is_open():
            from steady_mp.supervisor.conversation import ActorPdb, Line  # noqa: PLC0415 - hardly any actor needs it

            self._pdb = ActorPdb(Line(self._meet(frame)), self._mark)
        if header := kwargs.get("header"):
            self._pdb.message(header)
        # The last thing that is done here: pdb stops at the caller's next line, from 3.13 on at its next instruction.
        return self._pdb.set_trace(frame)

    def _meet(self, frame: FrameType) -> socket.socket:
        """Say which command attaches, and wait until it has."""
        self._mark(True)  # noqa: FBT003
        path = self._directory / actor_file(self._actor, "pdb")
        try:
            return self._await(path, frame)
        except BaseException:  # of a signal's handler, or of a full disk: the behavior may go on from there
            self._mark(False)  # noqa: FBT003
            raise
        finally:
            path.unlink(missing_ok=True)

    def _await(self, path: Path, frame: FrameType) -> socket.socket:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            path.unlink(missing_ok=True)  # that of a life before
            with address_of(path) as address:
                listener.bind(address)
            path.chmod(0o600)
            listener.listen(1)
            command = shlex.join(["steady-mp", "pdb", self._name, "--run", str(self._directory)])
            where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
            print(f"breakpoint at {where}; attach with: {command}", file=sys.stderr, flush=True)  # noqa: T201
            return _accept(listener)

    def _mark(self, held: bool) -> None:  # noqa: FBT001 - a word that is written
        """Say in the control block whether a debugger holds the actor; at the end of that the supervisor looks."""
        run = RunDir(self._directory)
        if self._words is None:
            self._words = run.mapping(actor_file(self._actor, "control")).words
        self._words[layout.DEBUGGED] = int(held)
        if not held:
            bell = run.doorbell(SUPERVISOR_BELL)
            bell.ring()
            bell.close()


def _accept(listener: socket.socket) -> socket.socket:
    """Wait for somebody who may: who can attach can do whatever the actor can."""
    while True:
        connection, _ = listener.accept()
        if not hasattr(socket, "SO_PEERCRED"):
            return connection  # the folder and the socket are their owner's alone
        facts = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        if struct.unpack("3i", facts)[1] in {os.getuid(), 0}:
            return connection
        connection.close()


def answer_breakpoints(directory: Path, actor: int, name: str) -> None:
    """Let `breakpoint()` wait for `steady-mp pdb`, unless the user's modules have put a hook of their own there."""
    if sys.breakpointhook is sys.__breakpointhook__:
        sys.breakpointhook = Debugger(directory, actor, name)
