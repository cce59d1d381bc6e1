"""The sink of the performant pipeline: counts each kind, and logs the totals as its last line."""

from actors.logger import LoggerState
from actors.performant.codes import BUZZ, FIZZ, FIZZBUZZ, Codes, count
from steady_mp import Actor, LaneRx, SteadyState


def run(actor: Actor, results: LaneRx[int], state: SteadyState[LoggerState]) -> None:
    """Count half a lane of results a turn, until nothing more can come; then what is left."""
    totals = state.acquire(LoggerState)
    half = max(1, results.capacity // 2)
    while actor.is_running():
        actor.await_for_all(results.wait_avail(half))
        for view in results.peek_slice(half):
            add(totals, results.as_array(view))
            results.advance_take(len(view))
    actor.log.info("Totals: %s", totals)


def add(totals: LoggerState, codes: Codes) -> None:
    """Count each kind."""
    fizz, buzz, fizzbuzz = (count(codes, code) for code in (FIZZ, BUZZ, FIZZBUZZ))
    totals.fizz += fizz
    totals.buzz += buzz
    totals.fizzbuzz += fizzbuzz
    totals.value += len(codes) - fizz - buzz - fizzbuzz
