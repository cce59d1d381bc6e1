"""`steady-mp pdb`: the other end of a `breakpoint()` in an actor (`steady_mp.supervisor.debugger`)."""

from __future__ import annotations

import codecs
import os
import select
import socket
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import typer

from steady_mp.cli.kill import process_of
from steady_mp.cli.runs import Opened, find_run
from steady_mp.cli.view import printable, show_text
from steady_mp.errors import ConfigurationError, ExitCode, SteadyError
from steady_mp.memory import layout
from steady_mp.memory.sockets import address_of
from steady_mp.plan import actor_file
from steady_mp.supervisor.conversation import ASK, BYE

if TYPE_CHECKING:
    from pathlib import Path

#: Seconds between two looks at whether an actor has come to a breakpoint.
_PAUSE: Final = 0.1
_BUFFER: Final = 1 << 16
_STDIN: Final = 0


def debug(actor: str, which: str | None, *, wait: bool) -> int:
    """Attach to the breakpoint that an actor waits at; gives the exit status.

    With `wait` it waits for the next breakpoint, and for the ones after it, until its input ends or Ctrl-C. Raises
    SteadyError where the actor is at no breakpoint, and ConfigurationError where there is no input at all.
    """
    if sys.stdin is None:  # `<&-`: what is opened next would be taken for the keyboard
        raise ConfigurationError("pdb reads what you type, and the standard input is closed")
    directory = find_run(which)
    keyboard = Keyboard()
    try:
        while True:
            connection = _connect(directory, actor, wait=wait)
            with connection:
                goes_on = _converse(connection, keyboard)
            if keyboard.is_over:
                _say(f"detached; {actor} goes on")
                return ExitCode.DRAINED
            _say(f"{actor} goes on" if goes_on else f"the process of {actor} has ended")
            if not wait:
                return ExitCode.DRAINED
    except KeyboardInterrupt:
        _say(f"detached; {actor} goes on")
        return ExitCode.DRAINED


class Keyboard:
    """Lines of the standard input, as they come; it may be a terminal, a pipe or a file."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._rest = b""
        self._ended = False

    @property
    def has_line(self) -> bool:
        """Whether a line, or the end of all, can be had without waiting."""
        return b"\n" in self._rest or self._ended

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self._ended and not self._rest

    def read(self) -> None:
        """Read what there is; blocks until there is something."""
        data = os.read(_STDIN, _BUFFER)
        self._rest += data
        self._ended = not data

    def line(self) -> bytes:
        """Return the next line; empty at the end."""
        line, end, self._rest = self._rest.partition(b"\n")
        return line + (end or b"\n") if line or end else b""


def _converse(connection: socket.socket, keyboard: Keyboard) -> bool:
    """Carry lines to and fro until one side ends; tell whether the actor has said that it goes on."""
    asked = False
    letters = codecs.getincrementaldecoder("utf-8")(errors="replace")  # one may come in two pieces
    while True:
        if asked and keyboard.has_line:
            line = keyboard.line()
            if not line:
                return True
            with suppress(ConnectionError):  # it has gone: what it said last can be read still, and then the end
                connection.sendall(line)
            asked = False
            continue
        fds = [connection.fileno(), *([_STDIN] if asked else [])]
        ready, _, _ = select.select(fds, [], [])
        if connection.fileno() in ready:
            try:
                data = connection.recv(_BUFFER)
            except ConnectionError:
                data = b""
            show_text(letters.decode(data.replace(ASK, b"").replace(BYE, b""), final=not data))
            asked = asked or ASK in data
            if not data or BYE in data:
                return bool(data)
        elif asked:
            keyboard.read()


def _connect(directory: Path, actor: str, *, wait: bool) -> socket.socket:
    """Return a connection with the actor at its breakpoint. Raises SteadyError where it is at none."""
    told = False
    while True:
        with Opened(directory) as run:
            index = run.actor(actor)
            if (connection := _attach(run.directory / actor_file(index, "pdb"))) is not None:
                life = run.control(index).words[layout.GENERATION]
                _say(f"attached to {actor}, life {life}; Ctrl-D or Ctrl-C detaches, and it goes on")
                return connection
            if not wait:
                process_of(run, index)
                held = run.control(index).words[layout.DEBUGGED]
                why = (
                    "somebody else has attached to it" if held else "it waits at no breakpoint(); --wait waits for one"
                )
                raise SteadyError(f"{actor} can't be debugged: {why}")
        if not told:
            _say(f"waiting until {actor} comes to a breakpoint(); Ctrl-C leaves")
            told = True
        threading.Event().wait(_PAUSE)


def _attach(path: Path) -> socket.socket | None:
    """Return a connection with whoever listens there; None where nobody does. Raises ConfigurationError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with address_of(path) as address:
            connection.connect(address)
    except BaseException as error:
        connection.close()
        if isinstance(error, OSError):
            return None
        raise
    return connection


def _say(text: str) -> None:
    typer.echo(f"steady-mp: {printable(text)}", err=True)
