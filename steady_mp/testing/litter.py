"""Litter: what a run or a test may leave behind: processes, descriptors, run directories.

Two questions, for two askers. `of_run` looks for one run only, whatever else its process has open.
`Litter` compares with the moment at which it was made, and finds everything that came since.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from steady_mp.supervisor.bootstrap import RUN_MARK
from steady_mp.supervisor.thread import SupervisorThread
from steady_mp.testing.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: In the environment of every process of what is below a root: the root.
ROOT_MARK: Final = "STEADY_MP_ROOT"

#: Seconds that what is about to end may take to do so.
_GRACE: Final = 2.0
_COMMAND_LENGTH: Final = 100


def descriptors() -> dict[int, str]:
    """Return the open descriptors of this process and what they lead to."""
    folder = Path("/proc/self/fd")
    if not folder.exists():  # macOS: no names, but what changes shows
        folder = Path("/dev/fd")
    found = {}
    for entry in folder.iterdir():
        with contextlib.suppress(OSError):  # the one that lists the directory is gone by now
            if entry.is_symlink():
                found[int(entry.name)] = str(entry.readlink())
            else:
                facts = os.fstat(int(entry.name))
                found[int(entry.name)] = f"{facts.st_dev}:{facts.st_ino}"
    return found


def opened_since(before: dict[int, str]) -> list[str]:
    """Return what was opened since `before` and stays open, after a moment for threads that are about to end."""

    def fresh() -> list[str]:
        found = {fd: to for fd, to in descriptors().items() if before.get(fd) != to}
        for fd in _kept_by_rich(found):
            del found[fd]
        return [f"descriptor {fd} → {to}" for fd, to in found.items()]

    if not eventually(lambda: not fresh(), seconds=_GRACE / 4):
        gc.collect()  # what nobody refers to any more is not left behind
        eventually(lambda: not fresh(), seconds=_GRACE)
    return fresh()


def _kept_by_rich(found: Iterable[int]) -> list[int]:
    """Return which descriptors rich keeps: when nobody reads what it prints, it leads the standard output nowhere.

    That is for good, and so is the one that it opens for it.
    """
    try:
        output = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):  # there is none, or it is none of the system's
        return []
    if not _leads_nowhere(output):
        return []
    nowhere = sorted(filter(_leads_nowhere, found))
    others = [fd for fd in nowhere if fd != output]
    return [fd for fd in nowhere if fd == output] + others[:1]


def _leads_nowhere(descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(os.devnull))  # noqa: PTH116 - no file on a disk
    except OSError:
        return False


def is_childless() -> bool:
    """Tell whether this process has no children at all; False where the kernel does not say it cheaply."""
    try:
        return not any((task / "children").read_bytes() for task in Path("/proc/self/task").iterdir())
    except OSError:
        return False


def descendants() -> list[psutil.Process]:
    """Return all living descendants of this process. The dead are left to whoever may want to wait for them."""
    if is_childless():
        return []
    living = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                living.append(process)
    return living


def marked(name: str, value: str) -> list[psutil.Process]:
    """Return all living processes that were started with this environment variable, orphans included."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # somebody else's, or gone by now
            if process.environ().get(name) == value and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def reap(living: Callable[[], list[psutil.Process]]) -> list[str]:
    """Wait a moment for the processes that `living` finds to end; return and kill the ones that do not."""
    if eventually(lambda: not living(), seconds=_GRACE):
        return []
    left = []
    for process in living():
        with contextlib.suppress(psutil.NoSuchProcess):
            left.append(f"process {process.pid} {process.name()} {' '.join(process.cmdline())[:_COMMAND_LENGTH]}")
            process.kill()
    eventually(lambda: not living(), seconds=_GRACE)
    return left


def of_run(directory: Path) -> list[str]:
    """Return what is left of the run whose directory that was; its processes are killed then.

    Looks at processes by their environment, and at the descriptors and mappings of this process by
    where they lead, so that nothing else that this process has open is mistaken for the run's.
    """
    left = reap(lambda: marked(RUN_MARK, str(directory)))
    inside = str(directory) + os.sep
    left += [f"descriptor {fd} → {to}" for fd, to in descriptors().items() if to.startswith(inside)]
    with contextlib.suppress(OSError):
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
        mapped = {line[line.index(inside) :] for line in maps if inside in line}
        left += [f"mapping of {name}" for name in sorted(mapped)]
    if directory.exists():
        left.append(f"run directory {directory}")
    return left


class Litter:
    """What was opened, started or made since this was made. `root` is a folder for run directories, or None.

    With `adopts` this process is told to be the one that adopts orphans, so that all are its descendants.
    """

    def __init__(self, root: Path | None = None, *, adopts: bool = False) -> None:
        """Remember what is there already."""
        self._root = root
        self._adopts = adopts
        self._descriptors = descriptors()
        self._processes = set(descendants())
        self._runs = [each for each in threading.enumerate() if isinstance(each, SupervisorThread)]

    def _is_older(self, process: psutil.Process) -> bool:
        """Tell whether it was there, or was started by what was: a graph that lives longer may restart an actor."""
        if process in self._processes:
            return True
        try:
            return any(parent in self._processes for parent in process.parents())
        except psutil.Error:  # it is gone by now
            return False

    def _living(self) -> list[psutil.Process]:
        found = {process for process in descendants() if not self._is_older(process)}
        if self._root is not None and not self._adopts:
            # An orphan is nobody's descendant; its environment still says which test it comes from, if it has it still.
            # To adopt it is for a whole process to decide: children that it never had would come to its `os.wait`.
            found |= {process for process in marked(ROOT_MARK, str(self._root)) if process.pid != os.getpid()}
        return sorted(found, key=lambda process: process.pid)

    def left(self, *, opened: bool = True) -> list[str]:
        """Return what is left, each in a few words; processes are killed then.

        `opened` asks for descriptors too, unless a run lives on that was there before.
        Waits up to some seconds for what is about to end.
        """
        left = reap(self._living)
        # A run that was there before, of a fixture of a wider scope, opens what each life of its actors needs.
        if opened and not any(run.is_alive() for run in self._runs):
            left += opened_since(self._descriptors)
        if self._root is not None and self._root.exists():
            left += [f"run directory {entry.name}" for entry in sorted(self._root.iterdir())]
        return left
