"""`steady-mp stop`: ask a run's supervisor to drain it, or to stop at once, and wait until it has gone."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from steady_mp.cli.runs import Found, find_run, open_status
from steady_mp.cli.story import Story
from steady_mp.cli.view import show, show_json, visible
from steady_mp.errors import ExitCode, SteadyError
from steady_mp.memory.rundir import RunDir, default_root, sweep
from steady_mp.memory.signals import catches
from steady_mp.memory.standing import halt_of
from steady_mp.memory.status import STATUS_FILE, read_status

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds between two looks at a run that is going.
_PAUSE: Final = 0.05
#: Seconds that the supervisor has for a signal that is not about draining.
_ANSWER: Final = 5.0
#: Seconds that a supervisor takes at most to stop at once, unless it is in trouble.
_MOMENT: Final = 1.0


def stop(which: str | None, *, now: bool, wait: bool, timeout: float, as_json: bool) -> int:
    """Stop the run; gives its exit status, or 0 where that was not waited for or `now` is what ended it."""
    directory = find_run(which)
    run = open_status(directory)
    if not run.is_alive:
        raise SteadyError(f"{directory} is not running: its supervisor {run.status.pid} is gone")
    began = time.monotonic()
    story = Story(directory)
    try:
        _ask(run, now=now)
        how = "stopping at once" if now else "draining"
        if wait:
            how = _see_it_end(run, story, began + timeout, now=now)
    finally:
        story.close()
    ended = story.last("RunStopped")
    unknown = ExitCode.UNCLEAN if wait else ExitCode.DRAINED
    code = int(ended["exit_code"]) if ended else unknown
    if as_json:
        show_json(
            {
                "graph": run.status.graph,
                "run": directory.name,
                "result": how,
                "exit_code": code if ended else None,
                "seconds": round(time.monotonic() - began, 3),
                "refused": [event["text"] for event in story.all("ShutdownRefused")],
            }
        )
    else:
        show(*[visible(event["text"]) for event in story.all("ShutdownRefused")])
        show(visible(f"{run.status.graph}: {how}"))
    return ExitCode.DRAINED if now else code


def _ask(run: Found, *, now: bool) -> None:
    """Send what drains, or what stops at once: SIGTERM, and once more where it is draining already."""
    status = run.status
    if status.owner.is_foreign:
        raise SteadyError(f"{status.graph} runs in another container: stop it there")
    stopped, listens = _facts(status.pid)
    if now:
        _hurry(run, deaf=stopped or not listens)
    elif stopped:
        raise SteadyError(
            f"supervisor {status.pid} of {status.graph} is stopped (SIGSTOP) and can't answer: "
            f"kill -CONT {status.pid}, or steady-mp stop --now"
        )
    elif not listens:
        raise SteadyError(
            f"process {status.pid} runs {status.graph} without waiting for it (block_until_stopped), so SIGTERM would "
            "kill it: ask the program itself, or steady-mp stop --now"
        )
    elif status.phase == "running":
        _send(run, signal.SIGTERM)


def _hurry(run: Found, *, deaf: bool) -> None:
    """Stop at once. The first SIGTERM asks for a drain; the second one is what does not wait for it."""
    if deaf:
        _kill(run)
        return
    _send(run, signal.SIGTERM)
    if run.status.phase == "running":
        _wait(lambda: not _is_running(run), time.monotonic() + _ANSWER)
    else:  # whoever asked for the drain may have done that by a signal, and then this was the second one
        _wait(lambda: _has_gone(run), time.monotonic() + _MOMENT)
    if not _has_gone(run):
        _send(run, signal.SIGTERM)


def _see_it_end(run: Found, story: Story, deadline: float, *, now: bool) -> str:
    """Wait until the run has gone; say how it ended. Raises SteadyError when it has not by the deadline."""
    killed = False

    def has_gone() -> bool:
        story.read()
        return _has_gone(run)

    answer = time.monotonic() + _ANSWER
    if now and not _wait(has_gone, min(deadline, answer)) and answer <= deadline:
        killed = _kill(run)
    if not _wait(has_gone, deadline):
        if not now:
            raise SteadyError(
                f"{run.status.graph} is still draining; `steady-mp ps` shows who is not done, "
                "`steady-mp stop --now` does not wait for them"
            )
        raise SteadyError(f"{run.status.graph} goes on, although its supervisor {run.status.pid} was told to stop")
    # Whoever goes on with a durable run has to wait until its supervisor lets go of it. The directory of any other goes
    # right behind its end, unless its log has stalled, or its dead letters could not be brought to safety.
    patience = _MOMENT if RunDir(run.directory).has_begun else _ANSWER
    _wait(lambda: run.status.owner.is_dead() or not run.directory.exists(), time.monotonic() + patience)
    story.read()
    ended = story.last("RunStopped")
    if ended:
        return str(ended["text"])
    if run.directory.parent == default_root():
        sweep(default_root())
    if killed:
        return "killed with its supervisor, which did not answer"
    return (
        "killed with its supervisor" if now else "gone without a word: killed, or no room was left to say how it ended"
    )


def _send(run: Found, number: int) -> bool:
    try:
        return run.status.owner.send(number)
    except PermissionError as error:
        raise SteadyError(f"supervisor {run.status.pid} of {run.status.graph} can't be asked: {error}") from None


def _kill(run: Found) -> bool:
    """Kill the supervisor and see it die, which takes a moment; tell whether there was one."""
    killed = _send(run, signal.SIGKILL)
    _wait(lambda: _has_gone(run), time.monotonic() + _MOMENT)
    return killed


def _is_running(run: Found) -> bool:
    with suppress(OSError, ValueError):
        return read_status(run.directory).phase == "running"
    return False


def _has_gone(run: Found) -> bool:
    """Tell whether the run is over: its directory is gone, or it says so itself, or its owner is dead."""
    if run.status.owner.is_dead() or not (run.directory / STATUS_FILE).exists():
        return True
    with suppress(OSError, ValueError):
        return read_status(run.directory).phase == "stopped"
    return False


def _wait(done: Callable[[], bool], deadline: float) -> bool:
    """Look again and again: the end of a run tells nobody who is no parent of its supervisor."""
    never = threading.Event()
    while not done():
        if time.monotonic() >= deadline:
            return False
        never.wait(_PAUSE)
    return True


def _facts(pid: int) -> tuple[bool, bool]:
    """Tell whether a process is stopped, and whether it does something about SIGTERM, as far as can be known."""
    return halt_of(pid).stopped, catches(pid, signal.SIGTERM) is not False
