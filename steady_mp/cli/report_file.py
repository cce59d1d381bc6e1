"""The report of a run as a file: checked before the start, whole or not there at all at the end."""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING, Any

from steady_mp.cli.view import json_text
from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


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
    """Write a text beside `path` and then put it in its place, so that nobody ever reads half of it. Raises OSError.

    A file that is made gets these permissions, less the umask.
    """
    if path.exists() and not path.is_file():  # asked of /dev/stdout itself: the pipe that it leads to has no path
        path.write_text(text, encoding="utf-8")  # a pipe or a terminal is written to, never replaced
        return
    path = path.resolve()  # the file that a link points to is replaced, not the link
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with open(draft, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
