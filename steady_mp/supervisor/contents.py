"""What lies in a run directory from the very start, before any process has begun."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from steady_mp.memory.status import STATUS_FILE
from steady_mp.plan import LOG_NOTE, PLAN_FILE, actor_file
from steady_mp.supervisor.recorder import first_status
from steady_mp.supervisor.script import session_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from steady_mp.log_output import LogSettings
    from steady_mp.plan import Plan


def first_contents(
    plan: Plan, packed: Sequence[bytes], beside: Mapping[str, bytes], root: Path | None, log: LogSettings | None
) -> dict[str, bytes]:
    """Return the files of the run directory that are there from the start, with what stands in them."""
    if plan.main is not None:
        # What the actors call it, so that their states can be read here; `multiprocessing` does the same.
        sys.modules.setdefault("__mp_main__", sys.modules["__main__"])
    contents = {actor_file(index, "args"): each for index, each in enumerate(packed)}
    contents |= {**session_files(plan, root), **beside}
    contents[PLAN_FILE] = plan.to_json().encode()
    contents[LOG_NOTE] = os.fsencode(Path(log.file).absolute() if log and log.file else "")
    contents[STATUS_FILE] = first_status(plan, time.time()).to_json().encode()
    return contents
