"""Who keeps the telemetry process alive, with a process that dies at once."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from steady_mp import Telemetry
from steady_mp.events import Event, TelemetryDied
from steady_mp.supervisor.attendant import Attendant

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp.logs import LogWriter

pytestmark = pytest.mark.timeout(20)


class Logs:
    """Closes what it should read."""

    def add(self, fd: int, _actor: str, _generation: int, *, is_actor: bool) -> None:
        assert not is_actor
        os.close(fd)


class Dead:
    """A process that has ended already."""

    pid = 4711
    stdin = stdout = None
    status = 1

    def __init__(self, *_: object, **__: object) -> None: ...

    def wait(self) -> int:
        return self.status

    def kill(self) -> None: ...


def test_between_two_lives_there_is_no_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(subprocess, "Popen", Dead)
    made, told = threading.Event(), threading.Event()
    pids: list[int | None] = []

    def announce(event: Event) -> None:
        if isinstance(event, TelemetryDied):
            assert made.wait(10)
            pids.append(attendant.pid)
            told.set()

    logs: LogWriter = Logs()  # type: ignore[assignment]
    with socket.socket() as listening:
        attendant = Attendant(tmp_path, Telemetry(), (listening, ""), announce, logs)
        made.set()
        assert told.wait(10)
        attendant.close()
    assert pids[0] is None


@pytest.mark.parametrize(("status", "cause"), [(-40, "signal 40"), (-9, "SIGKILL"), (3, "exit code 3")])
def test_it_comes_back_whatever_it_has_died_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int, cause: str
) -> None:
    """A signal of the real-time ones has no name."""
    monkeypatch.setattr(Dead, "status", status)
    monkeypatch.setattr(subprocess, "Popen", Dead)
    twice = threading.Event()
    causes: list[str] = []

    def announce(event: Event) -> None:
        assert isinstance(event, TelemetryDied)
        causes.append(event.cause)
        if len(causes) == 2:
            twice.set()

    logs: LogWriter = Logs()  # type: ignore[assignment]
    with socket.socket() as listening:
        attendant = Attendant(tmp_path, Telemetry(), (listening, ""), announce, logs)
        assert twice.wait(10)
        attendant.close()
    assert set(causes) == {cause}
