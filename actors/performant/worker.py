"""The middle of the performant pipeline: turns numbers into codes, from one ring straight into the other."""

from actors.performant.codes import encode
from actors.worker import WorkerState
from steady_mp import Actor, LaneRx, LaneTx, Rx, SteadyState, all_of


def run(
    actor: Actor, beats: Rx[int], numbers: LaneRx[int], results: LaneTx[int], state: SteadyState[WorkerState]
) -> None:
    """Take the beats as they come, and meanwhile turn half a lane of numbers at a time; in a shutdown what is left."""
    done = state.acquire(WorkerState)
    half = max(1, numbers.capacity // 2)
    plenty = all_of(numbers.wait_avail(half), results.wait_vacant(half))
    while actor.is_running():
        clean = actor.await_for_any(beats.wait_avail(1), plenty)
        done.beats += len(beats.take_slice(beats.avail()))
        if plenty.holds() or not clean:
            done.messages += turn(numbers, results, half)


def turn(numbers: LaneRx[int], results: LaneTx[int], most: int) -> int:
    """Turn what is there and fits, at most `most`; return how many. Behind it no array of a view is left."""
    turned = 0
    for room in results.poke_slice(min(most, numbers.avail())):
        free = results.as_array(room)
        while len(free):
            there = numbers.as_array(numbers.peek_slice(len(free))[0])
            encode(there, free[: len(there)])
            numbers.advance_take(len(there))
            free = free[len(there) :]
        results.advance_send(len(room))
        turned += len(room)
    return turned
