"""The address of a socket in a run directory, whose path may be longer than an address can be."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Bytes of a Unix socket's address that every system takes.
_LONGEST: Final = 100


@contextlib.contextmanager
def address_of(path: Path) -> Iterator[str]:
    """Give the address of a socket: its path, or where that is too long for one, a way around its folder's name.

    Raises ConfigurationError where the system has no such way, and OSError where there is no such folder.
    """
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        around = f"/proc/self/fd/{folder}"
        if not os.path.exists(around):  # noqa: PTH110 - no path of ours
            message = f"{path} is too long for a socket's address: set STEADY_MP_ROOT to a folder with a shorter name"
            raise ConfigurationError(message)
        yield f"{around}/{path.name}"
    finally:
        os.close(folder)
