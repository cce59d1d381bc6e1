"""The report of a run as a file: checked before the start, whole or not there at all at the end."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from steady_mp.cli.view import json_text
from steady_mp.cli.whole_file import put
from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def check(path: Path) -> None:
    """Refuse a place that can't be written, before anything has run for nothing."""
    try:
        if not stat.S_ISREG(kind := path.stat().st_mode) and not stat.S_ISDIR(kind):
            return  # a pipe or a terminal, which is only written to
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise ConfigurationError(f"--report {path}: {error.strerror}; take another one") from None
    folder = path.resolve().parent  # where a link leads in a circle, that was said above
    if path.is_dir():
        raise ConfigurationError(f"--report {path}: is a folder; name a file in it")
    if not folder.is_dir():
        raise ConfigurationError(f"--report {path}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigurationError(f"--report {path}: the folder {folder} can't be written; take another one")


def write(facts: Mapping[str, Any], path: Path) -> None:
    """Write the report to `path`, see `put`. Raises OSError."""
    put(json_text(facts, 2, "utf-8") + "\n", path)
