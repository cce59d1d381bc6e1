"""The two snapshot slots of an actor, in memory and in files."""

from __future__ import annotations

import errno
import os
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp import StateError
from steady_mp.memory.layout import PAGE
from steady_mp.memory.snapshots import SnapshotSlots

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["memory", "file"])
def slots(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SnapshotSlots]:
    slots = SnapshotSlots(None if request.param == "memory" else tmp_path / "actor-0.snapshot")
    yield slots
    slots.close()


def test_a_snapshot_is_read_as_it_was_written(slots: SnapshotSlots) -> None:
    crc = slots.write(0, b"first")
    assert crc == zlib.crc32(b"first")
    assert slots.read(0, 5, crc) == b"first"


def test_writing_one_slot_leaves_the_other(slots: SnapshotSlots) -> None:
    crc = slots.write(0, b"in force")
    for length in (1, PAGE, 3 * PAGE, 10 * PAGE, 2):
        slots.write(1, bytes(length))
        assert slots.read(0, 8, crc) == b"in force"


def test_a_slot_grows_with_what_is_written(slots: SnapshotSlots) -> None:
    for length in (1, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE, 100 * PAGE, 3):
        data = os.urandom(length)
        assert slots.read(0, length, slots.write(0, data)) == data


def test_slots_that_were_mapped_while_their_actor_was_at_work_read_what_it_has_written_since(tmp_path: Path) -> None:
    at_work, ahead = (SnapshotSlots(tmp_path / "actor-0.snapshot") for _ in range(2))
    at_work.write(0, b"short")
    ahead.map()
    for length in (10, 1 << 20):
        data = b"x" * length
        crc = at_work.write(0, data)
        assert ahead.read(0, length, crc) == data
    crc = ahead.write(1, b"the other one")
    assert at_work.read(1, 13, crc) == b"the other one"
    for slots in (at_work, ahead):
        slots.close()


def test_a_snapshot_that_was_never_written_is_damage(slots: SnapshotSlots) -> None:
    with pytest.raises(StateError, match="is damaged: 5 bytes with checksum 0x7 were committed"):
        slots.read(1, 5, 7)


def test_a_wrong_length_or_checksum_is_damage(slots: SnapshotSlots) -> None:
    crc = slots.write(0, b"data")
    for length, checksum in ((3, crc), (5, crc), (4, crc ^ 1)):
        with pytest.raises(StateError, match="damaged"):
            slots.read(0, length, checksum)


def test_another_process_reads_the_files(tmp_path: Path) -> None:
    stem = tmp_path / "actor-0.snapshot"
    mine = SnapshotSlots(stem)
    crcs = [mine.write(slot, b"slot %d" % slot) for slot in (0, 1)]
    mine.close()
    other = SnapshotSlots(stem)
    assert [other.read(slot, 6, crcs[slot]) for slot in (0, 1)] == [b"slot 0", b"slot 1"]
    assert other.path(1).name == "actor-0.snapshot-1"
    assert other.path(0).stat().st_mode & 0o777 == 0o600
    crc = other.write(0, b"again")  # a fresh life goes on in the files of the last one
    assert other.read(0, 5, crc) == b"again"
    other.close()


@given(bit=st.integers(0, 8 * 300 - 1))
def test_one_flipped_bit_is_found(bit: int) -> None:
    slots = SnapshotSlots(None)
    data = bytes(i & 255 for i in range(300))
    crc = slots.write(0, data)
    room = slots._maps[0]
    assert room is not None
    room[bit // 8] ^= 1 << bit % 8
    with pytest.raises(StateError, match="damaged"):
        slots.read(0, len(data), crc)
    slots.close()


@pytest.mark.parametrize("left", [0, 1, 299])
def test_a_truncated_file_is_damage_and_is_kept(left: int, tmp_path: Path) -> None:
    mine = SnapshotSlots(tmp_path / "s")
    crc = mine.write(0, bytes(range(250)) + bytes(50))
    mine.close()
    os.truncate(mine.path(0), left)
    with pytest.raises(StateError, match=str(mine.path(0))):
        SnapshotSlots(tmp_path / "s").read(0, 300, crc)
    assert mine.path(0).stat().st_size == left


def test_a_full_file_system_is_an_error_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = SnapshotSlots(tmp_path / "s")
    crc = slots.write(0, b"in force")

    def no_space(_fd: int, _offset: int, _size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", no_space)
    with pytest.raises(StateError, match=r"a snapshot of 9000 bytes can't be written to .*s-1: No space left"):
        slots.write(1, bytes(9000))
    assert slots.read(0, 8, crc) == b"in force"
    with pytest.raises(StateError):
        slots.write(0, bytes(9000))
    monkeypatch.undo()
    assert slots.read(0, 9, slots.write(0, b"recovered")) == b"recovered"
    slots.close()


def test_slots_in_memory_have_no_path() -> None:
    with pytest.raises(ValueError, match="live in memory"):
        SnapshotSlots(None).path(0)


def test_a_file_that_can_t_be_opened_names_the_snapshot_and_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    slots = SnapshotSlots(tmp_path / "s")
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(StateError, match=r"a snapshot of 9 bytes can't be written to .*: Too many open files; rai"):
            slots.write(1, bytes(9))
