"""What `steady-mp pdb` does where its input, its reader, or the actor is not there, and with what comes in pieces."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from steady_mp import Graph
from steady_mp.cli import debug
from steady_mp.errors import ConfigurationError
from steady_mp.memory.status import write_status
from steady_mp.supervisor.conversation import ASK, BYE
from steady_mp.supervisor.recorder import first_status

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp import Actor


def behave(_actor: Actor) -> None:
    """Stand for any behavior."""


def test_a_closed_input_is_refused_before_anything_is_attached_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """`<&-`: what is opened next gets descriptor 0, and would be read as the keyboard."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ConfigurationError, match="the standard input is closed"):
        debug.debug("worker", None, wait=False)


@pytest.mark.parametrize("last_words", [b"", BYE])
def test_an_actor_that_has_gone_before_the_line_reaches_it(
    last_words: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)

    class Typing(debug.Keyboard):
        """One who types while the actor dies."""

        @property
        def has_line(self) -> bool:
            there.sendall(last_words)
            there.close()
            return True

        def line(self) -> bytes:
            return b"continue\n"

    with here, there:
        there.sendall(b"(Pdb) " + ASK)
        assert debug._converse(here, Typing()) is bool(last_words)
    assert capsys.readouterr().out == "(Pdb) "


def test_a_letter_that_comes_in_pieces_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(debug, "_BUFFER", 1)
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with here, there:
        there.sendall("é→".encode() + BYE)
        assert debug._converse(here, debug.Keyboard())
    assert capsys.readouterr().out == "é→"


def test_that_nobody_reads_any_more_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """`steady-mp pdb worker < commands | head`."""
    reader, writer = os.pipe()
    os.close(reader)
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with here, there, os.fdopen(writer, "w", encoding="utf-8") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        there.sendall(b"(Pdb) " + ASK + b"and more" + BYE)
        assert debug._converse(here, debug.Keyboard())


def test_an_address_that_can_t_be_had_leaves_no_socket_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is too long for one, where the system knows no way around that."""

    def refuse(_path: Path) -> NoReturn:
        message = "too long for a socket's address"
        raise ConfigurationError(message)

    plan = Graph("debugged")
    plan.actor("worker", behave)
    write_status(tmp_path, first_status(plan.plan(), 0.0))
    (tmp_path / "graph.json").write_text(plan.plan().to_json())
    monkeypatch.setattr(debug, "address_of", refuse)
    made: list[socket.socket] = []
    real = socket.socket

    def make(*words: Any) -> socket.socket:
        made.append(real(*words))
        return made[-1]

    monkeypatch.setattr(socket, "socket", make)
    with pytest.raises(ConfigurationError, match="too long"):
        debug._connect(tmp_path, "worker", wait=False)
    assert [each.fileno() for each in made] == [-1]
