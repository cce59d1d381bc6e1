"""What actors find around them beside their channels: an output, a log, and dice."""

from __future__ import annotations

import contextlib
import io
import logging
import random
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steady_mp.testing.simulation.world import World

#: What a log record need not find out here: the switches that the documentation of `logging` names for that.
_UNUSED_FACTS: Final = ("_srcfile", "logThreads", "logProcesses", "logMultiprocessing")


class _Lines(io.TextIOBase):
    """Standard output and logging of all actors."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rest: dict[str, str] = {}

    def write(self, text: str) -> int:
        """Keep whole lines, with who wrote them."""
        name = self._world.current.name
        *lines, self._rest[name] = (self._rest.get(name, "") + text).split("\n")
        self._world.lines += [(name, line) for line in lines]
        return len(text)


class _Handler(logging.Handler):
    """Keeps what the actors log."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self._world.lines.append((self._world.current.name, self.format(record)))


@contextlib.contextmanager
def surroundings(world: World) -> Iterator[None]:
    """Give the actors dice, an output and a log of their own."""
    root = logging.getLogger()
    handlers, level, dice = root.handlers[:], root.level, random.getstate()
    facts = {name: getattr(logging, name) for name in _UNUSED_FACTS}
    for name in facts:
        setattr(logging, name, None)
    root.handlers[:] = [_Handler(world)]
    root.setLevel(world.plan.log_level)
    random.seed(world.seed)
    out: Any = _Lines(world)
    before = sys.stdout
    sys.stdout = out
    try:
        yield
    finally:
        sys.stdout = before
        for name, fact in facts.items():
            setattr(logging, name, fact)
        root.handlers[:] = handlers
        root.setLevel(level)
        random.setstate(dice)
