"""The source of the performant pipeline: all numbers, half a lane a turn."""

import numpy as np

from actors.generator import GeneratorState
from actors.performant.codes import Numbers
from steady_mp import Actor, LaneTx, SteadyState


def run(actor: Actor, numbers: LaneTx[int], state: SteadyState[GeneratorState]) -> None:
    """Send 0, 1, 2, … for as long as the graph runs; backpressure sets the pace."""
    following = state.acquire(GeneratorState)
    half = max(1, numbers.capacity // 2)
    ramp = np.arange(half, dtype=np.uint64)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_vacant(half)):
            for view in numbers.poke_slice(half):
                fill(numbers.as_array(view), ramp, following.value)
                numbers.advance_send(len(view))
                following.value += len(view)


def fill(slots: Numbers, ramp: Numbers, first: int) -> None:
    """Write the numbers from `first` on. A function, so that no array of a view outlives it."""
    np.add(ramp[: len(slots)], np.uint64(first), out=slots)
