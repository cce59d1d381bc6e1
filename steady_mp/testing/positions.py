"""Positions: where every actor and every channel of a running graph stands, in words."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from steady_mp.memory import layout
from steady_mp.supervisor.seat import Status

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
    try:
        actors = [f"  {seat.name}: {_describe_actor(run, seat)}" for seat in run._supervisor.seats]  # noqa: SLF001
        channels = [
            f"  {plan.name}: {_describe_channel(run, index)}"
            for index, plan in enumerate(run._plan.channels)  # noqa: SLF001
        ]
    except ValueError:  # its memory was unmapped meanwhile
        return f"  {_ENDED}"
    return "\n".join([*actors, *channels])


def _describe_actor(run: Run, seat: Seat) -> str:
    words = seat.control.words
    life = f"life {seat.generation}"
    pid = seat.pid
    if seat.status is not Status.RUNNING or pid is None:
        deaths = f"; died of {', '.join(seat.deaths)}" if seat.deaths else ""
        return f"{seat.status.value}, {life}{deaths}"
    parts = [f"{life} as process {pid}", f"commit {words[layout.EPOCH]}", _phase(run, seat, pid)]
    if refusal := seat.control.refusal:
        parts.append(f"refused to stop: {refusal}")
    return ", ".join(parts)


def _phase(run: Run, seat: Seat, pid: int) -> str:
    words = seat.control.words
    stopped = "stopped (SIGSTOP) " if is_stopped(pid) else ""
    if words[layout.PHASE] == layout.PHASE_STARTING:
        return f"{stopped}starting"
    if words[layout.PHASE] != layout.PHASE_WAITING:
        return f"{stopped}busy in its own code"
    seconds = max(0.0, time.monotonic() - words[layout.WAIT_SINCE_NS] / 1e9)
    return f"{stopped}waiting since {seconds:.1f} s for {' or '.join(_wanted(run, seat)) or _OTHER}"


_OTHER: Final = "a time, a descriptor or a shutdown"


def _wanted(run: Run, seat: Seat) -> list[str]:
    """Say what the thresholds in its channels' headers mean."""
    wanted = []
    for end in seat.plan.ends:
        words = run._channels[end.channel].words  # noqa: SLF001
        name = run._plan.channels[end.channel].name  # noqa: SLF001
        threshold = words[layout.WAKE_HEAD if end.sends else layout.WAKE_TAIL]
        if threshold != layout.NEVER:
            kind = "room" if end.sends else "messages"
            cursor = "taken" if end.sends else "sent"
            wanted.append(f"{kind} in {name} (until {threshold} are {cursor})")
    return wanted


def _describe_channel(run: Run, index: int) -> str:
    words = run._channels[index].words  # noqa: SLF001
    sent, taken = cursors(run, index)
    parts = [
        f"sent {sent}, taken {taken}, in flight {sent - taken} of {words[layout.CH_CAPACITY]}",
        f"bytes {words[layout.TAIL_POS] - words[layout.HEAD_POS]} of {words[layout.CH_RING_BYTES]}",
    ]
    for name in ("WAKE_TAIL", "WAKE_HEAD", "TX_HELD", "TX_STUCK", "RX_HELD"):
        value = words[getattr(layout, name)]
        if value not in {0, layout.NEVER}:
            parts.append(f"{name} {value}")
    parts += ["closed by its producer"] * bool(words[layout.TX_CLOSED])
    parts += ["closed by its consumer"] * bool(words[layout.RX_CLOSED])
    return ", ".join(parts)
