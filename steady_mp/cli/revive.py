"""`steady-mp revive`: another life for an actor that was given up, while the others go on."""

from __future__ import annotations

from steady_mp.cli.errand import ask
from steady_mp.cli.runs import Opened, find_run
from steady_mp.cli.view import printable, show, show_json
from steady_mp.errors import ExitCode


def revive(actor: str, which: str | None, *, skip_head: bool, as_json: bool) -> int:
    """Revive the actor; gives the exit status. Raises SteadyError where that can't be."""
    directory = find_run(which)
    with Opened(directory) as run:
        index = run.actor(actor)
    text = ask(directory, "revive", actor=index, skip_head=skip_head)
    if as_json:
        show_json({"actor": actor, "skipped_head": skip_head, "result": text})
    else:
        show(printable(text))
    return ExitCode.DRAINED
