"""The source of the performant pipeline: all numbers, half a lane a turn."""

import numpy as np

from actors.generator import GeneratorState
from actors.performant.codes import PIECE, Numbers
from steady_mp import Actor, LaneTx, SteadyState

_RAMP = np.arange(PIECE, dtype=np.uint64)


def run(actor: Actor, numbers: LaneTx[int], state: SteadyState[GeneratorState]) -> None:
    """Send 0, 1, 2, … for as long as the graph runs; backpressure sets the pace."""
    following = state.acquire(GeneratorState)
    half = max(1, numbers.capacity // 2)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_vacant(half)):
            for view in numbers.poke_slice(half):
                fill(numbers.as_array(view), following.value)
                numbers.advance_send(len(view))
                following.value += len(view)


def fill(slots: Numbers, first: int) -> None:
    """Write the numbers from `first` on. A function, so that no array of a view outlives it."""
    for start in range(0, len(slots), PIECE):
        piece = slots[start : start + PIECE]
        np.add(_RAMP[: len(piece)], np.uint64(first + start), out=piece)
