"""A link: channels under test, with an actor at either end that the test commits, kills and revives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from steady_mp.testing.rig import Rig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from steady_mp.channel.endpoints import Rx, Tx

_ALL = 1 << 20


class Link:
    """A source and a sink on a rig, with one channel between them or more (`lanes`), all alike.

    Without a `dtype` it links them by object channels. For a kind of your own, give it a rig that makes those.
    """

    def __init__(  # noqa: PLR0913 - keyword only
        self,
        *,
        capacity: int = 8,
        lanes: int = 1,
        ring_bytes: int | None = None,
        dtype: object = None,
        mirror: bool = False,
        rig: Rig | None = None,
    ) -> None:
        """Begin the first lives of both actors; `dtype` and `mirror` are as for `Graph.channel`."""
        self.rig = rig or Rig()
        self.source, self.sink = self.rig.party("source"), self.rig.party("sink")
        self.lanes = [
            self.rig.channel(
                self.source, self.sink, capacity=capacity, ring_bytes=ring_bytes, dtype=dtype, mirror=mirror
            )
            for _ in range(lanes)
        ]
        self.rig.start()

    def tx(self, lane: int = 0) -> Tx[Any]:
        """Return the sending end in the source's present life."""
        return self.source.tx(self.lanes[lane])

    def rx(self, lane: int = 0) -> Rx[Any]:
        """Return the receiving end in the sink's present life."""
        return self.sink.rx(self.lanes[lane])

    def send(self, values: Iterable[Any], lane: int = 0) -> None:
        """Send all of `values` and commit."""
        self.source.send(self.lanes[lane], *values)

    def take(self, count: int = _ALL, lane: int = 0) -> list[Any]:
        """Take what is there, at most `count`, and commit."""
        return self.sink.take(self.lanes[lane], count)

    def close(self, lane: int = 0) -> None:
        """Close the channel at the source, and commit that."""
        self.tx(lane).mark_closed()
        self.source.turn.commit()


class MakeLink(Protocol):
    """What the fixture `make` of a suite has to give."""

    def __call__(self, *, capacity: int = 8, lanes: int = 1) -> Link:
        """Make a link whose channels hold `capacity` messages, and that many small ones in bytes as well."""
