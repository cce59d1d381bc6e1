"""What a command writes to a file: whole, or not there at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator


def put(text: str, path: Path, mode: int = 0o666) -> None:
    """Write a text as a file, see `whole`. Raises OSError."""
    data = text.encode()
    with whole(path, mode) as file:
        file.write(data)


@contextmanager
def whole(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Open a file beside `path`, and put it in its place at the end, so that nobody ever reads half of it.

    Where it does not come to that, nothing is left of it. It gets these permissions, less the umask. Raises OSError.
    """
    if path.exists() and not path.is_file():  # asked of /dev/stdout itself: the pipe that it leads to has no path
        with path.open("wb") as pipe:  # a pipe or a terminal is written to, never replaced
            yield pipe
        return
    path = Path(os.path.realpath(path))  # the file that a link points to is replaced, not the link
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
