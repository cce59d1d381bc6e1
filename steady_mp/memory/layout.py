"""Every offset of the shared files, in one place.

All words are unsigned 8-byte integers in the machine's order, given as indexes of a ``memoryview``
cast to ``Q``. Words of different writers live on different 64-byte cache lines.

Channel file: one header page, then the ring.

    line 0  what never changes: MAGIC, CAPACITY, RING_BYTES, KIND, ITEMSIZE (0 where messages differ in size)
    line 1  written by the producer: TAIL, TAIL_POS, TX_CLOSED, TX_HELD, BLOCKED_NS, TX_STUCK
    line 2  written by the consumer: HEAD, HEAD_POS, RX_CLOSED, RX_HELD
    line 3  written by the consumer: WAKE_TAIL, the tail at which it wants to be woken
    line 4  written by the producer: WAKE_HEAD, the head at which it wants to be woken

TX_HELD and RX_HELD are 0, except while that end's actor waits in the middle of a turn: then they say
which TAIL or HEAD its commit would bring, so that a peer that needs it rings for it. TX_STUCK is 0,
except while the producer waits so for room here: then it says for which HEAD, so that a consumer that
waits for more messages than the ring has bytes for finds out.

TAIL and HEAD count messages, TAIL_POS and HEAD_POS count bytes; all four only ever grow, and the place
in the ring is the position modulo the ring's size.

Ring record, 16-byte aligned, may wrap behind its header: ``length:u32 kind:u16 count:u16 first:u64``,
then the payload. ``first`` is the number of the record's first message. Kinds: one pickled object, a
pickled list of messages; an array of 8-byte ints, with a sign or without, of 4-byte ints, or of 8-byte floats; bytes
(one message as it is, several behind ``length:u32`` of each); several pickled objects, likewise behind their
lengths; one object with buffers outside its pickle: ``buffers:u64 pickle:u64``, then of each buffer
``length << 1 | writable:u64``, then the pickle, then the buffers; padding, which has no message.
A bytes lane has bytes only, and no record of it wraps: padding fills what is left of a lap.

Control block of an actor: one page of words written in place, then two journal slots.

    line 0  MAGIC, ENDPOINTS
    line 1  EPOCH: the commit; the slot in force is EPOCH & 1
    line 2  PID, GENERATION, PHASE, REQUESTED, UNGROUPED, FINISHED, BORN (with PID: which process, see `Owner`),
            DEBUGGED (not 0 while it waits for a debugger, or has one: nobody takes it for stuck)
    line 3  counters: TURNS, PARKS, RESCUES, EARLY_COMMITS, WAITED_NS, SNAPSHOT_BYTES, SNAPSHOT_NS
    line 4  the sleep at present: WAIT_SINCE_NS (monotonic), BLOCKED_ON (1 + index of the end without room, or 0),
            OTHER_WAYS (not 0 when one of several things ends it, so that none of them has to; GIVES_WAY when it has put
            commits off, and ends by a time at which these are made, or undone);
            LOOKED_NS (monotonic): when it last settled its turns, or awoke, if only to see that nothing had come
            (see `memory/standing.py`)
    byte 1024  REFUSAL: length, then UTF-8 text
    byte 2048  HAND_END: 1 + index of the end that was read last, since the actor has a control block

Journal slot: SNAP_SLOT, SNAP_LENGTH, SNAP_CRC, REQUESTED, FINISHED, then (count, position, closed) for
each endpoint of the actor in the order of the topology. In `closed` only bit 0 says that; a consumer counts above it
(CLOSED_BITS) how many dead letters it has taken that were replayed to it.

Hands, behind the journal slots: live words, not committed ones, five for each endpoint, written by the actor before it
reads on (see `memory/hands.py`). HAND_STAMP is EPOCH + TURNS + 1 of the turn in which HAND_FIRST and HAND_STOP were
stored: the message read last, or the first of those read together, and the one behind the last that may be read
before the next store. HAND_REACH is behind the last message that was ever unpickled. HAND_UNTIL outlives the life: up
to there the next ones commit each turn alone, and store before each single message.

Run file: one page: SHUTDOWN, START_NS.
"""

from __future__ import annotations

import struct
from typing import Final

LAYOUT_VERSION: Final = 4
MAGIC: Final = 0x5354_4541_4459_0000 | LAYOUT_VERSION
PAGE: Final = 4096
WORD: Final = 8

#: A threshold that no cursor reaches.
NEVER: Final = (1 << 63) - 1

# Channel header
CH_MAGIC: Final = 0
CH_CAPACITY: Final = 1
CH_RING_BYTES: Final = 2
CH_KIND: Final = 3
CH_ITEMSIZE: Final = 4
TAIL: Final = 8
TAIL_POS: Final = 9
TX_CLOSED: Final = 10
TX_HELD: Final = 11
BLOCKED_NS: Final = 12
TX_STUCK: Final = 13
HEAD: Final = 16
HEAD_POS: Final = 17
RX_CLOSED: Final = 18
RX_HELD: Final = 19
WAKE_TAIL: Final = 24
WAKE_HEAD: Final = 32
RING_START: Final = PAGE

#: Kinds of channels.
KIND_OBJECT: Final = 0
KIND_LANE: Final = 1
KIND_BYTES: Final = 2

# Ring record
RECORD: Final = struct.Struct("<IHHQ")
RECORD_ALIGN: Final = 16
RECORD_OBJECT: Final = 0
RECORD_BATCH: Final = 1
RECORD_INTS: Final = 2
RECORD_FLOATS: Final = 3
RECORD_BYTES: Final = 4
RECORD_OOB: Final = 5
RECORD_PADDING: Final = 6
RECORD_NATURALS: Final = 7
RECORD_PICKLES: Final = 8
RECORD_SHORTS: Final = 9
RECORD_MAX_COUNT: Final = 4096
#: Most bytes of a payload that the header can name.
RECORD_MAX_BYTES: Final = (1 << 32) - 1

# Control block
CB_MAGIC: Final = 0
CB_ENDPOINTS: Final = 1
EPOCH: Final = 8
PID: Final = 16
GENERATION: Final = 17
PHASE: Final = 18
REQUESTED: Final = 19
UNGROUPED: Final = 20
FINISHED: Final = 21
BORN: Final = 22
DEBUGGED: Final = 23
TURNS: Final = 24
PARKS: Final = 25
RESCUES: Final = 26
EARLY_COMMITS: Final = 27
WAITED_NS: Final = 28
SNAPSHOT_BYTES: Final = 29
SNAPSHOT_NS: Final = 30
WAIT_SINCE_NS: Final = 32
BLOCKED_ON: Final = 33
OTHER_WAYS: Final = 34
LOOKED_NS: Final = 35
REFUSAL: Final = 1024
REFUSAL_BYTES: Final = 512
HAND_END: Final = 256

PHASE_STARTING: Final = 0
PHASE_RUNNING: Final = 1
PHASE_WAITING: Final = 2

GIVES_WAY: Final = 2

# Journal slot, in words
J_SNAP_SLOT: Final = 0
J_SNAP_LENGTH: Final = 1
J_SNAP_CRC: Final = 2
J_REQUESTED: Final = 3
J_FINISHED: Final = 4
J_HEADER: Final = 5
J_PER_ENDPOINT: Final = 3

#: In a receiving end's `closed`, the bits above this one count the letters that were replayed there.
CLOSED_BITS: Final = 1

# Hands, in words of an endpoint
HAND_STAMP: Final = 0
HAND_FIRST: Final = 1
HAND_STOP: Final = 2
HAND_REACH: Final = 3
HAND_UNTIL: Final = 4
HANDS_PER_ENDPOINT: Final = 5
#: Added to the position of a dead letter that is in hand because it is replayed.
LETTER: Final = 1 << 62

# Run file
SHUTDOWN: Final = 0
START_NS: Final = 1


def record_bytes(payload: int) -> int:
    """Bytes of the ring that a record with `payload` bytes takes."""
    return (RECORD.size + payload + RECORD_ALIGN - 1) & -RECORD_ALIGN


def channel_bytes(ring_bytes: int) -> int:
    """Size of a channel's file."""
    return RING_START + ring_bytes


def journal_words(endpoints: int) -> int:
    """Words of one journal slot."""
    return J_HEADER + J_PER_ENDPOINT * endpoints


def journal_offset(endpoints: int, slot: int) -> int:
    """Byte offset of journal slot 0 or 1 in a control block."""
    stride = (journal_words(endpoints) * WORD + 63) & -64
    return PAGE + slot * stride


def hand_word(endpoints: int, end: int) -> int:
    """Index of the first of the words that say what an actor has in hand at one of its endpoints."""
    return journal_offset(endpoints, 2) // WORD + HANDS_PER_ENDPOINT * end


def control_bytes(endpoints: int) -> int:
    """Size of an actor's control block, in whole pages."""
    return (hand_word(endpoints, endpoints) * WORD + PAGE - 1) & -PAGE
