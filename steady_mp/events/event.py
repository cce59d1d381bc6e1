"""The base of all events."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events: one sentence, and how important it is."""

    level: ClassVar[int] = logging.INFO

    @property
    def text(self) -> str:
        """The event as one sentence."""
        return type(self).__name__
