"""The attendant: keeps the telemetry process alive, on a thread of its own, without the run ever waiting for it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from typing import TYPE_CHECKING, Any, Final

from steady_mp.events import AlertCleared, AlertRaised, CycleBlocked, Event, TelemetryDied, TelemetryStarted
from steady_mp.serving import TOKEN_VARIABLE, url_of
from steady_mp.supervisor.bootstrap import RUN_MARK, command
from steady_mp.supervisor.cause import cause_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from steady_mp.logs import LogWriter
    from steady_mp.serving import Telemetry

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 10.0
_EVENTS: Final[dict[str, type[Event]]] = {each.__name__: each for each in (AlertRaised, AlertCleared, CycleBlocked)}


class Attendant:
    """A telemetry process that comes back. The socket that it serves on stays open here meanwhile."""

    def __init__(
        self,
        directory: Path,
        settings: Telemetry,
        listening: tuple[socket.socket, str],
        announce: Callable[[Event], None],
        logs: LogWriter,
    ) -> None:
        """Start the process for the run in `directory`; events are announced from another thread."""
        self._directory = directory
        self._settings = settings
        self._socket, self._note = listening
        #: Where the dashboard is, and was once the run is over.
        self.url = url_of(self._socket, settings.host)
        self._announce = announce
        self._logs = logs
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._attend, name="steady-mp attendant", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The telemetry process; None between two of them."""
        process = self._process
        return process.pid if process is not None else None

    def close(self) -> None:
        """Kill the process and wait until it is gone; that takes a moment at most."""
        with self._lock:
            self._closing.set()
            if self._process is not None:
                self._process.kill()
        self._thread.join()
        self._socket.close()

    def _attend(self) -> None:
        pause = _FIRST_PAUSE
        life = 0
        while True:
            life += 1
            try:
                process = self._start(life)
            except OSError as error:
                cause = error.strerror or str(error)
            else:
                if process is None:
                    return
                if self._listen(process):
                    pause = _FIRST_PAUSE
                cause = self._bury(process)
            if self._closing.is_set():
                return
            self._announce(TelemetryDied(cause=cause, pause=pause))
            if self._closing.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _start(self, life: int) -> subprocess.Popen[bytes] | None:
        """Start the next process; None when that is not wanted any more."""
        read_fd, write_fd = os.pipe()
        environment = {name: value for name, value in os.environ.items() if name != RUN_MARK}
        environment[TOKEN_VARIABLE] = self._settings.token or ""
        try:
            with self._lock:
                if self._closing.is_set():
                    os.close(read_fd)
                    return None
                arguments = ["--host", self._settings.host, "--fd", str(self._socket.fileno())]
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                    [*command("steady_mp.telemetry.__main__", self._directory), *arguments],
                    pass_fds=(self._socket.fileno(),),
                    stdin=subprocess.PIPE,  # its end tells the process that we are gone
                    stdout=subprocess.PIPE,
                    stderr=write_fd,
                    env=environment,
                    process_group=0,
                )
        except OSError:
            os.close(read_fd)
            raise
        finally:
            os.close(write_fd)
        self._logs.add(read_fd, "telemetry", life, is_actor=False)
        return self._process

    def _listen(self, process: subprocess.Popen[bytes]) -> bool:
        """Announce what the process tells until its end; tell whether it ever was ready."""
        ready = False
        for line in process.stdout or ():
            with contextlib.suppress(ValueError, TypeError):  # a line cut short by its death
                told: dict[str, Any] = json.loads(line)
                kind = told.pop("event", "")
                if kind == "ready":
                    ready = True
                    self._announce(TelemetryStarted(url=self.url, note=self._note))
                elif kind in _EVENTS:
                    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
                    self._announce(_EVENTS[kind](**fields))
        return ready

    def _bury(self, process: subprocess.Popen[bytes]) -> str:
        """Wait for the end of the process and say what it was."""
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        status = process.wait()
        with self._lock:
            self._process = None
        return cause_of(status) if status else "exit code 0"
