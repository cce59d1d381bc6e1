"""Ends that `steady_mp.testing.steps` has no step for, and a stamp that says when the end came."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NoReturn

from steady_mp.testing.steps import Step

if TYPE_CHECKING:
    from steady_mp.testing.steps import Scene

_MORE = 64 << 20


@dataclass(frozen=True)
class Stamp(Step):
    """Write down what time it is."""

    path: str

    def play(self, scene: Scene) -> None:  # noqa: ARG002 - it needs nothing
        """See `Step.play`."""
        Path(self.path).write_text(str(time.monotonic()))


class Mute(Exception):
    """Nobody can say what it is."""

    def __str__(self) -> str:
        message = "no words"
        raise RuntimeError(message)

    __repr__ = __str__


@dataclass(frozen=True)
class RaiseMute(Step):
    """Raise an exception whose `str` and `repr` fail."""

    def play(self, scene: Scene) -> NoReturn:  # noqa: ARG002 - it is always the same
        """See `Step.play`."""
        raise Mute


@dataclass(frozen=True)
class Starve(Step):
    """Take memory in pieces up to a limit of the address space, and keep it."""

    needs_process: ClassVar[bool] = True
    piece: int = 1000

    def play(self, scene: Scene) -> None:
        """See `Step.play`."""
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + _MORE, size + _MORE))
        # A free-threaded Python has reserved a gigabyte, which takes a second in small pieces.
        with contextlib.suppress(MemoryError):
            while True:
                scene.leaked.append(bytearray(1 << 20))
        while True:
            scene.leaked.append(bytearray(self.piece))


@dataclass(frozen=True)
class Devour(Step):
    """Take memory until the kernel kills for it: this process before any other."""

    needs_process: ClassVar[bool] = True

    def play(self, scene: Scene) -> None:
        """See `Step.play`."""
        Path("/proc/self/oom_score_adj").write_text("1000")
        while True:
            scene.leaked.append(b"\1" * (1 << 20))


def make_group(limit: int) -> Path | None:
    """Make a control group with at most `limit` bytes of memory; None where that can't be."""
    version_1 = Path("/sys/fs/cgroup/memory")
    version_2 = Path("/sys/fs/cgroup")
    for root, name in ((version_1, "memory.limit_in_bytes"), (version_2, "memory.max")):
        group = root / f"steady-mp-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / name).write_text(str(limit))
        except OSError:
            group.rmdir()
            continue
        return group
    return None
