"""What stays of a run that did not end well: its death reports, its status and its latest events.

A run directory goes with its run, and it may be memory. So these few files are copied to a folder on disk, for their
owner only, where `steady-mp why` finds them: STEADY_MP_KEPT, else `steady-mp-UID-kept` in the temporary folder
(TMPDIR). The latest `MOST_RUNS` runs are in it, none with more than `MOST_BYTES`.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from steady_mp.memory.deaths import read_reports, report_files
from steady_mp.memory.files import is_ours, make_folder
from steady_mp.memory.owner import RUN_NAME
from steady_mp.memory.status import EVENTS_FILE, STATUS_FILE

MOST_RUNS: Final = 10
MOST_BYTES: Final = 2 << 20


def kept_root() -> Path:
    """Where they are kept: STEADY_MP_KEPT, else a folder of this user's in the temporary folder."""
    if chosen := os.environ.get("STEADY_MP_KEPT"):
        return Path(chosen)
    return Path(tempfile.gettempdir()) / f"steady-mp-{os.getuid()}-kept"


def keep_reports(directory: Path, *, unclean: bool = False) -> Path | None:
    """Keep what `why` needs of the run in `directory`; return where, or None where there is nothing, or no room.

    Nothing is kept of a run that nobody has died in unasked, unless it has ended `unclean`.
    """
    reports = read_reports(directory)
    if not reports or (not unclean and all(report.is_planned for report in reports)):
        return None
    root = kept_root()
    try:
        make_folder(root, exist_ok=True)
        if not is_ours(root):
            return None
        if root.samefile(directory.parent):
            return None  # it would take the place of the run itself
        place = root / directory.name
        draft = root / f".{directory.name}"
        shutil.rmtree(draft, ignore_errors=True)
        make_folder(draft)
        for path in _worth_keeping(directory):
            shutil.copy(path, draft / path.name)
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
        _drop_oldest(root)
    except OSError:
        shutil.rmtree(root / f".{directory.name}", ignore_errors=True)
        return None
    return place


def _worth_keeping(directory: Path) -> list[Path]:
    """Return the files of a run, the most telling first, for as long as there is room."""
    latest = report_files(directory)[::-1]
    chosen, size = [], 0
    for path in (directory / STATUS_FILE, directory / EVENTS_FILE, *latest):
        with suppress(OSError):
            size += path.stat().st_size
            if size <= MOST_BYTES:
                chosen.append(path)
    return chosen


def all_kept() -> list[Path]:
    """Return the folders of the runs that are kept, the latest first, and nothing else that lies beside them."""
    found = []
    with suppress(OSError):
        for entry in kept_root().iterdir():
            with suppress(OSError):
                if _is_kept(entry):
                    found.append((entry.stat().st_mtime_ns, entry))
    return [entry for _, entry in sorted(found, reverse=True)]


def _is_kept(entry: Path) -> bool:
    """Tell whether this is what `keep_reports` has made, not something else in a folder that somebody shares with it.

    A run directory has the same name and a status; but it has its graph as well.
    """
    if RUN_NAME.fullmatch(entry.name) is None or not stat.S_ISDIR(entry.lstat().st_mode):
        return False
    return (entry / STATUS_FILE).is_file() and not (entry / "graph.json").exists()


def _drop_oldest(root: Path) -> None:
    for entry in all_kept()[MOST_RUNS:]:
        if entry.parent == root:
            shutil.rmtree(entry, ignore_errors=True)


def forget() -> list[Path]:
    """Remove everything that is kept; return the folders that were."""
    found = all_kept()
    for entry in found:
        shutil.rmtree(entry, ignore_errors=True)
    with suppress(OSError):
        kept_root().rmdir()
    return found
