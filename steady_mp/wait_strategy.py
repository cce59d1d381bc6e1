"""How an actor waits: asleep, or for a short while first with its eyes open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from steady_mp.errors import ConfigurationError

#: Seconds beyond which looking is a way to heat the room.
_MOST: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStrategy:
    """What an actor does when it has to wait: look for up to `spin` seconds, then sleep until it is rung.

    A sleeping actor costs nothing and is woken in some tens of microseconds, most of which the kernel takes. One
    that looks sees news in less than one, and keeps a core busy while it looks: each wait costs up to `spin`
    seconds of CPU, also where nothing comes. That pays where answers come back within microseconds and a core is
    free for each actor that waits so; with more of them than cores they take the CPU from those they wait for.

    The default is not to spin. Raises ConfigurationError for a `spin` that is no number from 0 to 0.01 seconds.
    The idea is that of the wait strategies of the LMAX Disruptor.
    """

    spin: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what can't be meant."""
        spin: object = self.spin
        if isinstance(spin, bool) or not isinstance(spin, int | float) or not 0 <= spin <= _MOST:
            message = f"wait_strategy: spin {self.spin!r}: must be a number of seconds from 0 to {_MOST:g}"
            raise ConfigurationError(message)
