"""A module that forks where it is imported for an actor, and whose child stays, as that of a manager does."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steady_mp import Actor

if "STEADY_MP_RUN" in os.environ and os.fork() == 0:
    signal.pause()


def behave(actor: Actor) -> None:
    """End at once."""
    actor.log.info("it came")
