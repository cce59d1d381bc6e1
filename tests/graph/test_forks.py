"""A program that forks, as `multiprocessing` with fork does: its child holds no folder, however long it lives."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from steady_mp.errors import ConfigurationError
from steady_mp.memory.locks import lock
from steady_mp.memory.rundir import RunDir
from tests.support.hosts import Process, all_gone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)


@contextlib.contextmanager
def forked(folder: Path, how: str) -> Iterator[Process]:
    """Have a program that has forked; its child lives until the end, whatever becomes of it."""
    with Process(sys.executable, "-m", "tests.support.forking_program", str(folder), how) as program:
        child = psutil.Process(int(program.wait_line("forked").split()[1]))
        try:
            yield program
            assert child.is_running()
        finally:
            child.kill()
            assert all_gone([child], 10.0)
            with contextlib.suppress(ChildProcessError):  # an orphan is this process's, where it adopts them
                os.waitpid(child.pid, 0)


def test_a_killed_program_s_run_goes_on_though_a_fork_of_it_lives(tmp_path: Path) -> None:
    with forked(tmp_path / "run", "stays") as program:
        program.wait_line("done")
        with pytest.raises(ConfigurationError, match="is alive"):  # by the program: the fork has not let go for it
            RunDir.reopen(tmp_path / "run")
        program.send(signal.SIGKILL)
        program.wait()
        RunDir.reopen(tmp_path / "run").remove()


def test_so_does_the_run_of_one_that_has_let_go_of_it(tmp_path: Path) -> None:
    with forked(tmp_path / "run", "lets go") as program:
        program.wait_line("done")
        RunDir.reopen(tmp_path / "run").remove()


def test_a_program_that_is_killed_in_a_sweep_holds_no_other_back(tmp_path: Path) -> None:
    with forked(tmp_path, "sweeps") as program:
        with pytest.raises(BlockingIOError):
            lock(tmp_path)
        program.send(signal.SIGKILL)
        program.wait()
        os.close(lock(tmp_path))
