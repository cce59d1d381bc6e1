"""The mirror: a channel's file mapped with its ring twice in a row, so that no stretch of it ever wraps.

``mmap`` of the standard library can't choose an address. So it reserves the room, which also makes it the one who
gives it back, and libc maps the file over it: header and ring, and behind them the ring once more. Both show the same
pages of memory.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from typing import TYPE_CHECKING, Final

from steady_mp.errors import ConfigurationError
from steady_mp.memory import layout
from steady_mp.memory.mapping import Mapping

if TYPE_CHECKING:
    from pathlib import Path

#: MAP_FIXED of Linux, the same on all its processors that matter here; the standard library does not name it.
_MAP_FIXED: Final = 0x10


def refuse_mirror() -> None:
    """Raise ConfigurationError where this machine can't map a ring twice in a row."""
    if sys.platform != "linux":
        message = f"mirror=True is for Linux, and this is {sys.platform}: leave it out, and take one view or two"
        raise ConfigurationError(message)
    if layout.RING_START % mmap.ALLOCATIONGRANULARITY:
        message = (
            f"mirror=True needs pages of {layout.RING_START} bytes, and this machine's have "
            f"{mmap.ALLOCATIONGRANULARITY}: leave it out, and take one view or two"
        )
        raise ConfigurationError(message)


class Mirror(Mapping):
    """Like a `Mapping` of a channel's file, but the bytes behind its end are its ring once more.

    Without a path it is memory of this process, as a `Mapping` is then.
    """

    __slots__ = ("_size",)

    def __init__(self, path: Path | None, size: int = 0) -> None:
        """Map the file at `path`, which keeps its size; or `size` bytes of memory. Raises OSError."""
        refuse_mirror()
        fd = os.memfd_create("steady-mp", os.MFD_CLOEXEC) if path is None else os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            if path is None:
                os.ftruncate(fd, size)
            self._size = os.fstat(fd).st_size
            ring = self._size - layout.RING_START
            self._mmap = mmap.mmap(-1, self._size + ring, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            start = ctypes.addressof(ctypes.c_char.from_buffer(self._mmap))
            _map_over(start, self._size, fd, 0)
            _map_over(start + self._size, ring, fd, layout.RING_START)
        finally:
            os.close(fd)
        self.data = memoryview(self._mmap)
        self.words = self.data[: self._size].cast("Q")

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._size


def _map_over(address: int, length: int, fd: int, offset: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    found = libc.mmap(address, length, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | _MAP_FIXED, fd, offset)
    if found != address:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
