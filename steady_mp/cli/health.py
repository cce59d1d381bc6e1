"""`steady-mp health`: an exit status for a probe, and the reason with the actor's name."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from steady_mp.cli.runs import Opened, find_run
from steady_mp.cli.view import printable, show, show_json
from steady_mp.errors import ConfigurationError, ExitCode
from steady_mp.memory.status import UNREADABLE
from steady_mp.telemetry.board import Board
from steady_mp.telemetry.sampler import Sampler

if TYPE_CHECKING:
    from pathlib import Path

    from steady_mp.telemetry.sampler import ActorSample, Sample

#: Seconds between two looks at an actor that may be stuck.
_PAUSE: Final = 0.1


def health(which: str | None, *, stall: float | None, as_json: bool) -> int:
    """Look whether the run can be relied on; 0 when it can, else 1.

    Returns at once, unless an actor is in its own code: then it is looked at until it has come to the end of a
    turn, or has not for `stall` seconds (None: its own `stall_timeout`, or 10).
    """
    try:
        directory = find_run(which)
        with Opened(directory) as run:
            graph = run.plan.graph
        reasons = look(directory, stall)
    except ConfigurationError as error:
        graph, reasons = which or "", [str(error)]
    except UNREADABLE as error:
        reasons = [f"{directory} can't be read as a run: {error}"]
    if as_json:
        show_json({"graph": graph, "healthy": not reasons, "reasons": reasons})
    elif reasons:
        show(*[printable(reason) for reason in reasons])
    else:
        show(f"{printable(graph)} is healthy: every actor works, waits for work, or has finished")
    return ExitCode.UNCLEAN if reasons else ExitCode.DRAINED


def look(directory: Path, stall: float | None) -> list[str]:
    """Return why the run can't be relied on; empty when it can. Blocks for `stall` seconds at most.

    Raises one of `UNREADABLE` where the files are not those of a run.
    """
    sampler = Sampler(directory)
    pause = threading.Event()
    board = Board(sampler.plan, stall)
    try:
        first = sample = sampler.sample()
        while True:
            board.update(sample)
            if reasons := board.not_ready():
                return reasons
            # A cycle in which everybody waits for room is a deadlock when nothing has moved at the second look.
            undecided = sample.cycles and sample is first
            if not undecided and not _is_anybody_busy(board, first, sample):
                return []
            pause.wait(_PAUSE)  # who is busy comes to the end of a turn, or is stuck in the end
            sample = sampler.sample()
    finally:
        sampler.close()


def _is_anybody_busy(board: Board, first: Sample, now: Sample) -> bool:
    """Tell whether an actor in its own code was not seen to end a turn, nor to wait, since the first look."""
    return any(
        meter.state == "running" and _progress(before) == _progress(after)
        for meter, before, after in zip(board.actors, first.actors, now.actors, strict=True)
    )


def _progress(sample: ActorSample) -> tuple[int, ...]:
    return sample.pid, sample.generation, sample.turns, sample.parks, sample.commits
