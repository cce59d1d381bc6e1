"""`steady-mp clean`: remove what runs have left behind whose supervisor is provably dead."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from steady_mp.cli.view import show, show_json, table
from steady_mp.errors import ConfigurationError, ExitCode
from steady_mp.memory.kept import all_kept, forget, kept_root
from steady_mp.memory.rundir import abandoned, default_root, sweep

if TYPE_CHECKING:
    from pathlib import Path


def clean(*, dry_run: bool, kept: bool, as_json: bool) -> int:
    """Remove them, or only list them; gives the exit status, 1 when one could not be removed.

    What `steady-mp why` needs of them is kept; with `kept` that goes too, of all runs.
    """
    root = default_root()
    try:
        sizes = {directory: _bytes_in(directory) for directory in abandoned(root) if not directory.is_symlink()}
    except OSError as error:
        raise ConfigurationError(f"{root} can't be read: {error.strerror}") from None
    if not dry_run:
        sweep(root)
    reports = all_kept() if dry_run or not kept else forget()
    left = [] if dry_run else [directory for directory in sizes if directory.exists()]
    if as_json:
        show_json(
            {
                "root": str(root),
                "removed": [] if dry_run else [str(each) for each in sizes if each not in left],
                "found": [{"directory": str(each), "bytes": size} for each, size in sizes.items()],
                "kept": [] if kept and not dry_run else [str(each) for each in reports],
            }
        )
    elif not sizes:
        show(f"nothing to clean in {root}")
    else:
        made = table("run", "size", "", left=1)
        for directory, size in sizes.items():
            done = "would be removed" if dry_run else "can't be removed" if directory in left else "removed"
            made.add_row(directory.name, f"{size / 2**20:.1f} MiB", done)
        show(made)
    if reports and not as_json:
        what = "were removed" if kept and not dry_run else "are kept for `steady-mp why`; --kept removes them"
        show(f"death reports of {len(reports)} runs in {kept_root()} {what}")
    return ExitCode.UNCLEAN if left else ExitCode.DRAINED


def _bytes_in(directory: Path) -> int:
    size = 0
    with suppress(OSError):
        for entry in directory.iterdir():
            with suppress(OSError):
                size += entry.stat().st_blocks * 512
    return size
