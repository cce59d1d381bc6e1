"""Who a process is: a signal reaches the process that is meant, or nobody."""

from __future__ import annotations

import dataclasses
import os
import signal

import pytest

from steady_mp.memory.owner import Owner
from steady_mp.memory.status import RunStatus


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
