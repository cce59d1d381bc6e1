"""What every test is held to: nothing that it started, opened or made may outlive it.

A run that is left behind shows in one of three places: a process (also one whose parents are gone, because
this process adopts orphans), a descriptor of this process, or a directory below the test's own run root.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steady_mp.supervisor import native
from tests.support import litter

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_configure() -> None:
    """Adopt orphans, so that a grandchild that lost its parents is still found."""
    native.become_subreaper()


@pytest.fixture(autouse=True)
def run_root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give each test a run root of its own, and fail the one that leaves anything behind."""
    memory = Path("/dev/shm")  # noqa: S108 - the place under test
    root = Path(tempfile.mkdtemp(prefix="steady-mp-test-", dir=memory if os.access(memory, os.W_OK) else None))
    monkeypatch.setenv("STEADY_MP_ROOT", str(root))
    before = litter.descriptors()
    try:
        yield root
    finally:
        processes = litter.reap_processes()
        opened = litter.opened_since(before)
        directories = sorted(entry.name for entry in root.iterdir()) if root.exists() else []
        shutil.rmtree(root, ignore_errors=True)
    left = [*processes, *opened, *(f"run directory {name}" for name in directories)]
    if left:
        pytest.fail("left behind: " + "; ".join(left), pytrace=False)
