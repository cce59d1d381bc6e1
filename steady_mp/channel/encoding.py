"""How values become bytes, and how many bytes at most before they have.

Values that can't change after send are staged as they are and written as one batch: ints of 64 bits
or floats alone as an array, mixed ones pickled as a list. Anything else is pickled in send.
"""

from __future__ import annotations

import pickle
from typing import Final

from steady_mp.errors import MessageTooLarge, NotPicklable
from steady_mp.memory import layout

#: Most bytes of a batch that a number, a bool or None takes; a short text takes four a letter more.
ATOM: Final = 16
#: Most bytes that a batch takes beside its atoms.
BATCH_OVERHEAD: Final = 64
IMMUTABLE: Final = frozenset({int, float, bool, type(None), str, bytes})
#: The kinds of values that have an array: its code, and the kind of its records.
ARRAYS: Final = {int: ("q", layout.RECORD_INTS), float: ("d", layout.RECORD_FLOATS)}
PROTOCOL: Final = pickle.HIGHEST_PROTOCOL

_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 63) - 1
_FIXED: Final = frozenset({float, bool, type(None)})
_SHORT: Final = 256


def is_number(value: object) -> bool:
    """Tell whether `value` takes at most ATOM bytes of any batch."""
    kind = type(value)
    return kind in _FIXED or (kind is int and _LEAST <= value <= _MOST)  # type: ignore[operator]


def encode(value: object, channel: str, ring_bytes: int) -> tuple[bytes | None, int]:
    """Pickle `value` unless it can wait for the batch; tell how many bytes it needs.

    Raises NotPicklable and MessageTooLarge, naming the channel.
    """
    if is_number(value):
        return None, ATOM + BATCH_OVERHEAD
    kind = type(value)
    if (kind is str or kind is bytes) and len(value) <= _SHORT:  # type: ignore[arg-type]
        return None, ATOM + BATCH_OVERHEAD + 4 * len(value)  # type: ignore[arg-type]
    try:
        payload = pickle.dumps(value, PROTOCOL)
    except Exception as error:
        message = f"channel {channel!r}: a {kind.__name__} can't be pickled: {error}"
        raise NotPicklable(message) from error
    need = layout.record_bytes(len(payload))
    if need > ring_bytes:
        message = (
            f"channel {channel!r}: a {kind.__name__} of {len(payload)} pickled bytes exceeds the ring of "
            f"{ring_bytes} bytes; give the channel a larger ring_bytes"
        )
        raise MessageTooLarge(message)
    return payload, need
