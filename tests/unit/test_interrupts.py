"""The wait for the end of a run, which signals interrupt whoever gets them."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from steady_mp.supervisor.interrupts import Interrupts
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(20)
NUMBER = signal.SIGUSR1


@pytest.fixture
def others() -> Iterator[socket.socket]:
    """Somebody who is told of each signal, as an event loop is."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(0)
        ours.settimeout(10)
        wake_before = signal.set_wakeup_fd(theirs.fileno())
        before = signal.signal(NUMBER, lambda *_: None)
        try:
            yield ours
        finally:
            signal.signal(NUMBER, before)
            assert signal.set_wakeup_fd(wake_before) == theirs.fileno(), "it was not given back"


def test_who_was_told_of_signals_before_is_told_meanwhile(others: socket.socket) -> None:
    interrupts = Interrupts(print, print)
    heard: list[bytes] = []

    def give() -> None:
        signal.pthread_kill(threading.get_ident(), NUMBER)
        heard.append(others.recv(16))
        interrupts.end()

    other = threading.Thread(target=give)
    other.start()
    assert interrupts.wait_hearing(10)
    other.join()
    assert heard == [bytes([NUMBER])]


@pytest.mark.usefixtures("others")
def test_an_end_that_came_before_is_seen() -> None:
    interrupts = Interrupts(print, print)
    assert not interrupts.wait(0)
    interrupts.end()
    interrupts.end()
    assert interrupts.wait(0)
    assert interrupts.wait_hearing(0)


@pytest.mark.usefixtures("others")
def test_a_wait_has_its_time() -> None:
    assert not Interrupts(print, print).wait_hearing(0.01)


@pytest.mark.usefixtures("others")
def test_the_first_drains_and_the_second_stops() -> None:
    said: list[str] = []
    interrupts = Interrupts(
        lambda reason: said.append(f"drain: {reason}"), lambda reason: said.append(f"stop: {reason}")
    )

    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with interrupts._heard():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    assert said == [
        "drain: SIGTERM received (once more to stop at once)",
        "stop: stopped at once: SIGINT received again",
    ]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers


def test_a_signal_that_another_language_has_taken_stays_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that Python is embedded in has a handler that Python can neither name nor give back."""
    interrupts = Interrupts(print, print)
    real, kept = signal.getsignal, signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(signal, "getsignal", lambda number: None if number == signal.SIGTERM else real(number))
    with interrupts._heard():
        assert real(signal.SIGINT) == interrupts._handle
        assert real(signal.SIGTERM) is kept


@pytest.mark.parametrize("timeout", [1e9, 1e300])
@pytest.mark.usefixtures("others")
def test_a_wait_may_be_longer_than_the_system_can_count(timeout: float) -> None:
    interrupts = Interrupts(print, print)

    def end() -> None:
        assert eventually(lambda: interrupts._wake_in is not None)
        interrupts.end()

    other = threading.Thread(target=end)
    other.start()
    assert interrupts.wait_hearing(timeout)
    other.join()


def test_elsewhere_than_in_the_main_thread_too() -> None:
    interrupts = Interrupts(print, print)
    waits: list[float | None] = []

    class Ended(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return len(waits) == 3  # two days later

    interrupts._ended = Ended()
    assert interrupts.wait(1e300)
    assert waits == [86_400.0] * 3


def test_a_ctrl_c_as_the_wait_lets_go_of_the_signals_leaves_none_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the moment on at which its own handler is back, a Ctrl-C raises wherever the main thread is."""
    interrupts = Interrupts(print, print)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    descriptors = set(Path("/dev/fd").iterdir())
    real = signal.signal

    def put_back_and_press(number: int, handler: Any) -> Any:
        replaced = real(number, handler)
        if number == signal.SIGINT and handler is before[0]:
            signal.raise_signal(signal.SIGINT)
        return replaced

    monkeypatch.setattr(signal, "signal", put_back_and_press)
    with pytest.raises(KeyboardInterrupt):
        interrupts.wait_hearing(0)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert set(Path("/dev/fd").iterdir()) == descriptors


def test_a_ctrl_c_as_the_wait_begins_is_heard_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    interrupts = Interrupts(said.append, print)
    real = os.pipe

    def press_and_open() -> tuple[int, int]:
        signal.raise_signal(signal.SIGINT)
        return real()

    monkeypatch.setattr(os, "pipe", press_and_open)
    assert not interrupts.wait_hearing(0)
    assert said == ["SIGINT received (once more to stop at once)"]
