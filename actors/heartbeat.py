"""The clock of the pipeline: a beat in every period, and after the last one the end of the run."""

from dataclasses import dataclass

from steady_mp import Actor, SteadyState, Tx


@dataclass
class HeartbeatState:
    """Survives every restart: `beats` is what all lives together have sent."""

    beats: int = 0


def run(actor: Actor, beats: Tx[int], period: float, total: int, state: SteadyState[HeartbeatState]) -> None:
    """Send 0, 1, 2, … one every `period` seconds when there is room, `total` of them, and then stop the graph."""
    sent = state.acquire(HeartbeatState)
    while actor.is_running():
        if sent.beats >= total:
            # Reached again by a life that starts after the last beat was committed: asking twice changes nothing,
            # not asking at all would leave a graph that nobody stops.
            actor.request_shutdown()
            actor.await_for_all(actor.wait_shutdown())
        elif actor.await_for_all(actor.wait_periodic(period), beats.wait_vacant(1)):
            beats.send(sent.beats)
            actor.log.info("Beat %d", sent.beats)
            sent.beats += 1
