"""Baton: of several pairs of actors in one graph only one is at work, for a stint, and then the next.

A machine that becomes faster or slower from one second to the next hits runs that follow one another
differently, and may make more of a difference between them than what is looked for. Stints of some milliseconds
that alternate within one run are hit alike.

Whose stint it is says a FIFO for each pair, none of it a channel of the graph: it holds the number of the stint.
"""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.fifo import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER: Final = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Baton:
    """The way of the baton, as one of the runners sees it."""

    #: Where each runner waits.
    paths: tuple[str, ...]
    #: Stints of each.
    stints: int

    def runner(self, number: int) -> int:
        """Return whose stint this is: each has one in a round, and each round begins with the next one."""
        rounds, place = divmod(number, len(self.paths))
        return (place + rounds) % len(self.paths)

    def await_stint(self, runner: int) -> int:
        """Sleep until it is the runner's stint; return its number."""
        with opened(self.paths[runner]) as fd:
            return int(_NUMBER.unpack(os.read(fd, _NUMBER.size))[0])

    def pass_on(self, number: int) -> None:
        """Give stint `number` to whose it is, unless there are no more."""
        if number < self.stints * len(self.paths):
            with opened(self.paths[self.runner(number)]) as fd:
                os.write(fd, _NUMBER.pack(number))


@contextlib.contextmanager
def baton(runners: int, stints: int) -> Iterator[Baton]:
    """Make one for so many runners with so many stints each; the first runner has it."""
    with tempfile.TemporaryDirectory(prefix="steady-mp-bench-") as folder, contextlib.ExitStack() as kept:
        paths = tuple(str(Path(folder) / str(number)) for number in range(runners))
        for path in paths:
            os.mkfifo(path, 0o600)
            kept.enter_context(opened(path))
        made = Baton(paths, stints)
        made.pass_on(0)
        yield made
