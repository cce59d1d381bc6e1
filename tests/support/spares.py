"""Finding the spare of a run, the one child of its fork server that is no actor; and a clock for whoever keeps it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psutil

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from steady_mp import Run

#: What the kernel calls a spare.
NAME = "steady-mp spare"


def server_of(run: Run) -> psutil.Process:
    """Return the fork server that there is."""
    return psutil.Process(run._supervisor._servers.pid)


def spares_below(process: psutil.Process) -> list[psutil.Process]:
    """Return the spares among the descendants of a process that live now."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.name() == NAME and child.status() != psutil.STATUS_ZOMBIE:
                    found.append(child)
    return found


def spare_below(process: psutil.Process, *others: psutil.Process) -> psutil.Process:
    """Wait for the spare below a process that is none of `others`, and sleeps until it has a role."""
    found: list[psutil.Process] = []

    def waits() -> bool:
        found[:] = [spare for spare in spares_below(process) if spare not in others]
        with contextlib.suppress(psutil.NoSuchProcess):
            return len(found) == 1 and found[0].status() == psutil.STATUS_SLEEPING
        return False

    assert eventually(waits), f"no spare below {process}: {process.children(recursive=True)}"
    return found[0]


def the_spare(run: Run, *others: psutil.Process) -> psutil.Process:
    """Wait for the spare of a run; see `spare_below`."""
    return spare_below(server_of(run), *others)


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now
