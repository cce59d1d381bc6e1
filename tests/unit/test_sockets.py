"""Descriptors that come over a socket, and those that there is no room for."""

from __future__ import annotations

import os
import resource
import socket
from typing import TYPE_CHECKING

import pytest

from steady_mp.memory.sockets import receive_now, send_now
from steady_mp.supervisor.launcher import Launcher
from steady_mp.supervisor.spare import Offer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets."""
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.fixture
def no_descriptors() -> Iterator[Callable[[], None]]:
    """Leave this process no descriptor for anything else, from the call on."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def begin() -> None:
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))

    yield begin
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_descriptor_comes_with_its_message_and_no_other_program_gets_it(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    one, other = ends
    read, write = os.pipe()
    assert send_now(one, b"hello\n", write) == 6
    os.close(write)
    data, (fd,) = receive_now(other, 100)
    assert data == b"hello\n"
    assert fd is not None
    assert not os.get_inheritable(fd)
    os.write(fd, b"x")
    assert os.read(read, 10) == b"x"
    for each in (read, fd):
        os.close(each)
    with pytest.raises(BlockingIOError):
        receive_now(other, 100)
    one.close()
    assert receive_now(other, 100) == (b"", [])


def test_one_that_there_is_no_room_for_is_told_of(
    ends: tuple[socket.socket, socket.socket], no_descriptors: Callable[[], None]
) -> None:
    one, other = ends
    send_now(one, b"hello\n", one.fileno())
    no_descriptors()
    assert receive_now(other, 100) == (b"hello\n", [None])


def test_a_spare_whose_socket_can_t_be_had_is_given_no_role_and_no_other_one_s_socket(
    ends: tuple[socket.socket, socket.socket], no_descriptors: Callable[[], None]
) -> None:
    """Its role would come to the one, and be told of the other: two processes would live the same life."""
    one, other = ends
    launcher = Launcher.__new__(Launcher)
    launcher._socket, launcher._rest, launcher._fds = other, b"", []
    launcher._is_gone = False
    vars(launcher)["_spare"] = None
    launcher._process = Alive()  # type: ignore[assignment]
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)
    no_descriptors()
    send_now(one, b'{"spare": ', one.fileno())
    assert launcher.news() == []
    resource.setrlimit(resource.RLIMIT_NOFILE, soft)
    one.send(b"1}\n")
    send_now(one, b'{"spare": 2}\n', one.fileno())
    assert launcher.news() == []
    spare = launcher._spare
    assert isinstance(spare, Offer)
    assert spare.pid == 2
    assert not launcher._fds
    spare.close()


class Alive:
    """A process that goes on."""

    def poll(self) -> None:
        """Say so."""
