"""Beginning a durable run, and going on with one that has lost all of its processes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from steady_mp.errors import ConfigurationError
from steady_mp.memory import layout
from steady_mp.memory.rundir import SYNCED, RunDir
from steady_mp.plan import PLAN_FILE, RUN_FILE, Plan
from steady_mp.supervisor.fresh import Aside, check_states, forget_states
from steady_mp.supervisor.launcher import kill_leftovers
from steady_mp.supervisor.soundness import refuse_damaged, refuse_unsound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def refuse_at_odds(
    *, durable: Path | None, resume: Path | None, fresh: bool, fresh_states: Sequence[str], sync: bool | None
) -> None:
    """Raise ConfigurationError for options of `Graph.start` that do nothing, or contradict each other."""
    if durable is not None and resume is not None:
        raise ConfigurationError("durable begins a run and resume goes on with one: give one of them")
    if fresh and durable is None:
        raise ConfigurationError("fresh begins a durable run anew: give durable; a resumed one has fresh_states")
    if fresh_states and resume is None:
        raise ConfigurationError("fresh_states does nothing without resume: it is for a run that goes on")
    if sync and durable is None and resume is None:
        raise ConfigurationError("sync does nothing without durable: only a run in a folder on a disk can survive")


def begin(  # noqa: PLR0913 - made in one place
    path: Path,
    plan: Plan,
    contents: dict[str, bytes],
    undo: contextlib.ExitStack,
    *,
    fresh: bool,
    sync: bool | None,
) -> tuple[RunDir, list[tuple[str, Path]]]:
    """Make `path` the folder of a durable run; with `fresh` also where one is, which `undo` puts back.

    Returns where that one is kept too. Raises ConfigurationError and NoSpace, as `put_aside` and
    `RunDir.create_durable` do.
    """
    kept = undo.enter_context(Aside(path := Path(os.path.realpath(path)), contents)) if fresh else []
    return RunDir.create_durable(path, plan.files(), contents | ({SYNCED: b""} if sync else {})), kept


def go_on(
    path: Path, plan: Plan, contents: dict[str, bytes], fresh_states: Sequence[str], *, sync: bool | None
) -> tuple[RunDir, list[tuple[str, Path]]]:
    """Open the durable run in `path` as `reopen` does, let these actors begin with new states, and have it synced.

    Returns the copies of the old states too. Raises ConfigurationError likewise.
    """
    run = reopen(path, plan, contents, fresh_states)
    with _let_go_of(run):
        kept = forget_states(run, plan, fresh_states)
        run.sync(on=sync)
    return run, kept


def reopen(path: Path, plan: Plan, contents: dict[str, bytes], fresh_states: Sequence[str] = ()) -> RunDir:
    """Open the durable run in `path` for another supervisor, with the graph as it is built now.

    Blocks until the last of its old processes is gone. Raises ConfigurationError when there is no such
    run, when it is alive, when its graph is another one, when a file of it is damaged, or when one of `fresh_states`
    can't be made anew; nothing of the run has changed then. So it does when the disk takes nothing.
    """
    run = RunDir.reopen(path)
    with _let_go_of(run):
        _renew(run, plan, contents, fresh_states)
    return run


@contextlib.contextmanager
def _let_go_of(run: RunDir) -> Iterator[None]:
    """Let go of the folder where something is raised within: the error, while somebody has it, has the run too."""
    try:
        yield
    except BaseException:
        run.remove()
        raise


def _renew(run: RunDir, plan: Plan, contents: dict[str, bytes], fresh_states: Sequence[str]) -> None:
    """See whether the run can go on like that, and give it the files of this start."""
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
    refuse_damaged(run.path, plan)
    kill_leftovers(run.path)
    refuse_unsound(run.path, plan, fresh_states)
    check_states(run, plan, fresh_states)
    try:
        for name, content in contents.items():
            run.replace(name, content)
    except OSError as error:
        message = f"{run.path} can't be written: {error.strerror}"
        raise ConfigurationError(message) from None
    words = run.mapping(RUN_FILE)
    words.words[layout.SHUTDOWN] = 0  # who asked was the one who is gone; an actor that asked has it in its journal
    words.close()
