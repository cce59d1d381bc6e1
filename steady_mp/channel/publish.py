"""Publishing: a committed cursor is copied into the channel's header, where the peer looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady_mp.memory import layout
from steady_mp.memory.fence import order

if TYPE_CHECKING:
    from steady_mp.memory.control import Cursor


def publish_tx(words: memoryview, cursor: Cursor) -> None:
    """Copy a producer's committed cursor into the channel header; repeating it changes nothing."""
    words[layout.TAIL_POS] = cursor.position
    words[layout.TAIL] = cursor.messages
    order()
    words[layout.TX_CLOSED] = cursor.closed


def publish_rx(words: memoryview, cursor: Cursor) -> None:
    """Copy a consumer's committed cursor into the channel header; repeating it changes nothing."""
    words[layout.HEAD_POS] = cursor.position
    order()
    words[layout.HEAD] = cursor.messages
    words[layout.RX_CLOSED] = cursor.closed & 1
