"""Keepsake: the snapshot that a life could not read stays where somebody can look at it, also when the run is over."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from steady_mp.memory.files import private

if TYPE_CHECKING:
    from steady_mp.memory.rundir import RunDir

_ODD: Final = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME: Final = 40


def keep_snapshot(run: RunDir, snapshot: Path, length: int, graph: str, actor: str) -> str:
    """See to it that the first `length` bytes of a snapshot are kept; say where.

    A durable run directory stays, so they are safe there. Any other one goes with its run, so they are copied to the
    temporary folder (TMPDIR), for their owner only.
    """
    if run.has_begun:
        return f"it stays in {snapshot}; --resume with --fresh-state {actor} begins with a new one"
    name = "-".join(_ODD.sub("-", each)[:_LONGEST_NAME] for each in (graph, actor))
    copy = Path(tempfile.gettempdir()) / f"steady-mp-{name}-{os.getpid()}.snapshot"
    try:
        data = snapshot.read_bytes()[:length]
        copy.unlink(missing_ok=True)
        with open(copy, "xb", opener=private) as file:
            file.write(data)
    except OSError as error:
        return f"it could not be copied to {copy}: {error.strerror}"
    return f"a copy of it is in {copy}"
