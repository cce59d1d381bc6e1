"""Flow: what passes through a graph that anybody wrote, seen from outside while it runs."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Final

from steady_mp import Graph
from steady_mp.cli.target import load_target
from steady_mp.telemetry.sampler import Sampler

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Seconds between two looks.
_LOOK: Final = 0.01
#: Seconds that pass before the count begins: every actor has found its pace by then.
_SETTLE: Final = 0.5
#: Share of the busiest channel's messages from which a channel belongs to the flow, and not to what controls it.
_BESIDE: Final = 0.01


def through(before: Sequence[int], after: Sequence[int]) -> int:
    """Return what has passed through all of the flow, from what each channel's receiver had taken before and after."""
    moved = [late - early for early, late in zip(before, after, strict=True)]
    return min(one for one in moved if one >= max(moved) * _BESIDE)


def flow(target: str, seconds: float, patience: float) -> float:
    """Run `target` with the defaults of its options; return messages a second through all of its actors.

    The graph is stopped when the time is over. Raises RuntimeError when it has ended before, and TimeoutError
    when nothing passes.
    """
    found = load_target(target)
    graph = Graph("flow", log_level="error")
    found.build(*((graph,) if found.args is None else (graph, found.args())))
    with graph.start(output=io.StringIO()) as run:
        sampler = Sampler(run.directory)
        try:
            begin, before = _taken(sampler, 0.0)
            deadline = begin + patience
            while not min(before):
                if begin > deadline:
                    message = f"{target}: no message in {patience:g} s"
                    raise TimeoutError(message)
                begin, before = _taken(sampler, _LOOK)
            begin, before = _taken(sampler, _SETTLE)
            end, after = _taken(sampler, seconds)
        finally:
            sampler.close()
        if not all(run.pid(actor) for actor in run.actors):
            message = f"{target} had ended before {seconds:g} s were over"
            raise RuntimeError(message)
        run.stop_now()
    return through(before, after) / (end - begin)


def _taken(sampler: Sampler, pause: float) -> tuple[float, list[int]]:
    time.sleep(pause)
    now = time.perf_counter()
    return now, [channel.taken for channel in sampler.sample().channels]
