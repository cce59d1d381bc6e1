"""The fork servers of a run: the one that there is, and how many have died before they had forked anybody."""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING, Final

from steady_mp.supervisor.launcher import Launcher

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp.supervisor.messages import Message

#: Fork servers that may die before one of them has forked anybody.
_MOST_BARREN: Final = 3


class ForkServers:
    """Starts them, and knows when that is no use any more."""

    def __init__(self, directory: Path, selector: selectors.BaseSelector) -> None:
        """Start none yet; `selector` is to tell when there is news."""
        self._directory = directory
        self._selector = selector
        self._launcher: Launcher | None = None
        self._barren = 0

    @property
    def is_there(self) -> bool:
        """Whether one was started and is not known to be gone."""
        return self._launcher is not None

    @property
    def pid(self) -> int | None:
        """The process of the one that there is."""
        return self._launcher.pid if self._launcher is not None else None

    def start(self) -> None:
        """Start one. Raises StartError."""
        self._launcher = Launcher(self._directory)
        self._selector.register(self._launcher, selectors.EVENT_READ)

    def spawn(self, actor: int, generation: int, log_fd: int) -> None:
        """Ask for a life of an actor; see `Launcher.spawn`."""
        if self._launcher is not None:
            self._launcher.spawn(actor, generation, log_fd)

    def news(self) -> list[Message]:
        """Return what it has told; see `Launcher.news`."""
        return self._launcher.news() if self._launcher is not None else []

    def has_forked(self) -> None:
        """Take note that it works."""
        self._barren = 0

    def bury(self) -> int:
        """Let go of one that has died; return its exit status."""
        status = 0
        if self._launcher is not None:
            self._selector.unregister(self._launcher)
            status = self._launcher.close()
            self._launcher = None
            self._barren += 1
        return status

    @property
    def are_hopeless(self) -> bool:
        """Whether too many have died before they had forked anybody."""
        return self._barren > _MOST_BARREN

    def close(self) -> None:
        """Let the one that is left go, and all actors with it."""
        if self._launcher is not None:
            self._launcher.close()
