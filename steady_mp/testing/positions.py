"""Positions: where every actor and every channel of a running graph stands, in words."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from steady_mp.memory import layout
from steady_mp.supervisor.seat import Status
from steady_mp.whereabouts import Shared, describe_channel, describe_phase

if TYPE_CHECKING:
    from steady_mp import Run
    from steady_mp.supervisor.seat import Seat

_COUNTERS: Final = ("TURNS", "PARKS", "RESCUES", "EARLY_COMMITS", "PHASE", "EPOCH", "UNGROUPED")
_ENDED: Final = "the run has ended"


def counters(run: Run) -> dict[str, dict[str, int]]:
    """Read the words that each actor keeps about itself. Raises ValueError once the run has ended."""
    return {
        seat.name: {name: seat.control.words[getattr(layout, name)] for name in _COUNTERS}
        for seat in run._supervisor.seats  # noqa: SLF001 - what nobody but a test looks at
    }


def cursors(run: Run, index: int) -> tuple[int, int]:
    """Return how many messages of a channel were sent and taken. Raises ValueError once the run has ended."""
    words = run._channels[index].words  # noqa: SLF001
    taken = words[layout.HEAD]  # first: the tail is only ever ahead of it
    return words[layout.TAIL], taken


def wants_room(run: Run, index: int, head: int) -> bool:
    """Tell whether the producer of a channel sleeps until no more than all before `head` is taken."""
    words = run._channels[index].words  # noqa: SLF001
    wanted = words[layout.WAKE_HEAD]  # first: once it is awake, the head is behind that
    return words[layout.HEAD] < wanted <= head


def is_stopped(pid: int) -> bool:
    """Tell whether a process is stopped (SIGSTOP) with all of its threads: none of them runs on."""
    tasks = Path(f"/proc/{pid}/task")
    try:
        states = [(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks.iterdir()]
    except (OSError, IndexError):
        with contextlib.suppress(psutil.Error):
            return not tasks.exists() and psutil.Process(pid).status() == psutil.STATUS_STOPPED
        return False
    return bool(states) and all(state in {"T", "t"} for state in states)


def describe(run: Run) -> str:
    """Say where everybody stands: each actor with what it waits for, each channel with all of its cursors."""
    plan, seats = run._plan, run._supervisor.seats  # noqa: SLF001
    shared = Shared(plan, [seat.control for seat in seats], [mapping.words for mapping in run._channels])  # noqa: SLF001
    try:
        actors = [f"  {seat.name}: {_describe_actor(shared, seat)}" for seat in seats]
        channels = [f"  {each.name}: {describe_channel(shared, index)}" for index, each in enumerate(plan.channels)]
    except ValueError:  # its memory was unmapped meanwhile
        return f"  {_ENDED}"
    return "\n".join([*actors, *channels])


def _describe_actor(shared: Shared, seat: Seat) -> str:
    life = f"life {seat.generation}"
    pid = seat.pid
    if seat.status is not Status.RUNNING or pid is None:
        deaths = f"; died of {', '.join(seat.deaths)}" if seat.deaths else ""
        return f"{seat.status.value}, {life}{deaths}"
    stopped = "stopped (SIGSTOP) " if is_stopped(pid) else ""
    phase = stopped + describe_phase(shared, seat.index, time.monotonic())
    parts = [f"{life} as process {pid}", f"commit {seat.control.epoch}", phase]
    if refusal := seat.control.refusal:
        parts.append(f"refused to stop: {refusal}")
    return ", ".join(parts)
