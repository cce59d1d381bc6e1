"""What chaos does, for those who want to know who did it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from steady_mp.events.actor import ActorDied
from steady_mp.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosBegan(Event):
    """A monkey is loose: `rate` strikes a second, a share `freeze` of them does not kill; `seed` repeats its dice."""

    rate: float
    freeze: float
    seed: int

    @property
    def text(self) -> str:
        """See `Event.text`."""
        frozen = f", {self.freeze:.0%} of them freeze" if self.freeze else ""
        return f"chaos: {self.rate:g} strikes a second{frozen}, seed {self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosKilled(ActorDied):
    """A life that chaos has ended; no failure of the actor's. It is told when the death was seen."""

    level: ClassVar[int] = logging.INFO

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return (
            f"chaos killed {self.actor} in life {self.generation}; "
            f"life {self.generation + 1} goes on from commit {self.commit} at once"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosFroze(Event):
    """Chaos had stopped a life (SIGSTOP) for so many seconds; it is told when that is over."""

    actor: str
    generation: int
    seconds: float

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return f"chaos froze {self.actor} in life {self.generation} for {self.seconds:.2f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosEnded(Event):
    """The monkey keeps still: nobody is frozen by it any more, and every death that it caused was told."""

    @property
    def text(self) -> str:
        """See `Event.text`."""
        return "chaos is over"
