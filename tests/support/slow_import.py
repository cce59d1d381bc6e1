"""A module that blocks where it is imported for an actor."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steady_mp import Actor

if "STEADY_MP_RUN" in os.environ:
    print("importing", flush=True)  # noqa: T201 - the test waits for it
    signal.pause()


def behave(actor: Actor) -> None:
    """Never reached."""
    actor.log.info("it came")
