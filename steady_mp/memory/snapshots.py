"""Two snapshot slots of an actor: one in force, one that the next commit may overwrite."""

from __future__ import annotations

import mmap
import os
import zlib
from typing import TYPE_CHECKING, Final

from steady_mp.errors import StateError, in_words
from steady_mp.memory.files import reserve
from steady_mp.memory.layout import PAGE

if TYPE_CHECKING:
    from pathlib import Path

_ROOM: Final = PAGE


class SnapshotSlots:
    """Snapshots as bytes; which slot and how long is the journal's to say.

    `stem` is the path without ``-0`` or ``-1``; None keeps the slots in memory of this process.
    """

    __slots__ = ("_files", "_maps", "_stem")

    def __init__(self, stem: Path | None) -> None:
        """Open the slots; their files are made at the first write."""
        self._stem = stem
        self._files = None if stem is None else tuple(f"{stem}-{slot}" for slot in (0, 1))
        self._maps: list[mmap.mmap | None] = [None, None]

    def write(self, slot: int, data: bytes) -> int:
        """Write `data` into `slot`, which must not be in force; return its checksum.

        Raises StateError when the file system is full: a commit that can't be written is a crash.
        """
        room, size = self._maps[slot], len(data)
        if room is None or len(room) < size:
            room = self._grow(slot, size)
        room[:size] = data
        return zlib.crc32(data)

    def read(self, slot: int, length: int, crc: int) -> bytes:
        """Return the snapshot; raises StateError when it is not what the commit wrote."""
        room = self._maps[slot]
        if room is None or len(room) < length:  # a life may have made it longer since
            room = self._map(slot)
        data = b"" if room is None else room[:length]
        if len(data) != length or zlib.crc32(data) != crc:
            where = "memory" if self._stem is None else str(self.path(slot))
            message = f"snapshot in {where} is damaged: {length} bytes with checksum {crc:#x} were committed"
            raise StateError(message)
        return data

    def path(self, slot: int) -> Path:
        """Return the file of a slot."""
        if self._stem is None:
            message = "these snapshots live in memory"
            raise ValueError(message)
        return self._stem.with_name(f"{self._stem.name}-{slot}")

    def map(self) -> None:
        """Map what there is already of both slots. Raises OSError."""
        for slot in (0, 1):
            self._map(slot)

    def _map(self, slot: int) -> mmap.mmap | None:
        if self._files is None:
            return None
        try:
            fd = os.open(self._files[slot], os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            if os.fstat(fd).st_size == 0:
                return None
            self._maps[slot] = mmap.mmap(fd, 0)
        finally:
            os.close(fd)
        return self._maps[slot]

    def _grow(self, slot: int, needed: int) -> mmap.mmap:
        """Give the slot room for `needed` bytes and as much again, allocated."""
        size = max(_ROOM, (2 * needed + PAGE - 1) & -PAGE)
        old = self._maps[slot]
        if old is not None:
            old.close()
            self._maps[slot] = None
        if self._stem is None:
            room = mmap.mmap(-1, size)
        else:
            try:
                room = _open_with_room(self.path(slot), size)
            except OSError as error:
                message = f"a snapshot of {needed} bytes can't be written to {self.path(slot)}: {in_words(error)}"
                raise StateError(message) from None
        self._maps[slot] = room
        return room

    def close(self) -> None:
        """Unmap both slots."""
        for room in self._maps:
            if room is not None:
                room.close()
        self._maps = [None, None]


def _open_with_room(path: Path, size: int) -> mmap.mmap:
    """Map the file at `path`, which is made where it is not there, with `size` bytes or more. Raises OSError."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        reserve(fd, size)
        return mmap.mmap(fd, os.fstat(fd).st_size)
    finally:
        os.close(fd)
