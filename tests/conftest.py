"""What every test is held to: nothing that it started, opened or made may outlive it.

A run that is left behind shows in one of three places: a process (also one whose parents are gone, because
this process adopts orphans), a descriptor of this process, or a directory below the test's own run root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp.supervisor import native
from steady_mp.testing.litter import Litter, is_childless

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_configure() -> None:
    """Adopt orphans, so that a grandchild that lost its parents is still found; hear Ctrl-C and hang-ups.

    A shell starts what it runs in the background with SIGINT ignored, `nohup` with SIGHUP, and children inherit that.
    """
    native.become_subreaper()
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def bury_orphans() -> None:
    """Wait for the adopted ones that are dead; nobody else will."""
    if is_childless():
        return
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, ChildProcessError):
            if process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)


@pytest.fixture(autouse=True)
def run_root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give each test a run root of its own, and fail the one that leaves anything behind."""
    memory = Path("/dev/shm")  # noqa: S108 - the place under test
    root = Path(tempfile.mkdtemp(prefix="steady-mp-test-", dir=memory if os.access(memory, os.W_OK) else None))
    monkeypatch.setenv("STEADY_MP_ROOT", str(root))
    kept = root.with_name(root.name + "-kept")
    monkeypatch.setenv("STEADY_MP_KEPT", str(kept))
    litter = Litter(root, adopts=sys.platform == "linux")
    try:
        yield root
    finally:
        left = litter.left()
        shutil.rmtree(root, ignore_errors=True)
        shutil.rmtree(kept, ignore_errors=True)
        bury_orphans()
    if left:
        pytest.fail("left behind: " + "; ".join(left), pytrace=False)
