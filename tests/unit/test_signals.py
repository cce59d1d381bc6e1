"""What the system tells about a process's signals."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest

from steady_mp.memory.signals import blocked_by, catches, is_pending

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

ME = os.getpid()
NUMBER = signal.SIGUSR2


def test_a_handler_shows() -> None:
    assert catches(ME, NUMBER) is False
    before = signal.signal(NUMBER, lambda *_: None)
    try:
        assert catches(ME, NUMBER) is True
    finally:
        signal.signal(NUMBER, before)
    assert catches(ME, NUMBER) is False


def test_a_thread_that_blocks_shows_and_so_does_what_waits_for_it() -> None:
    got: list[int] = []
    before = signal.signal(NUMBER, lambda number, _frame: got.append(number))
    assert not blocked_by(ME, NUMBER)
    signal.pthread_sigmask(signal.SIG_BLOCK, {NUMBER})
    try:
        assert blocked_by(ME, NUMBER) == {str(threading.get_native_id())}
        assert not is_pending(ME, NUMBER)
        signal.pthread_kill(threading.get_ident(), NUMBER)
        assert is_pending(ME, NUMBER)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {NUMBER})
        signal.signal(NUMBER, before)
    assert got == [NUMBER]
    assert not is_pending(ME, NUMBER)
    assert not blocked_by(ME, NUMBER)


def test_of_a_process_that_is_not_there_nothing_is_known() -> None:
    assert catches(1 << 22, NUMBER) is None
    assert not blocked_by(1 << 22, NUMBER)
    assert not is_pending(1 << 22, NUMBER)
