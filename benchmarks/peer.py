"""Peer: another way to pass messages from one process to another."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkServerContext


class Link(ABC):
    """One way from a sending to a receiving process; made in the parent, pickled into both."""

    @abstractmethod
    def sender(self) -> Callable[[Any], object]:
        """Return, in the sending process, what sends a value: as directly as the peer allows."""

    @abstractmethod
    def receiver(self) -> Callable[[], Any]:
        """Return, in the receiving process, what waits for a value and returns it."""

    def close(self) -> None:  # noqa: B027 - most have nothing to give back
        """Give back what the parent holds, once both processes have ended."""


class Peer(ABC):
    """A kind of link."""

    #: As the tables name it.
    name: str
    #: What bounds it, for the reader of a table.
    note: str = ""
    #: The module that it needs and the distribution that brings it; None for what Python has.
    module: ClassVar[str | None] = None
    package: ClassVar[str | None] = None
    #: Our extra that brings it too.
    extra: ClassVar[str] = "bench"

    @abstractmethod
    def link(self, capacity: int, context: ForkServerContext, size: int = 64) -> Link:
        """Make a link for objects that holds `capacity` messages of `size` bytes, or what comes closest to it."""

    def bytes_link(self, capacity: int, context: ForkServerContext, size: int) -> Link:
        """Make a link for bytes, without pickle where the peer can do without."""
        return self.link(capacity, context, size)

    def missing(self) -> str | None:
        """Return why it can't run here; None when it can."""
        if self.module is None or importlib.util.find_spec(self.module) is not None:
            return None
        return f"{self.package} is not installed (pip install '.[{self.extra}]')"


def peers() -> list[Peer]:
    """Return what the modules of `benchmarks.peers` offer."""
    package = importlib.import_module("benchmarks.peers")
    found: list[Peer] = []
    for module in pkgutil.iter_modules(package.__path__):
        found += importlib.import_module(f"{package.__name__}.{module.name}").peers()
    return found
