"""The inbox of the supervisor's loop: messages that other threads, and signal handlers, put there."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steady_mp.memory.doorbell import Doorbell
    from steady_mp.supervisor.messages import Message


class Inbox:
    """Messages in their order, and a bell that tells of them."""

    def __init__(self, bell: Doorbell) -> None:
        """Ring `bell` for each message."""
        self._bell = bell
        self._posted: deque[Message] = deque()
        # A signal handler may post while its own thread does.
        self._gate = threading.RLock()
        self._deaf = False

    def post(self, message: Message) -> None:
        """Hand the loop a message, from any thread; dropped once the run is over."""
        with self._gate:
            if not self._deaf:
                self._posted.append(message)
                self._bell.ring()

    def take(self) -> list[Message]:
        """Return what was posted, once."""
        messages = []
        while self._posted:
            messages.append(self._posted.popleft())
        return messages

    def close(self) -> None:
        """Hear nothing any more, and close the bell."""
        with self._gate:
            self._deaf = True
            self._bell.close()
