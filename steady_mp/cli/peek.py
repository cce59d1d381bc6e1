"""`steady-mp peek`: the next messages of a channel, without taking them.

Read as the consumer reads, from its committed position to the producer's, but with nothing stored. Records behind the
head may be overwritten at any time; those before it can't. So the head is looked at again after each copy, and when it
has passed the record, all of it begins anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from steady_mp.channel.lookup import LONGEST, values_in
from steady_mp.channel.ring import Record, Ring
from steady_mp.channel.slots import Slots
from steady_mp.cli.runs import Opened, find_run
from steady_mp.cli.view import printable, show, show_json, table
from steady_mp.errors import CorruptChannel, ExitCode, SteadyError
from steady_mp.memory import layout
from steady_mp.memory.fence import order
from steady_mp.standin import bounded

if TYPE_CHECKING:
    from steady_mp.channel.store import Store

#: Looks before a channel counts as one that moves faster than it can be read.
_LOOKS: Final = 10_000
#: Most messages that a record can say it has.
_MOST_MESSAGES: Final = 0xFFFF
#: The kind of a piece that is no record.
_ITEMS: Final = -1


class Glimpse(NamedTuple):
    """A channel at one moment: messages taken and sent so far, and copies of the records that hold the next ones."""

    head: int
    tail: int
    pieces: list[Record]


def peek(channel: str, which: str | None, *, count: int, as_json: bool) -> int:
    """Show the next `count` messages; gives the exit status. Raises SteadyError where they can't be read."""
    with Opened(find_run(which, dead=True)) as run:
        index = run.channel(channel)
        plan = run.plan.channels[index]
        store = run.store(index)
        seen = copy(store, count)
        found = unpacked(seen) if isinstance(store, Ring) else list(enumerate(items(store, seen), seen.head))
    messages = [
        {"position": position, "value": bounded(value, LONGEST)}
        for position, value in found
        if seen.head <= position < seen.head + count
    ]
    if as_json:
        show_json(
            {
                "channel": plan.name,
                "sent": seen.tail,
                "taken": seen.head,
                "capacity": plan.capacity,
                "messages": messages,
            }
        )
        return ExitCode.DRAINED
    show(f"{printable(plan.name)}: {seen.tail - seen.head:,} of {plan.capacity:,} in flight, {seen.head:,} taken")
    if messages:
        made = table("position", "message", left=0, long=("message",))
        for message in messages:
            made.add_row(f"{message['position']}", str(message["value"]))
        show(made)
    return ExitCode.DRAINED


def copy(store: Store, count: int, looks: int = _LOOKS) -> Glimpse:
    """Copy what holds the next `count` messages. Raises CorruptChannel, and SteadyError when it never succeeds."""
    problem: CorruptChannel | None = None
    for _ in range(looks):
        try:
            seen = _look_at_slots(store, count) if isinstance(store, Slots) else _look(cast("Ring", store), count)
        except CorruptChannel as error:  # overwritten meanwhile, or really broken: then it is so each time
            problem = error
            continue
        if seen is not None:
            return seen
    if problem is not None:
        raise problem
    raise SteadyError(f"channel {store.name!r} moves faster than it can be read; try again")


def _look(ring: Ring, count: int) -> Glimpse | None:
    """Look once; None when the consumer has moved on meanwhile."""
    words = ring.words
    position = start = words[layout.HEAD_POS]
    order()
    head = words[layout.HEAD]
    order()
    tail = words[layout.TAIL]
    order()
    end = words[layout.TAIL_POS]
    pieces: list[Record] = []
    following = ring.first_at(position) if head < tail and position < end else tail
    # A consumer that stands still in its publish has said where it is, and not yet how far: that lies behind its head.
    if following > tail or (head < tail and head - following > _MOST_MESSAGES):
        raise CorruptChannel(f"channel {ring.name!r}: message {head} is not where it should be")
    while following < min(tail, head + count):
        record = ring.read(position, following)
        pieces.append(record._replace(views=(memoryview(bytes(record.payload)),)))
        position, following = record.end, following + max(1, record.messages)
        order()
        if words[layout.HEAD_POS] != start:
            return None
    return Glimpse(head, tail, pieces) if words[layout.HEAD_POS] == start else None


def _look_at_slots(slots: Slots, count: int) -> Glimpse | None:
    """Look once; None when the consumer has moved on meanwhile, so that the slots may hold other messages."""
    words = slots.words
    head = words[layout.HEAD]
    order()
    tail = words[layout.TAIL]
    order()
    if not 0 <= tail - head <= slots.count:
        raise CorruptChannel(f"channel {slots.name!r}: {tail} messages sent and {head} taken can't be")
    payload = slots.copy(head % slots.count, min(count, tail - head))
    order()
    return (
        Glimpse(head, tail, [Record(_ITEMS, 0, head, (memoryview(payload),), 0, len(payload))])
        if words[layout.HEAD] == head
        else None
    )


def items(store: Store, seen: Glimpse) -> list[Any]:
    """Return the items of the copied slots."""
    return cast("Slots", store).items.unpack(seen.pieces[0].payload)


def unpacked(seen: Glimpse) -> list[tuple[int, Any]]:
    """Return the messages of the copied records with their positions; one that can't be read says so."""
    found: list[tuple[int, Any]] = []
    for record in seen.pieces:
        found += list(enumerate(values_in(record), record.first))
    return found
