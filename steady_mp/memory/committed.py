"""What an actor has committed, read by somebody else while it works, sleeps, hangs or is dead.

Nothing is locked and nothing is written. The epoch before and after says whether the journal is one commit's; the
snapshot's checksum, which stands in that journal, says whether the bytes are. The slot that a journal names is
overwritten by the commit after the next one at the earliest, so one of a few looks succeeds.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from steady_mp.errors import StateError
from steady_mp.memory.fence import order

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp.memory.control import ControlBlock, Journal

#: Looks before an actor counts as one that commits faster than it can be read.
_LOOKS: Final = 10_000


class Committed(NamedTuple):
    """One commit: its number, and the snapshot that was in force with it, or None."""

    epoch: int
    snapshot: bytes | None


def read_committed(control: ControlBlock, stem: Path, looks: int = _LOOKS) -> Committed:
    """Return the last commit of an actor whose snapshots are the files at `stem`.

    Raises StateError when the snapshot is not what the commit wrote, or the actor never stands still for a look.
    """
    for _ in range(looks):
        epoch = control.epoch
        order()
        journal = control.journal()
        order()
        if control.epoch != epoch:
            continue
        if not journal.snapshot_length:
            return Committed(epoch, None)
        data = _read(stem, journal)
        if zlib.crc32(data) == journal.snapshot_crc and len(data) == journal.snapshot_length:
            return Committed(epoch, data)
        order()
        if control.epoch == epoch:
            message = f"snapshot {journal.snapshot_slot} of commit {epoch} is damaged: {_path(stem, journal)}"
            raise StateError(message)
    message = f"{stem.name} changes faster than it can be read"
    raise StateError(message)


def _path(stem: Path, journal: Journal) -> Path:
    return stem.with_name(f"{stem.name}-{journal.snapshot_slot}")


def _read(stem: Path, journal: Journal) -> bytes:
    """Read it as a file: a mapping that somebody cuts short would end this process."""
    with suppress(OSError):
        fd = os.open(_path(stem, journal), os.O_RDONLY | os.O_CLOEXEC)
        try:
            data, length = b"", min(journal.snapshot_length, os.fstat(fd).st_size)
            # At most 2 GiB come at once.
            while len(data) < length and (more := os.pread(fd, length - len(data), len(data))):
                data += more
            return data
        finally:
            os.close(fd)
    return b""
