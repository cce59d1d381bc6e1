"""What happens to a message that its receiver keeps dying over."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from steady_mp.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePutAside(Event):
    """An actor kept dying with a message in hand, so it is passed over; `policy` says what became of it."""

    level: ClassVar[int] = logging.ERROR
    actor: str
    channel: str
    position: int
    deaths: int
    cause: str
    policy: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        what = {
            "skip": "it is dropped, as the channel's policy says",
            "replay": "it goes back to the dead letters",
        }.get(self.policy, "it is put aside (steady-mp dead-letters show)")
        when = f"in hand at {self.deaths} deaths in a row" if self.deaths else "to be skipped"
        cause = self.cause.partition("\n")[0]
        why = f" ({cause})" if cause else ""
        return f"{self.actor}: message {self.position} of {self.channel} was {when}{why}; {what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowstopperMet(Event):
    """The graph stops over a message that its receiver keeps dying with, because the channel's policy is to stop."""

    level: ClassVar[int] = logging.ERROR
    actor: str
    reason: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersReplayed(Event):
    """Dead letters have been delivered after all, and their receiver has committed it."""

    actor: str
    channel: str
    letters: int

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"{self.actor} has taken {self.letters} dead letters of {self.channel} that were replayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersLeft(Event):
    """The run is over and has dead letters that nobody has replayed."""

    level: ClassVar[int] = logging.WARNING
    letters: int
    place: str

    @property
    def text(self) -> str:
        """See `Event.text`."""
        what = "1 dead letter is" if self.letters == 1 else f"{self.letters} dead letters are"
        return f"{what} left: {self.place} (steady-mp dead-letters list)"
