"""What a command writes to a file: whole or not there at all. The report of a run is checked before the start."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from steady_mp.cli.view import json_text
from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def check(path: Path) -> None:
    """Refuse a place that can't be written, before anything has run for nothing."""
    folder = path.resolve().parent
    try:
        if not stat.S_ISREG(kind := path.stat().st_mode) and not stat.S_ISDIR(kind):
            return  # a pipe or a terminal, which is only written to
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise ConfigurationError(f"--report {path}: {error.strerror}; take another one") from None
    if path.is_dir():
        raise ConfigurationError(f"--report {path}: is a folder; name a file in it")
    if not folder.is_dir():
        raise ConfigurationError(f"--report {path}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigurationError(f"--report {path}: the folder {folder} can't be written; take another one")


def write(facts: Mapping[str, Any], path: Path) -> None:
    """Write the report to `path`, see `put`. Raises OSError."""
    put(json_text(facts, 2, "utf-8") + "\n", path)


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
