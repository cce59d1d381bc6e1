"""The control block: its journal, its words, and where they lie."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady_mp.memory import layout
from steady_mp.memory.control import ControlBlock, Cursor, Journal
from steady_mp.memory.layout import PAGE
from steady_mp.memory.mapping import Mapping
from steady_mp.memory.snapshots import SnapshotSlots

WORDS_A_LINE = 64 // layout.WORD
words = st.integers(0, 2**64 - 1)


def make_block(endpoints: int = 2) -> ControlBlock:
    block = ControlBlock(Mapping(None, layout.control_bytes(endpoints)), endpoints)
    block.format()
    return block


def test_an_actor_that_never_lived_has_an_empty_journal() -> None:
    block = make_block()
    assert block.epoch == 0
    assert block.journal() == Journal(0, 0, 0, 0, 0, (Cursor(0, 0, 0),) * 2)
    assert block.words[layout.CB_MAGIC] == layout.MAGIC


@given(st.integers(0, 5).flatmap(lambda n: st.lists(st.lists(words, min_size=5 + 3 * n, max_size=5 + 3 * n))))
def test_the_journal_in_force_is_the_last_one_committed(journals: list[list[int]]) -> None:
    endpoints = (len(journals[0]) - 5) // 3 if journals else 0
    block = make_block(endpoints)
    for epoch, journal in enumerate(journals, 1):
        before = block.journal()
        block.write_journal(epoch, array("Q", journal).tobytes())
        assert block.journal() == before  # written, and not yet in force
        block.put_in_force(epoch)
        found = block.journal()
        assert [*found[:5], *(word for cursor in found.cursors for word in cursor)] == journal


@pytest.mark.parametrize("endpoints", range(0, 60, 7))
def test_journal_slots_overlap_with_nothing(endpoints: int) -> None:
    first, second = layout.journal_offset(endpoints, 0), layout.journal_offset(endpoints, 1)
    size = layout.journal_words(endpoints) * layout.WORD
    assert first >= PAGE
    assert first + size <= second
    assert second + size <= layout.control_bytes(endpoints)
    assert layout.control_bytes(endpoints) % PAGE == 0
    assert second % 64 == 0


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        ("", ""),
        ("3 orders unpaid", "3 orders unpaid"),
        ("übrig: 3 €", "übrig: 3 €"),
        ("x" * 600, "x" * layout.REFUSAL_BYTES),
        ("\ud800", "?"),
    ],
)
def test_a_refusal_is_kept_as_far_as_it_fits(reason: str, found: str) -> None:
    block = make_block()
    block.refusal = reason
    assert block.refusal == found


def test_a_refusal_cut_inside_a_letter_can_be_read() -> None:
    block = make_block()
    block.refusal = "x" + "€" * 200
    assert block.refusal.startswith("x€€")
    assert len(block.refusal.encode()) <= layout.REFUSAL_BYTES + 3


def test_words_of_different_writers_lie_on_different_cache_lines() -> None:
    writers = [
        {layout.CH_MAGIC, layout.CH_CAPACITY, layout.CH_RING_BYTES},
        {layout.TAIL, layout.TAIL_POS, layout.TX_CLOSED, layout.TX_HELD},
        {layout.HEAD, layout.HEAD_POS, layout.RX_CLOSED, layout.RX_HELD},
        {layout.WAKE_TAIL},
        {layout.WAKE_HEAD},
    ]
    lines = [{word // WORDS_A_LINE for word in group} for group in writers]
    assert all(len(line) == 1 for line in lines)
    assert len(set.union(*lines)) == len(writers)
    assert max(map(max, writers)) * layout.WORD < layout.RING_START


def test_no_two_names_share_a_word_of_the_control_block() -> None:
    names = [name for name, value in vars(layout).items() if name.isupper() and isinstance(value, int)]
    first, last = names.index("CB_MAGIC"), names.index("REFUSAL")
    block = {name: getattr(layout, name) for name in names[first:last]}
    assert len(set(block.values())) == len(block)
    assert max(block.values()) * layout.WORD < layout.REFUSAL
    assert layout.REFUSAL + 2 + layout.REFUSAL_BYTES <= PAGE
    channel = {name: getattr(layout, name) for name in names[names.index("CH_MAGIC") : names.index("RING_START")]}
    assert len(set(channel.values())) == len(channel)


def test_a_block_that_is_closed_is_unmapped() -> None:
    block = make_block()
    block.close()
    with pytest.raises(ValueError, match="released"):
        _ = block.epoch


def test_snapshots_and_journal_agree_on_an_empty_state() -> None:
    journal = make_block().journal()
    assert journal.snapshot_length == 0
    assert SnapshotSlots(None).read(journal.snapshot_slot, 0, journal.snapshot_crc) == b""
