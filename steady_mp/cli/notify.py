"""Telling the service manager how a run stands: readiness, status, the watchdog (the protocol of sd_notify).

It is a datagram to the socket that NOTIFY_SOCKET names. Without that variable there is nobody to tell.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Final, Self

from steady_mp.events import (
    ActorDied,
    ActorFinished,
    ActorGivenUp,
    ActorStarted,
    ChaosKilled,
    CycleBlocked,
    Event,
    RunStarted,
    RunStopped,
    ShutdownRequested,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Pets in the time that the watchdog allows without one.
_PETS: Final = 3


class Notifier:
    """Tells the service manager. Call it with each event; it never blocks and never raises."""

    def __init__(self, address: str, watchdog: float | None) -> None:
        """Tell whoever listens at `address`; `watchdog` is how many seconds may pass without `pet`, or None."""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0))
        self._socket.setblocking(False)  # noqa: FBT003
        #: Seconds between two pets; None where nobody waits for them.
        self.every = None if watchdog is None else watchdog / _PETS
        self._missing = -1
        self._begun: set[str] = set()
        self._restarts = 0

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self | None:
        """Return the notifier that the environment asks for; None where it asks for none."""
        address = environ.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return None
        watchdog = None
        with contextlib.suppress(ValueError):
            meant = int(environ.get("WATCHDOG_PID") or os.getpid()) == os.getpid()
            microseconds = int(environ.get("WATCHDOG_USEC") or 0)
            watchdog = microseconds / 1e6 if meant and microseconds > 0 else None
        return cls(address, watchdog)

    def __call__(self, event: Event) -> None:
        """Tell what an event means for the service."""
        match event:
            case RunStarted():
                self._missing = event.actors
            case ActorStarted() | ActorFinished():
                self._count(event.actor)
            case ActorDied():
                self._restarts += not isinstance(event, ChaosKilled)
                self._tell(f"STATUS={self._restarts} restarts; {_line(event)}")
            case ActorGivenUp() | CycleBlocked():
                self._tell(f"STATUS={_line(event)}")
            case ShutdownRequested():
                self._tell(f"STOPPING=1\nSTATUS={_line(event)}")
            case RunStopped():
                self._tell(f"STOPPING=1\nSTATUS={_line(event)}")
                self.close()
            case _:
                pass

    def pet(self) -> None:
        """Tell the watchdog that the supervisor's loop goes round."""
        self._tell("WATCHDOG=1")

    def close(self) -> None:
        """Tell nobody any more."""
        self._socket.close()

    def _count(self, actor: str) -> None:
        """Be ready once every actor has begun its first life."""
        if actor in self._begun:
            return
        self._begun.add(actor)
        if len(self._begun) == self._missing:
            self._tell(f"READY=1\nSTATUS={self._missing} actors run")

    def _tell(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the manager is gone, or does not listen: no reason to stop
            self._socket.sendto(text.encode(errors="replace"), self._address)


def _line(event: Event) -> str:
    return " ".join(event.text.split())
