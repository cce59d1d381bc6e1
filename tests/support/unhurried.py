"""A source of which the fork server, which loads this, lets a spare take all the time it needs for its answer.

On a loaded machine the usual 20 ms are not always enough, and then a life is forked: rightly, but a test that wants
to see the spare taken would see that.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from steady_mp.supervisor import spare
from tests.support import pipeline

if TYPE_CHECKING:
    from steady_mp import Actor, SteadyState, Tx

if "STEADY_MP_RUN" in os.environ:  # not in the test's own process
    spare._ANSWER = 30.0  # type: ignore[misc]


def source(actor: Actor, out: Tx[int], total: int, burst: int, state: SteadyState[pipeline.SourceState]) -> None:
    """See `pipeline.source`."""
    pipeline.source(actor, out, total, burst, state)
