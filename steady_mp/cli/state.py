"""`steady-mp state`: what an actor last committed, without stopping or touching it."""

from __future__ import annotations

from typing import Any

from steady_mp.cli.runs import Found, Opened, find_run, last_state
from steady_mp.cli.view import json_text, printable, show, show_json
from steady_mp.errors import ExitCode, StateError
from steady_mp.memory.committed import read_committed
from steady_mp.plan import actor_file
from steady_mp.standin import read_snapshot


def state(actor: str, which: str | None, *, as_json: bool) -> int:
    """Show the state; gives the exit status. Raises StateError where it can't be read."""
    with Opened(find_run(which, dead=True)) as run:
        index = run.actor(actor)
        try:
            epoch, snapshot = read_committed(run.control(index), run.directory / actor_file(index, "snapshot"))
            values = [] if snapshot is None else [value for _, value in sorted(read_snapshot(snapshot).items())]
        except StateError as error:
            raise StateError(f"{actor}: {error}") from None
        status = run.status.actors[index]
        alive = Found(run.directory, run.status).is_alive
    data: dict[str, Any] = {
        "actor": actor,
        "commit": epoch,
        "generation": status.generation,
        "state": values[0] if len(values) == 1 else values or None,
    }
    if as_json:
        show_json(data)
        return ExitCode.DRAINED
    how = status.status if alive else last_state(status.status)
    show(f"{printable(actor)} as of commit {epoch:,} (life {status.generation}, {how})")
    if values:
        show(json_text(data["state"], 2, "utf-8"))
    else:
        show("it has committed no state" if epoch else "it has committed nothing")
    return ExitCode.DRAINED
