"""Who a process is: a signal reaches the process that is meant, or nobody."""

from __future__ import annotations

import dataclasses
import errno
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from steady_mp.memory import owner as owners
from steady_mp.memory.owner import Owner, my_start
from steady_mp.memory.rundir import RunDir, sweep
from steady_mp.memory.status import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(params=["its own functions", "none", "a sandbox"])
def python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have descriptors of processes from Python, from the kernel alone (old headers), and not at all."""
    if request.param == "none":
        for holder, name in ((os, "pidfd_open"), (os, "P_PIDFD"), (signal, "pidfd_send_signal")):
            monkeypatch.delattr(holder, name, raising=False)
    if request.param == "a sandbox":
        monkeypatch.setattr(owners, "pidfd_open", refuse_call)


def refuse_call(_pid: int) -> NoReturn:
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


@pytest.mark.usefixtures("python")
def test_a_signal_reaches_the_process_that_is_meant() -> None:
    got: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: got.append(number))
    try:
        assert Owner.me().send(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert got == [signal.SIGUSR1]


def test_a_stranger_with_the_same_pid_is_not_hit() -> None:
    """It would be this process, which SIGKILL would end."""
    earlier = dataclasses.replace(Owner.me(), started=Owner.me().started - 1)
    assert earlier.is_dead()
    assert not earlier.send(signal.SIGKILL)


def test_one_with_the_same_pid_and_ticks_before_the_machine_began_anew_is_dead() -> None:
    me = Owner.me()
    earlier = dataclasses.replace(me, started=me.started ^ 1 << 40)
    assert earlier.is_dead()
    assert 0 <= me.started < 1 << 64  # it is a word of the control block


@pytest.mark.usefixtures("python")
def test_a_pid_that_nobody_has() -> None:
    nobody = Owner(Owner.me().namespace, 1 << 22, 1)
    assert nobody.is_dead()
    assert not nobody.send(signal.SIGKILL)


def test_a_process_of_another_container_is_not_ours_to_signal() -> None:
    foreign = dataclasses.replace(Owner.me(), namespace=Owner.me().namespace + 1)
    with pytest.raises(PermissionError, match="another container"):
        foreign.send(signal.SIGKILL)


def test_a_status_says_who_the_supervisor_is() -> None:
    me = Owner.me()
    status = RunStatus(
        graph="g", pid=os.getpid(), version="1", started=0.0, actors=[], namespace=me.namespace, born=me.started
    )
    assert RunStatus.from_json(status.to_json()).owner == me


@pytest.fixture
def no_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Let this process have no descriptor for any further file of the kernel's, from the call on."""
    owners._boot.cache_clear()

    def refuse(_path: Path, *_: object, **__: object) -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    def begin() -> None:
        for name in ("read_bytes", "read_text"):
            monkeypatch.setattr(Path, name, refuse)

    yield begin
    owners._boot.cache_clear()


def test_one_that_can_t_be_looked_at_is_not_dead_and_is_not_hit(no_files: Callable[[], None]) -> None:
    me = Owner.me()
    no_files()
    assert not me.is_dead()
    with pytest.raises(OSError, match="Too many open files"):
        me.send(signal.SIGKILL)  # whoever has the pid now may be somebody else
    with pytest.raises(OSError, match="Too many open files"):
        Owner.me()  # it would be told apart from nobody


def test_which_start_of_the_machine_this_is_is_asked_again_when_it_could_not_be_read(
    no_files: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    me = Owner.me()
    owners._boot.cache_clear()
    with monkeypatch.context() as patch:
        read = Path.read_text

        def refuse(path: Path, *_: object, **__: object) -> str:
            if path.name == "boot_id":
                raise OSError(errno.ENFILE, os.strerror(errno.ENFILE))
            return read(path)

        patch.setattr(Path, "read_text", refuse)
        assert not me.is_dead()
    assert not me.is_dead()
    assert Owner.me() == me
    del no_files


def test_each_process_knows_when_it_started_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A spare asks before it has a role; what it is told is not what its parent was told."""
    assert my_start() == Owner.me().started
    monkeypatch.setattr(os, "getpid", os.getppid)  # as behind a fork
    assert my_start() == Owner.of(os.getppid()).started


def test_a_sweep_that_can_t_look_leaves_all_that_lives(tmp_path: Path, no_files: Callable[[], None]) -> None:
    run = RunDir.create("graph", {}, {}, tmp_path)
    no_files()
    assert sweep(tmp_path) == []
    assert run.path.exists()
    run.remove()


def test_a_kernel_that_doesn_t_say_when_it_began_will_do(
    no_files: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del no_files
    monkeypatch.setattr(owners, "_PROC", tmp_path)
    assert owners._boot() == 0
