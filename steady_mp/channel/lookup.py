"""One message by its position, read out of a ring where it lies. Nothing is stored, and nobody's code is run."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, cast

from steady_mp.channel.decoding import apart, decode
from steady_mp.channel.slots import Slots
from steady_mp.errors import CorruptChannel, SteadyError
from steady_mp.memory import layout
from steady_mp.standin import bounded, unpickle

if TYPE_CHECKING:
    from steady_mp.channel.ring import Record, Ring
    from steady_mp.channel.store import Store
    from steady_mp.memory.control import Cursor

#: Most characters that are shown of one message.
LONGEST: Final = 200
#: Bytes of a message from which on only its size is told: to show it would take several times as much memory.
_MOST: Final = 1 << 20


def record_of(ring: Ring, cursor: Cursor, position: int) -> Record:
    """Copy the record that has message number `position`: see `_find`."""
    record = _find(ring, cursor, position)
    return record._replace(views=(memoryview(bytes(record.payload)),))


def _find(ring: Ring, cursor: Cursor, position: int) -> Record:
    """Return the record that has message number `position`, going from the committed cursor of the consumer.

    Only while the consumer does not run, so that nothing is freed meanwhile. Raises CorruptChannel where it is not
    there.
    """
    place, following, tail = cursor.position, ring.first_at(cursor.position), ring.words[layout.TAIL]
    while following <= position < tail:
        record = ring.read(place, following)
        if position < following + record.messages:
            return record
        if not record.messages and record.end <= place:
            break
        place, following = record.end, following + record.messages
    message = f"channel {ring.name!r} has no message {position}: there are {cursor.messages} to {tail}"
    raise CorruptChannel(message)


def leads_on(ring: Ring, taken: Cursor, sent: Cursor) -> bool:
    """Tell whether the records of a ring lead from one committed cursor to the other, where nobody writes them."""
    if taken.position == sent.position:
        return taken.messages == sent.messages
    if taken.position % layout.RECORD_ALIGN:  # no record begins there, nor need a header's bytes be left
        return False
    place, following = taken.position, ring.first_at(taken.position)
    if following > taken.messages:
        return False
    while place < sent.position:
        length, _, count, first = ring.header(place)
        if first != following:
            return False
        place, following = place + layout.record_bytes(length), following + count
    return (place, following) == (sent.position, sent.messages)


def values_in(record: Record) -> list[Any]:
    """Return the messages of a record, with stand-ins for what is no plain data; one that can't be read says so."""
    try:
        if record.kind == layout.RECORD_PICKLES:
            return [value for each in apart(record) for value in values_in(each)]
        values: Any = decode(record, unpickle)
    except SteadyError as error:
        return [error]
    except (struct.error, TypeError, ValueError, MemoryError) as error:  # a table that tells nonsense
        return [SteadyError(f"a record that can't be read: {error}")]
    if not isinstance(values, list) or len(values) != record.messages:
        return [SteadyError(f"a record that can't be read: it holds other than {record.messages} messages")]
    return values


def shown(store: Store, cursor: Cursor, position: int) -> str:
    """Return the repr of message number `position` in one line of at most LONGEST characters, or why there is none."""
    try:
        if isinstance(store, Slots):
            return bounded(store.read(position % store.count, 1)[0], LONGEST)
        record = _find(cast("Ring", store), cursor, position)
        if record.length > _MOST * record.messages:
            return f"a message of {record.length // record.messages:,} bytes"
        values = values_in(record)
        return bounded(values[min(position - record.first, len(values) - 1)], LONGEST)
    except Exception as error:  # noqa: BLE001 - a message may be anything, and who looks at it must not die of that
        return bounded(error, LONGEST)
