"""Slices: many messages in one call, as few records as there is room for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from steady_mp.channel.encoding import SHORT_BYTES, encode_kinds, encode_shorts, encode_slice
from steady_mp.memory import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steady_mp.channel.encoding import Encoded


class Slicing(Protocol):
    """What a sending end has to know."""

    def vacant(self) -> int:
        """Messages that can be sent before the channel is full."""

    def has_room(self, count: int) -> bool:
        """Tell whether `count` more messages fit, by number; False once closed."""

    def send(self, value: Any, /) -> None:  # noqa: ANN401 - any message
        """Stage one message; blocks while there is no room for it."""

    def send_together(self, encoded: Encoded, count: int) -> bool:
        """Stage several messages as one record, if there is room for it now; tell whether there was."""


def send_slice(tx: Slicing, values: Sequence[Any]) -> None:
    """Send all of `values` in order, together where they can't change any more and there is room."""
    total = len(values)
    encode = encode_slice
    if type(values) is list and total <= layout.RECORD_MAX_COUNT and tx.has_room(total):
        shorts = encode_shorts(values)  # written in one step, it is as of one moment without a copy
        if shorts is None:
            encode = encode_kinds
        elif len(shorts[1][0]) == total * SHORT_BYTES and tx.send_together(shorts, total):
            return
    _send_in_parts(tx, tuple(values), encode)  # as of one moment: another thread may add to it


def _send_in_parts(tx: Slicing, values: tuple[Any, ...], encode: Callable[[tuple[Any, ...]], Encoded | None]) -> None:
    """Send `values` in as few records as there is room for."""
    done, total = 0, len(values)
    most = layout.RECORD_MAX_COUNT
    while done < total:
        count = total - done
        if count > most:  # noqa: PLR1730 - min() costs as much as all else here that is not the encoding
            count = most
        if not tx.has_room(count):
            count = min(count, tx.vacant())
        if count > 1:
            chunk = values if count == total else values[done : done + count]
            encoded = encode(chunk)
            if encoded is None:
                for value in chunk:
                    tx.send(value)
            elif tx.send_together(encoded, count):
                most = min(2 * most, layout.RECORD_MAX_COUNT)
            else:  # more bytes than there is room for: no use in encoding the same again and again
                most = count // 2
                continue
            done += count
        else:
            tx.send(values[done])
            done += 1
            most = max(most, 2)
