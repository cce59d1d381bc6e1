"""The wire between a test and an actor that it plays: whole objects, in order, or the end."""

from __future__ import annotations

import pickle
import socket
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from steady_mp.testing.wire import Lost, Wire, connect, listen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def ends() -> Iterator[tuple[Wire, socket.socket]]:
    """A wire, and the bare socket at its other end."""
    one, other = socket.socketpair()
    wire = Wire(one)
    yield wire, other
    wire.close()
    other.close()


def frame(message: object) -> bytes:
    data = pickle.dumps(message)
    return struct.pack("<Q", len(data)) + data


def test_messages_come_whole_however_they_are_cut(ends: tuple[Wire, socket.socket]) -> None:
    wire, other = ends
    data = frame("one") + frame(["two"]) + frame(None)
    came = []
    for byte in data:
        other.sendall(bytes([byte]))
        came += wire.receive()
    assert came == ["one", ["two"], None]
    other.sendall(data + data[:5])
    assert wire.receive() == ["one", ["two"], None]
    assert wire.receive() == []


def test_the_end_is_told_behind_the_last_message(ends: tuple[Wire, socket.socket]) -> None:
    wire, other = ends
    other.sendall(frame("last words") + b"half a mess")
    other.close()
    assert wire.receive() == ["last words"]
    for _ in range(2):
        with pytest.raises(Lost):
            wire.receive()
    with pytest.raises(Lost):
        wire.send("anybody there?")


def test_who_does_not_read_is_not_waited_for_for_ever(ends: tuple[Wire, socket.socket]) -> None:
    wire, _ = ends
    with pytest.raises(TimeoutError):
        wire.send(bytes(10_000_000), 0.01)


def test_a_large_message_passes(tmp_path: Path) -> None:
    listener = listen(tmp_path / "here")
    caller = connect(tmp_path / "here")
    accepted, _ = listener.accept()
    answering = Wire(accepted)
    sending = threading.Thread(target=caller.send, args=(bytes(5_000_000),))
    sending.start()
    came: list[bytes] = []
    while not came:
        came = answering.receive()
    sending.join()
    assert len(came[0]) == 5_000_000
    for each in (caller, answering, listener):
        each.close()


@pytest.mark.parametrize("length", [10, 200])
def test_a_folder_may_have_a_long_name(tmp_path: Path, length: int) -> None:
    folder = tmp_path / ("x" * length)
    folder.mkdir()
    listener = listen(folder / "here")
    assert [entry.name for entry in folder.iterdir()] == ["here"]
    caller = connect(folder / "here")
    caller.close()
    listener.close()


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        connect(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        listen(tmp_path / "no folder" / "here")
