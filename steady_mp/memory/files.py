"""Making the files and folders of a run, for their owner only: a durable one may lie in a folder open to everybody."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def make_folder(path: Path, *, parents: bool = False, exist_ok: bool = False) -> None:
    """Make a folder that its owner can use, whatever the process's umask takes away. Raises OSError."""
    try:
        path.mkdir(mode=0o700, parents=parents)
    except FileExistsError:
        if not (exist_ok and path.is_dir()):
            raise
    else:
        path.chmod(0o700)


def is_ours(path: Path) -> bool:
    """Tell whether this is a folder of this user's, and no link to one: /tmp is everybody's. Raises OSError."""
    facts = path.lstat()
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()


def allocate(path: Path, size: int) -> None:
    """Make the file with all its blocks."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        reserve(fd, size)
    finally:
        os.close(fd)


def reserve(fd: int, size: int) -> None:
    """Give a file all blocks of its first `size` bytes, which may be zeros then. Raises OSError."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
    else:  # pragma: no cover - macOS has no fallocate: writing the zeros allocates as well
        for offset in range(0, size, 1 << 20):
            os.pwrite(fd, bytes(min(1 << 20, size - offset)), offset)


def write(path: Path, content: bytes) -> None:
    """Write a file, in the place of the content that it has. Raises OSError."""
    with open(path, "wb", opener=private) as file:
        file.write(content)


def replace(path: Path, content: bytes) -> None:
    """Put `content` in the place of a file: a reader sees the old one or the new one. Raises OSError.

    `disk.replace` does it where that has to be true after a loss of power, too.
    """
    with drafted(path) as draft:
        write(draft, content)


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Give the path of a draft that takes the place of a file at the end; one that the disk refuses leaves nothing."""
    draft = path.with_name(f"{path.name}.new")
    try:
        yield draft
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def private(path: str, flags: int) -> int:
    """Open a file that its owner alone may read, where it is made; for the built-in `open`."""
    return os.open(path, flags, 0o600)
