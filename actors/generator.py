"""The source of the pipeline: all numbers, as fast as the channel takes them."""

from dataclasses import dataclass

from steady_mp import Actor, SteadyState, Tx


@dataclass
class GeneratorState:
    """`value` is the next number to send."""

    value: int = 0


def run(actor: Actor, numbers: Tx[int], state: SteadyState[GeneratorState]) -> None:
    """Send 0, 1, 2, … for as long as the graph runs; backpressure sets the pace."""
    following = state.acquire(GeneratorState)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_vacant(1)):
            numbers.send(following.value)
            following.value += 1
