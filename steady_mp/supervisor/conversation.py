"""The conversation of pdb in an actor with whoever has attached, over a socket.

It is text both ways, with two marks from the actor: `ASK` when pdb wants a line, `BYE` when the actor goes on. The end
of the connection never harms the actor: it goes on as after `continue`.
"""

from __future__ import annotations

import contextlib
import pdb  # noqa: T100 - this is the room for it
import socket
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

ASK: Final = b"\x05"
BYE: Final = b"\x04"
_MARKS: Final = str.maketrans({"\x04": "\\x04", "\x05": "\\x05"})
_BUFFER: Final = 1 << 16
#: What a step at a `breakpoint()` does not go into.
_OURS: Final = ("steady_mp.supervisor.debugger",)


class Line:
    """The connection as pdb's standard input and output. Nothing that happens to it raises."""

    def __init__(self, connection: socket.socket) -> None:
        """Speak through `connection`."""
        self._connection = connection
        self._rest = b""

    def write(self, text: str) -> None:
        """Say something; into the void when nobody is there any more."""
        self._send(text.translate(_MARKS).encode(errors="backslashreplace"))

    def flush(self) -> None:
        """Nothing is held back."""

    def readline(self) -> str:
        """Ask for a line and wait for it; empty when nobody is there any more."""
        self._send(ASK)
        while b"\n" not in self._rest:
            data = b""
            with contextlib.suppress(OSError):
                data = self._connection.recv(_BUFFER)
            if not data:
                return ""
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace") + "\n"

    def is_open(self) -> bool:
        """Tell whether somebody is still at the other end."""
        try:
            return bool(self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self) -> None:
        """Say that the actor goes on, and hang up."""
        self._send(BYE)
        self._connection.close()

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._connection.sendall(data)


class ActorPdb(pdb.Pdb):
    """Python's debugger in an actor. Whatever ends the conversation lets the actor go on."""

    def __init__(self, line: Line, mark: Callable[[bool], None]) -> None:
        """Speak through `line`; `mark` is told when the actor is held, and when it goes on."""
        super().__init__(stdin=line, stdout=line, skip=_OURS, nosigint=True)  # type: ignore[arg-type]
        self.line = line
        self._mark = mark

    def interaction(self, frame: FrameType | None, traceback: Any) -> None:  # noqa: ANN401 - another in each Python
        """See `pdb.Pdb.interaction`."""
        self._mark(True)  # noqa: FBT003 - held
        try:
            super().interaction(frame, traceback)
        except BaseException:  # of a signal's handler: Python ends the tracing, and so nothing comes back here
            self.line.close()
            self._mark(False)  # noqa: FBT003
            raise

    def do_continue(self, arg: str) -> bool | None:
        """Go on, to the next breakpoint that was set here, or else for good: then the connection ends."""
        stop = super().do_continue(arg)
        if not self.breaks:
            self.line.close()
        self._mark(False)  # noqa: FBT003
        return stop

    do_c = do_cont = do_continue

    def do_EOF(self, arg: str) -> bool | None:  # noqa: ARG002, N802 - the name that cmd looks for
        """Let the actor go on, without any breakpoint: the connection is gone."""
        self.clear_all_breaks()
        return self.do_continue("")

    def do_quit(self, arg: str) -> bool | None:  # noqa: ARG002 - as pdb calls it
        """Detach: the actor goes on, without any breakpoint. `steady-mp kill` is what ends its life."""
        return self.do_EOF("")

    do_q = do_exit = do_quit

    def do_run(self, arg: str) -> bool | None:  # noqa: ARG002
        """Not here: an actor begins anew by `steady-mp kill`."""
        self.message("an actor begins its next life by steady-mp kill; quit detaches")
        return None

    do_restart = do_run
