"""The last commit, read while its actor goes on: never a mixture of two, and nothing is written."""

from __future__ import annotations

import os
import threading
import zlib
from array import array
from typing import TYPE_CHECKING

import pytest

from steady_mp.errors import StateError
from steady_mp.memory import layout
from steady_mp.memory.committed import read_committed
from steady_mp.memory.control import ControlBlock
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.snapshots import SnapshotSlots

if TYPE_CHECKING:
    from pathlib import Path


class Actor:
    """Commits snapshots as a turn does."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "control"
        self.path.write_bytes(bytes(layout.control_bytes(0)))
        self.control = ControlBlock(Mapping(self.path), 0)
        self.stem = folder / "snapshot"
        self.slots = SnapshotSlots(self.stem)
        self.slot = 0

    def commit(self, snapshot: bytes) -> None:
        self.slot ^= 1
        crc = self.slots.write(self.slot, snapshot)
        epoch = self.control.epoch + 1
        self.control.write_journal(epoch, array("Q", [self.slot, len(snapshot), crc, 0, 0]).tobytes())
        self.control.put_in_force(epoch)

    def close(self) -> None:
        self.slots.close()
        self.control.close()


def content(number: int) -> bytes:
    return (b"%d " % number) * (1 + number * 7 % 5000)


def test_an_actor_that_never_committed(tmp_path: Path) -> None:
    actor = Actor(tmp_path)
    assert read_committed(actor.control, actor.stem) == (0, None)
    actor.close()


def test_a_commit_is_read_whole_while_others_follow(tmp_path: Path) -> None:
    actor = Actor(tmp_path)
    actor.commit(content(1))
    over = threading.Event()

    def work() -> None:
        number = 1
        while not over.is_set():
            number += 1
            actor.commit(content(number))

    thread = threading.Thread(target=work)
    thread.start()
    mapping = Mapping(actor.path, read_only=True)
    control = ControlBlock(mapping, 0)
    last = 0
    try:
        while last < 300:
            epoch, snapshot = read_committed(control, actor.stem)
            assert snapshot == content(epoch)
            assert epoch >= last
            last = epoch
    finally:
        over.set()
        thread.join()
        control.close()
        actor.close()


def test_a_commit_under_way_is_not_seen(tmp_path: Path) -> None:
    actor = Actor(tmp_path)
    actor.commit(content(1))
    actor.commit(content(2))
    actor.slots.write(0 if actor.slot else 1, content(3))
    actor.control.write_journal(
        3, array("Q", [1 - actor.slot, len(content(3)), zlib.crc32(content(3)), 0, 0]).tobytes()
    )
    assert read_committed(actor.control, actor.stem) == (2, content(2))
    actor.close()


@pytest.mark.parametrize("damage", [b"", b"other bytes"])
def test_a_damaged_snapshot_is_named(tmp_path: Path, damage: bytes) -> None:
    actor = Actor(tmp_path)
    actor.commit(content(1))
    actor.close()
    (tmp_path / "snapshot-1").write_bytes(damage)
    control = ControlBlock(Mapping(actor.path, read_only=True), 0)
    with pytest.raises(StateError, match="snapshot 1 of commit 1 is damaged"):
        read_committed(control, actor.stem)
    control.close()


def test_looking_ends(tmp_path: Path) -> None:
    actor = Actor(tmp_path)
    with pytest.raises(StateError, match="changes faster than it can be read"):
        read_committed(actor.control, actor.stem, looks=0)
    actor.close()


def test_a_snapshot_that_is_read_in_pieces_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux gives 2 GiB at once at most."""
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, offset: pread(fd, min(size, 100), offset))
    actor = Actor(tmp_path)
    actor.commit(content(77))
    assert read_committed(actor.control, actor.stem) == (1, content(77))
    actor.close()
