"""Publishing: a committed cursor is copied into the channel's header, where the peer looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady_mp.memory import layout
from steady_mp.memory.fence import ORDERED, fence

if TYPE_CHECKING:
    from steady_mp.memory.control import CursorWords


def publish_tx(words: memoryview, cursor: CursorWords) -> None:
    """Copy a producer's committed cursor into the channel header; repeating it changes nothing."""
    messages, position, closed = cursor
    words[layout.TAIL_POS] = position
    words[layout.TAIL] = messages
    if not ORDERED:
        fence()
    words[layout.TX_CLOSED] = closed


def publish_rx(words: memoryview, cursor: CursorWords) -> None:
    """Copy a consumer's committed cursor into the channel header; repeating it changes nothing."""
    messages, position, closed = cursor
    words[layout.HEAD_POS] = position
    if not ORDERED:
        fence()
    words[layout.HEAD] = messages
    words[layout.RX_CLOSED] = closed & 1
