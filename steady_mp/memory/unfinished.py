"""Durable runs that never began: how the folder of one is told from a stranger's, whose files are none of ours."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

#: In a durable run directory while it is made: an empty file.
UNFINISHED: Final = "unfinished"
#: What a supervisor makes before a run begins, drafts too, and the command.
_MADE: Final = re.compile(
    r"(run|main|log-file|sync|(graph|status|command)\.json|events\.jsonl|supervisor\.bell|channel-\d+"
    r"|actor-\d+\.(control|args|bell))(\.new)?"
)


def is_free(folder: Path, names: Collection[str]) -> bool:
    """Tell whether a folder is empty, or holds nothing but what a run that never began has left. Raises OSError.

    `names` are those of further files that such a run may have.
    """
    with os.scandir(folder) as entries:
        found = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    if not found:
        return True
    marker = found.pop(UNFINISHED, None)
    if marker is None or not stat.S_ISREG(marker.st_mode) or marker.st_size:
        return False
    return all(
        (name in names or _MADE.fullmatch(name)) and (stat.S_ISREG(facts.st_mode) or stat.S_ISFIFO(facts.st_mode))
        for name, facts in found.items()
    )
