"""Three actors in a row on bytes lanes, which send and take in every way that there is; each message is its number's.

source → middle → sink. Each keeps how many messages it had, a checksum that depends on their order, and the first
wrong one.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from steady_mp import Actor, BytesRx, BytesTx, Graph, RestartPolicy, SendOutcome, SteadyState

if TYPE_CHECKING:
    from collections.abc import Sequence

_NOISE = random.Random(12).randbytes(1 << 16)
_UNTIRING = RestartPolicy(threshold=float("inf"), backoff=0.0, max_backoff=0.0)


def parcel(number: int, longest: int) -> bytes:
    """Return the message of a number: mostly short, one in nine maybe longer than what shares a record."""
    size = (number * 7919 % 61, number * 37 % 700, number * 7919 % longest)[2 if number % 9 == 0 else number % 5 > 2]
    start = number % 1000
    return number.to_bytes(4, "little") + _NOISE[start : start + size]


@dataclass
class Ledger:
    count: int = 0
    checksum: int = 0
    wrong: int = -1

    def enter(self, data: bytes | memoryview, longest: int) -> None:
        if self.wrong < 0 and data != parcel(self.count, longest):
            self.wrong = self.count
        self.checksum = zlib.crc32(data, self.checksum)
        self.count += 1


def _put(out: BytesTx, data: bytes) -> None:
    view = out.poke(len(data) + 9)
    view[: len(data)] = data
    out.advance_send(size=len(data))


def source(actor: Actor, out: BytesTx, total: int, longest: int, state: SteadyState[Ledger]) -> None:
    """Send one message, some, or a slice; in place now and then, waiting for room now before the turn and now in it."""
    sent = state.acquire(Ledger)
    while actor.is_running() and sent.count < total:
        length = min(1 + sent.count * 5 % 8, total - sent.count)
        if sent.count % 3:
            actor.await_for_all(out.wait_vacant(length))
        batch = [parcel(sent.count + n, longest) for n in range(length)]
        if sent.count % 4 == 0:
            out.send_slice(batch)
        else:
            for data in batch:
                if len(data) % 3 == 0:
                    _put(out, data)
                elif len(data) % 3 == 1:
                    out.send(data)
                elif out.try_send(data) is not SendOutcome.SENT:
                    out.send(bytearray(data))
        for data in batch:
            sent.enter(data, longest)


def middle(actor: Actor, parcels: BytesRx, out: BytesTx, longest: int, state: SteadyState[Ledger]) -> None:
    """Pass on one message from ring to ring, some, or all there are."""
    passed = state.acquire(Ledger)
    while actor.is_running():
        if not actor.await_for_all(parcels.wait_avail(1), out.wait_vacant(1)) and not parcels.avail():
            continue
        if passed.count % 5 == 0:
            batch: Sequence[bytes] = parcels.take_slice(min(parcels.avail(), out.vacant(), 8))
            for data in batch:
                passed.enter(data, longest)
            out.send_slice(batch)
        else:
            for _ in range(min(1 + passed.count % 4, parcels.avail(), out.vacant())):
                view = parcels.peek()
                passed.enter(view, longest)
                if (room := out.try_poke(len(view))) is not None:
                    room[:] = view
                    out.advance_send()
                else:
                    out.send(view)
                parcels.advance_take()


def sink(actor: Actor, parcels: BytesRx, longest: int, state: SteadyState[Ledger]) -> None:
    """Look at one message and take it, take two with a wait between them, or all there are."""
    arrived = state.acquire(Ledger)
    while actor.is_running():
        if arrived.count % 7 == 0:
            arrived.enter(parcels.take(), longest)
            arrived.enter(parcels.take(), longest)
        elif arrived.count % 7 < 4:
            arrived.enter(parcels.peek(), longest)
            parcels.advance_take(1)
        else:
            actor.await_for_all(parcels.wait_avail(1))
            for data in parcels.take_slice(1 + arrived.count % 16):
                arrived.enter(data, longest)


def build(total: int) -> Graph:
    """Build a graph of the three."""
    graph = Graph("parcels", log_level="error", shutdown_timeout=30.0)
    declare(graph, total)
    return graph


def declare(graph: Graph, total: int, *, capacity: int = 16, ring_bytes: int = 1 << 16) -> None:
    """Declare the three."""
    longest = min(20_000, ring_bytes // 4)
    first = graph.channel(capacity, name="first", ring_bytes=ring_bytes, dtype=bytes)
    second = graph.channel(capacity, name="second", ring_bytes=ring_bytes, dtype=bytes)
    graph.actor("source", source, first[0], total, longest, graph.state(), restart=_UNTIRING)
    graph.actor("middle", middle, first[1], second[0], longest, graph.state(), restart=_UNTIRING)
    graph.actor("sink", sink, second[1], longest, graph.state(), restart=_UNTIRING)


def checksum(total: int, longest: int) -> int:
    value = 0
    for number in range(total):
        value = zlib.crc32(parcel(number, longest), value)
    return value


def faults(states: dict[str, Any], total: int, *, ring_bytes: int = 1 << 16) -> list[str]:
    """Say what is wrong with the final states; nothing if all is exact."""
    expected = Ledger(total, checksum(total, min(20_000, ring_bytes // 4)))
    ledgers = {name: state if isinstance(state, Ledger) else Ledger(**state) for name, state in states.items()}
    return [f"{name}: {ledger}" for name, ledger in ledgers.items() if ledger != expected]
