"""The fork server where the system refuses something, without any process."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from steady_mp import Graph
from steady_mp.plan import PLAN_FILE
from steady_mp.supervisor import forkserver, native
from steady_mp.supervisor.arrears import Arrears
from steady_mp.supervisor.forkserver import ForkServer
from steady_mp.supervisor.spare import Role, Spare, take, warm_up
from tests.support.spares import Hand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steady_mp import Actor

pytestmark = pytest.mark.timeout(20)
#: No process has this number.
NOBODY = 2**31 - 1


def idle(actor: Actor) -> None:
    """Do nothing."""


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[ForkServer, socket.socket]]:
    """A fork server that serves nobody yet, and the supervisor's end of its connection."""
    graph = Graph("flow")
    graph.actor("source", idle)
    graph.actor("sink", idle)
    (tmp_path / PLAN_FILE).write_text(graph.plan().to_json())
    connection, there = socket.socketpair()
    with connection, there:
        there.settimeout(10)
        server = ForkServer(tmp_path, connection, 0, os.getpid())
        yield server, there
        for fd in server._others:
            os.close(fd)


def refuse(*_: object) -> NoReturn:
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def told(there: socket.socket) -> list[dict[str, object]]:
    """Return what it has told by now."""
    return [json.loads(line) for line in there.recv(1 << 16).splitlines()]


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


@pytest.fixture
def over(ends: tuple[ForkServer, socket.socket]) -> Iterator[tuple[Spare, socket.socket]]:
    """The spare of that fork server, which is over and not reaped, and its end of its socket."""
    server, _ = ends
    ours, theirs = socket.socketpair()
    with ours, theirs, subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"], process_group=0) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        server._reserve.spare = Spare(process.pid, ours)
        yield server._reserve.spare, theirs


def asks(there: socket.socket, **request: int) -> None:
    """Ask for a life as the supervisor does; nobody reads what it says."""
    fd = os.open(os.devnull, os.O_WRONLY)
    socket.send_fds(there, [json.dumps(request).encode() + b"\n"], [fd])
    os.close(fd)


def test_a_life_that_is_over_before_the_supervisor_has_told_of_it_is_told_of_then(
    ends: tuple[ForkServer, socket.socket], over: tuple[Spare, socket.socket]
) -> None:
    """It has given the spare its role, and was held up before it said so here."""
    (server, there), (spare, its) = ends, over
    take(its.dup())
    server._reap()
    assert server._reserve.spare is None
    before = sorted(Path("/dev/fd").iterdir())
    asks(there, spawn=1, generation=3, given=spare.pid)
    assert server._receive()
    assert sorted(Path("/dev/fd").iterdir()) == before
    began, ended = told(there)
    assert began == {"spawned": 1, "pid": spare.pid}
    assert (ended["exited"], ended["pid"], ended["status"]) == (1, spare.pid, 7)
    assert not server._children


def test_a_life_whose_spare_is_over_before_it_took_the_role_is_forked(
    ends: tuple[ForkServer, socket.socket], over: tuple[Spare, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    (server, there), (spare, _) = ends, over
    server._reap()
    monkeypatch.setattr(os, "fork", lambda: NOBODY)
    asks(there, spawn=1, generation=3, given=spare.pid)
    assert server._receive()
    assert told(there) == [{"spawned": 1, "pid": NOBODY}]


def test_a_life_that_is_over_before_the_spare_was_listened_for_is_told_of(
    ends: tuple[ForkServer, socket.socket], over: tuple[Spare, socket.socket]
) -> None:
    (server, there), (spare, its) = ends, over
    asks(there, spawn=1, generation=3, given=spare.pid)
    assert server._receive()
    take(its.dup())
    server._reap()
    began, ended = told(there)
    assert began == {"spawned": 1, "pid": spare.pid}
    assert (ended["exited"], ended["pid"], ended["status"]) == (1, spare.pid, 7)
    assert not server._children


def test_the_life_of_a_spare_that_is_lost_with_its_role_is_forked(
    ends: tuple[ForkServer, socket.socket], over: tuple[Spare, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    (server, there), (spare, _) = ends, over
    asks(there, spawn=1, generation=3, given=spare.pid)
    assert server._receive()
    monkeypatch.setattr(os, "fork", lambda: NOBODY)
    server._reap()
    assert told(there) == [{"spawned": 1, "pid": NOBODY}]


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
