"""A source and a sink with a bytes lane between them, on a rig."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steady_mp.memory.layout import PAGE
from steady_mp.testing.rig import Party, Rig

if TYPE_CHECKING:
    from steady_mp import BytesRx, BytesTx


class Lane:
    """A source and a sink with a bytes lane between them."""

    def __init__(self, *, capacity: int = 64, ring_bytes: int = PAGE, grouped: bool = False) -> None:
        self.rig = Rig()
        self.source: Party = self.rig.party("source", grouped=grouped)
        self.sink: Party = self.rig.party("sink", grouped=grouped)
        self.channel = self.rig.channel(self.source, self.sink, capacity=capacity, ring_bytes=ring_bytes, dtype=bytes)
        self.rig.start()

    @property
    def tx(self) -> BytesTx:
        end: Any = self.source.tx(self.channel)
        return end  # type: ignore[no-any-return]

    @property
    def rx(self) -> BytesRx:
        end: Any = self.sink.rx(self.channel)
        return end  # type: ignore[no-any-return]

    def send(self, *values: Any) -> None:
        self.source.send(self.channel, *values)

    def take(self, count: int = 1 << 20) -> list[bytes]:
        return self.sink.take(self.channel, count)

    def put(self, data: bytes) -> None:
        """Write a message in place, and stage it."""
        self.tx.poke(len(data))[:] = data
        self.tx.advance_send(1)

    @property
    def data(self) -> memoryview:
        return self.rig.mappings[self.channel].data
