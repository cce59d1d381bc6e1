"""One message by its position, read out of a ring where it lies. Nothing is stored, and nobody's code is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from steady_mp.errors import CorruptChannel, SteadyError
from steady_mp.memory import layout
from steady_mp.standin import bounded, unpickle

if TYPE_CHECKING:
    from steady_mp.channel.ring import Ring
    from steady_mp.memory.control import Cursor

#: Most characters that are shown of one message.
LONGEST: Final = 200


class Piece(NamedTuple):
    """A record that was copied out of the ring: the kind, the number of its first message, its bytes."""

    kind: int
    first: int
    payload: bytes


def record_of(ring: Ring, cursor: Cursor, position: int) -> Piece:
    """Copy the record that has message number `position`, going from the committed cursor of the consumer.

    Only while the consumer does not run, so that nothing is freed meanwhile. Raises CorruptChannel where it is not
    there.
    """
    place, following, tail = cursor.position, ring.first_at(cursor.position), ring.words[layout.TAIL]
    while following <= position < tail:
        record = ring.read(place, following)
        if position < following + record.messages:
            return Piece(record.kind, following, bytes(record.payload))
        if not record.messages:
            break
        place, following = record.end, following + record.messages
    message = f"channel {ring.name!r} has no message {position}: there are {cursor.messages} to {tail}"
    raise CorruptChannel(message)


def values_in(piece: Piece) -> list[Any]:
    """Return the messages of a record, with stand-ins for what is no plain data; one that can't be read says so."""
    try:
        if piece.kind == layout.RECORD_OBJECT:
            return [unpickle(piece.payload)]
        if piece.kind == layout.RECORD_BATCH:
            return list(unpickle(piece.payload))
        return memoryview(piece.payload).cast("q" if piece.kind == layout.RECORD_INTS else "d").tolist()
    except SteadyError as error:
        return [error]


def shown(ring: Ring, cursor: Cursor, position: int, most: int = LONGEST) -> str:
    """Return the repr of message number `position` in one line of at most `most` characters, or why there is none."""
    try:
        piece = record_of(ring, cursor, position)
        values = values_in(piece)
        return bounded(values[min(position - piece.first, len(values) - 1)], most)
    except (SteadyError, LookupError, ValueError) as error:
        return bounded(error, most)
