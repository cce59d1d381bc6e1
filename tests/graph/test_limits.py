"""Limits of the process that are too low for a run: one line says which, and how to mend it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from steady_mp import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)

COMMAND = (sys.executable, "-c", "import sys; from steady_mp.cli.main import main; sys.exit(main())")


def limited(limit: str) -> subprocess.CompletedProcess[str]:
    """Run the example under a limit of the shell's."""
    words = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *COMMAND, "run", "--beats", "1", "--no-telemetry"]
    return subprocess.run(  # noqa: S603 - only us
        words, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("descriptors", range(12, 19))
def test_too_few_descriptors(descriptors: int, run_root: Path) -> None:
    """Wherever on the way they run out."""
    done = limited(f"-n {descriptors}")
    assert done.returncode == ExitCode.UNCLEAN
    assert done.stderr.splitlines()[-1].endswith("Too many open files; raise the limit (ulimit -n)")
    assert "Traceback" not in done.stderr
    assert not list(run_root.iterdir())


def test_files_that_may_not_be_large_enough(run_root: Path) -> None:
    done = limited("-f 100")
    assert done.returncode == ExitCode.BAD_CONFIGURATION
    assert done.stderr.endswith("lower capacity or ring_bytes, or raise the limit (ulimit -f)\n")
    assert not list(run_root.iterdir())
