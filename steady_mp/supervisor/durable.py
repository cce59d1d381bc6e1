"""Going on with a run that has lost all of its processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady_mp.errors import ConfigurationError
from steady_mp.memory import layout
from steady_mp.memory.rundir import RunDir
from steady_mp.plan import PLAN_FILE, RUN_FILE, Plan
from steady_mp.supervisor.fresh import check_states
from steady_mp.supervisor.launcher import kill_leftovers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def reopen(path: Path, plan: Plan, contents: dict[str, bytes], fresh_states: Sequence[str] = ()) -> RunDir:
    """Open the durable run in `path` for another supervisor, with the graph as it is built now.

    Blocks until the last of its old processes is gone. Raises ConfigurationError when there is no such
    run, when it is alive, when its graph is another one, or when one of `fresh_states` can't be made anew; nothing of
    the run has changed then. So it does when the disk takes nothing.
    """
    run = RunDir.reopen(path)
    try:
        before = Plan.from_json((run.path / PLAN_FILE).read_text())
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{run.path} can't be read: {PLAN_FILE}: {error}"
        raise ConfigurationError(message) from None
    if differences := before.differences(plan):
        message = (
            f"{run.path} holds another graph: {'; '.join(differences)}; bring that one back, or begin anew elsewhere"
        )
        raise ConfigurationError(message)
    kill_leftovers(run.path)
    check_states(run, plan, fresh_states)
    try:
        for name, content in contents.items():
            run.replace(name, content)
    except OSError as error:
        run.remove()  # only lets go of it
        message = f"{run.path} can't be written: {error.strerror}"
        raise ConfigurationError(message) from None
    words = run.mapping(RUN_FILE)
    words.words[layout.SHUTDOWN] = 0  # who asked was the one who is gone; an actor that asked has it in its journal
    words.close()
    return run
