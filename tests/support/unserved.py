"""A fork server without its loop, and what the supervisor asks of it and hears."""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from steady_mp import Graph
from steady_mp.plan import PLAN_FILE
from steady_mp.supervisor.forkserver import ForkServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from steady_mp import Actor

#: No process has this number.
NOBODY = 2**31 - 1


def idle(actor: Actor) -> None:
    """Do nothing."""


@contextmanager
def unserved(folder: Path) -> Iterator[tuple[ForkServer, socket.socket]]:
    """Make a fork server that serves nobody yet, and the supervisor's end of its connection."""
    graph = Graph("flow")
    graph.actor("source", idle)
    graph.actor("sink", idle)
    (folder / PLAN_FILE).write_text(graph.plan().to_json())
    connection, there = socket.socketpair()
    with connection, there:
        there.settimeout(10)
        server = ForkServer(folder, connection, 0, os.getpid())
        yield server, there
        for fd in server._others:
            os.close(fd)


def asks(there: socket.socket, **request: int) -> None:
    """Ask for a life as the supervisor does; nobody reads what it says."""
    fd = os.open(os.devnull, os.O_WRONLY)
    socket.send_fds(there, [json.dumps(request).encode() + b"\n"], [fd])
    os.close(fd)


def told(there: socket.socket) -> list[dict[str, object]]:
    """Return what the fork server has told by now."""
    return [json.loads(line) for line in there.recv(1 << 16).splitlines()]
