"""Damage: what shows of a mapped file of a run that no process of it has left it so, whenever it was killed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from steady_mp.memory.control import ControlBlock, Cursor

#: A count, a position or a time that is as large as this was never counted.
_TOO_MUCH: Final = layout.LETTER
#: Words of a control block that lives go on counting.
_COUNTS: Final = (layout.EPOCH, layout.GENERATION, *range(layout.TURNS, layout.SNAPSHOT_NS + 1))


def damage_of(path: Path, size: int, *, has_magic: bool = True) -> str:
    """Say what is wrong with a file that was made with so many bytes; empty where nothing is. Raises OSError.

    It is read as a file: one that is empty can't be mapped, and a look behind the end of one ends the process. Control
    blocks and channels begin with `layout.MAGIC`.
    """
    if (found := path.stat().st_size) != size:
        return f"{found} bytes of {size}"
    if has_magic:
        with path.open("rb") as file:
            if int.from_bytes(file.read(layout.WORD), sys.byteorder) != layout.MAGIC:
                return "it does not begin as one of this version does"
    return ""


def control_damage(control: ControlBlock, sends: Sequence[bool]) -> str:
    """Say what is wrong with a control block that nobody writes; empty where nothing is.

    `sends` says of each of its ends whether the actor sends there.
    """
    words, ends = control.words, len(sends)
    if words[layout.CB_ENDPOINTS] != ends:
        return f"it has {words[layout.CB_ENDPOINTS]} ends instead of {ends}"
    slot = layout.journal_offset(ends, words[layout.EPOCH] & 1) // layout.WORD
    in_force = range(slot, slot + layout.journal_words(ends))
    for word in (*_COUNTS, *in_force):
        if words[word] >= _TOO_MUCH:
            return f"word {word} is {words[word]}"
    hands = layout.hand_word(ends, 0)
    for word in range(hands, hands + layout.HANDS_PER_ENDPOINT * ends):
        if words[word] >= layout.NEVER:  # a letter in hand has LETTER added
            return f"word {word} is {words[word]}"
    if not words[layout.EPOCH] and any(words[word] for word in in_force):
        return "its journal has a commit, and its epoch has none"
    journal = control.journal()
    switches = [journal.snapshot_slot, journal.requested, journal.finished]
    switches += [cursor.closed for cursor, sending in zip(journal.cursors, sends, strict=True) if sending]
    return "its journal has other than 0 and 1 where there is nothing else" if max(switches) > 1 else ""


def header_damage(words: memoryview, made: Sequence[int]) -> str:
    """Say what is wrong with a channel's header; it was `made` with capacity, bytes of the ring, kind and itemsize."""
    found = words[layout.CH_CAPACITY : layout.CH_ITEMSIZE + 1].tolist()
    if found != list(made):
        return f"it was made with {', '.join(map(str, made))}, and says {', '.join(map(str, found))}"
    return f"word {layout.BLOCKED_NS} is {words[layout.BLOCKED_NS]}" if words[layout.BLOCKED_NS] >= _TOO_MUCH else ""


def ahead(words: memoryview, cursor: Cursor, *, sends: bool) -> str:
    """Say where a channel's header is ahead of the journal of one of its ends: what is shown was committed before."""
    for what, word, committed in (
        ("messages", layout.TAIL if sends else layout.HEAD, cursor.messages),
        ("bytes", layout.TAIL_POS if sends else layout.HEAD_POS, cursor.position),
    ):
        if words[word] > committed:
            return f"{words[word]} {what} are {'sent' if sends else 'taken'} there, and {committed} committed"
    return ""


def misfit(sent: Cursor, taken: Cursor, capacity: int, ring_bytes: int) -> str:
    """Say why a receiver's journal can't be of one run with the sender's."""
    for what, behind, before, room in (
        ("messages", sent.messages, taken.messages, capacity),
        ("bytes", sent.position, taken.position, ring_bytes),
    ):
        if not 0 <= behind - before <= room:
            return f"{before} {what} are taken of {behind} sent, with room for {room}"
    return ""
