"""The disk: what is written, until it survives a loss of power.

A store into a mapped file is in the memory of the kernel, where it outlives every process. The kernel writes it back
when it likes, in any order, in whole sectors. `flush` returns when it is on the disk.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from steady_mp.memory.files import drafted, private

if TYPE_CHECKING:
    from pathlib import Path

#: A folder on the way that can't be synced so was made by somebody else, and long ago: it may be read-only, or no disk.
_NOT_OURS: Final = {errno.EACCES, errno.EPERM, errno.EINVAL, errno.EROFS}


def flush(fd: int) -> None:
    """Block until all that was stored into a file, mapped or not, is on the disk. Raises OSError.

    For a mapped file that is what msync does on Linux; a descriptor also takes what has grown behind the mapping.
    """
    if hasattr(os, "fdatasync"):
        os.fdatasync(fd)
    else:  # pragma: no cover - macOS, where it stops at the cache of the drive
        os.fsync(fd)


def settle(path: Path) -> None:
    """Block until a file, or the names in a folder, are on the disk. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd) if path.is_dir() else flush(fd)
    finally:
        os.close(fd)


def settle_folder(folder: Path) -> None:
    """Block until all files of a folder are on the disk, and then their names, and the way to it. Raises OSError."""
    for entry in folder.iterdir():
        if entry.is_file():
            settle(entry)
    settle(folder)
    for parent in folder.absolute().parents:
        try:
            settle(parent)
        except OSError as error:
            if error.errno not in _NOT_OURS:
                raise


def replace(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file: after a loss of power it is the old one or the new one. Raises OSError."""
    with drafted(path) as draft, open(draft, "wb", opener=private) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    settle(path.parent)
