"""What stands in the ring of a channel, record by record."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steady_mp.channel.ring import Record
    from steady_mp.testing.rig import Party


def records(source: Party, channel: int) -> list[Record]:
    """Return what stands in the ring of a channel that nobody has taken from."""
    ring, found, position, following = source.tx(channel)._ring, [], 0, 0
    while following < source.tx(channel).position():
        record = ring.read(position, following)
        found.append(record)
        position, following = record.end, following + record.messages
    return found


def kinds(source: Party, channel: int) -> list[tuple[int, int]]:
    return [(record.kind, record.messages) for record in records(source, channel)]
