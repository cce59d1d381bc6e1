"""The middle of the pipeline: turns numbers into words, at the pace of the heartbeat."""

from dataclasses import dataclass

from actors.fizzbuzz import FizzBuzz, fizzbuzz
from steady_mp import Actor, Rx, SteadyState, Tx


@dataclass
class WorkerState:
    """How many beats were taken, and how many messages were sent."""

    beats: int = 0
    messages: int = 0


def run(actor: Actor, beats: Rx[int], numbers: Rx[int], results: Tx[FizzBuzz], state: SteadyState[WorkerState]) -> None:
    """Wait for a beat, a number and room; then turn all numbers that are there, at most what fits."""
    done = state.acquire(WorkerState)
    while actor.is_running():
        clean = actor.await_for_all(beats.wait_avail(1), numbers.wait_avail(1), results.wait_vacant(1))
        # One beat a turn while the graph runs. In a shutdown all that are there: no number waits for them any more,
        # and a beat left behind would keep its channel from ever being empty.
        done.beats += len(beats.take_slice(1 if clean else beats.avail()))
        for _ in range(min(numbers.avail(), results.vacant())):
            results.send(fizzbuzz(numbers.take()))
            done.messages += 1
