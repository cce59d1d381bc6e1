"""The fork server where the system refuses something, without any process."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from steady_mp.supervisor import forkserver, native
from steady_mp.supervisor.arrears import Arrears
from steady_mp.supervisor.spare import Role, Spare, warm_up
from tests.support.spares import Hand
from tests.support.unserved import NOBODY, told, unserved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steady_mp.supervisor.forkserver import ForkServer

pytestmark = pytest.mark.timeout(20)


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[ForkServer, socket.socket]]:
    """A fork server that serves nobody yet, and the supervisor's end of its connection."""
    with unserved(tmp_path) as both:
        yield both


def refuse(*_: object) -> NoReturn:
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def test_no_process_left_for_a_spare_is_no_end_of_anything(
    ends: tuple[ForkServer, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = ends
    monkeypatch.setattr(os, "fork", refuse)
    before = sorted(Path("/dev/fd").iterdir())
    server._fork_spare()
    assert sorted(Path("/dev/fd").iterdir()) == before
    assert server._reserve.spare is None


@pytest.mark.parametrize("name", ["socketpair", "recv_fds"])
def test_neither_is_no_descriptor_left(
    ends: tuple[ForkServer, socket.socket], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    server, _ = ends
    monkeypatch.setattr(os, "fork", lambda: NOBODY)
    monkeypatch.setattr(socket, name, refuse)
    if name == "recv_fds":
        with contextlib.suppress(OSError):
            warm_up(NOBODY)  # and does not end the process, as a spare without a role ends
    server._fork_spare()
    assert (server._reserve.spare is not None) is (name == "recv_fds")  # it is not needed for the spare itself
    server._reserve.let_go()


def test_a_life_whose_fork_is_refused_is_forked_later_and_that_is_told_once(
    ends: tuple[ForkServer, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, there = ends
    clock = Hand()
    server._arrears = Arrears(clock)
    monkeypatch.setattr(os, "fork", refuse)
    first, second = Role(0, 1, os.dup(there.fileno())), Role(1, 1, os.dup(there.fileno()))
    server._fork_actor(first)
    server._fork_actor(second)
    assert told(there) == [{"delayed": "source", "reason": os.strerror(errno.EAGAIN)}]
    assert server._arrears.due() is None
    for _ in range(20):
        patience = server._arrears.patience(None)
        assert patience is not None
        assert 0 < patience <= 5_000
        clock.now += patience / 1000 + 1e-6
        server._fork_overdue()
    assert patience == pytest.approx(5_000)
    assert sorted(server._arrears.roles) == [first, second]
    monkeypatch.setattr(os, "fork", lambda: NOBODY)
    clock.now += 5.001
    server._fork_overdue()
    assert [each["spawned"] for each in told(there)] in ([0, 1], [1, 0])
    assert server._arrears.patience(None) is None
    assert server._arrears.patience(3.0) == 3.0


def test_a_supervisor_that_reads_nothing_yet_is_told_of_the_spare_later(
    ends: tuple[ForkServer, socket.socket],
) -> None:
    server, there = ends
    ours, theirs = socket.socketpair()
    before = sorted(Path("/dev/fd").iterdir())
    server._reserve.spare = Spare(os.getpid(), ours)
    with contextlib.suppress(BlockingIOError):
        while True:
            server._wire._connection.send(b"no room is left;", socket.MSG_DONTWAIT)
    server._offer_spare()
    server._send({"spawned": 0, "pid": 1})
    server._offer_spare()  # nothing overtakes what is left
    there.settimeout(0.0)
    lines = b""
    with contextlib.suppress(BlockingIOError):
        while True:
            data, fds, _, _ = socket.recv_fds(there, 1 << 16, 9)
            assert not fds
            lines += data
            server._send()
    assert lines.endswith(b';{"spawned": 0, "pid": 1}\n')
    assert b"spare" not in lines
    server._offer_spare()
    server._offer_spare()  # once
    data, (fd,), _, _ = socket.recv_fds(there, 1 << 16, 9)
    assert json.loads(data) == {"spare": os.getpid()}
    os.close(fd)
    assert sorted(Path("/dev/fd").iterdir()) == before
    server._reserve.let_go()
    theirs.close()


def test_a_supervisor_that_reads_nothing_yet_is_not_waited_for(ends: tuple[ForkServer, socket.socket]) -> None:
    """It asks for all lives before it reads: with many actors both would wait for the other one."""
    server, there = ends
    for actor in range(5000):
        server._send({"spawned": actor, "pid": 1})
    lines = b""
    while lines.count(b"\n") < 5000:
        lines += there.recv(1 << 16)
        for _, events in server._poll.poll(0):
            assert events == select.POLLOUT
            server._send()
    assert [json.loads(line)["spawned"] for line in lines.splitlines()] == list(range(5000))
    assert server._poll.poll(0) == []


def test_what_the_program_has_blocked_is_not_blocked_here(ends: tuple[ForkServer, socket.socket]) -> None:
    server, _ = ends
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
    handlers = {number: signal.getsignal(number) for number in numbers}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        server._take_signals()
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EPERM, errno.EMFILE])
def test_who_can_t_watch_the_supervisor_ends_with_it_all_the_same(
    ends: tuple[ForkServer, socket.socket], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """An old kernel, a sandbox, no descriptor left."""
    server, _ = ends
    outlived: list[bool] = []

    def refuse_to_open(_pid: int) -> NoReturn:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(forkserver, "pidfd_open", refuse_to_open)
    monkeypatch.setattr(native, "outlive_parent", lambda: outlived.append(True))
    assert server._watch_supervisor() is None
    assert not outlived


def test_one_whose_supervisor_is_gone_before_it_looks_has_nothing_to_serve(
    ends: tuple[ForkServer, socket.socket],
) -> None:
    server, _ = ends
    server._supervisor = NOBODY
    with pytest.raises(ProcessLookupError):
        server._watch_supervisor()
