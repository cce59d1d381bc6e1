"""`steady-mp kill`: a signal to the process of one actor, and never to a stranger with its pid."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Final

from steady_mp.cli.runs import Opened, find_run
from steady_mp.cli.view import printable, show, show_json
from steady_mp.errors import ConfigurationError, ExitCode, SteadyError
from steady_mp.memory import layout
from steady_mp.supervisor.cause import cause_of

if TYPE_CHECKING:
    from steady_mp.memory.owner import Owner

#: Seconds that an actor takes at most from its start to a signal that does not go astray, and between two looks.
_BIRTH: Final = 1.0
_PAUSE: Final = 0.01
#: How an actor stands whose process is there, or will be in a moment.
_COMING: Final = {"starting", "running", "restarting", "lost"}
#: What the commands say of these signals beside their name.
_MEANS: Final[dict[int, str]] = {
    signal.SIGSTOP: "it stands still until `--signal CONT`",
    signal.SIGCONT: "it goes on",
    signal.SIGQUIT: "its stack is in the log",
    signal.SIGKILL: "its next life goes on from the last commit",
    signal.SIGTERM: "its next life goes on from the last commit",
}


def kill(actor: str, which: str | None, *, name: str, as_json: bool) -> int:
    """Send the signal; gives the exit status. Raises SteadyError where the actor has no process."""
    number = signal_of(name)
    called = cause_of(-number)  # as the log has it where an actor dies of it
    with Opened(find_run(which)) as run:
        index = run.actor(actor)
        life = run.control(index).words[layout.GENERATION]
        process = process_of(run, index)
        try:
            hit = process.send(number)
        except PermissionError as error:
            raise SteadyError(f"process {process.pid} of {actor} can't be signalled: {error}") from None
    if not hit:
        raise SteadyError(f"{actor} has no process at present: life {life} has just ended")
    if as_json:
        show_json({"actor": actor, "pid": process.pid, "generation": life, "signal": called})
    else:
        means = f"; {_MEANS[number]}" if number in _MEANS else ""
        show(f"{called} sent to {printable(actor)}, life {life}, process {process.pid}{means}")
    return ExitCode.DRAINED


def process_of(run: Opened, actor: int) -> Owner:
    """Return the process of an actor, once it has come to itself; blocks for a second at most.

    Raises SteadyError, saying how the actor stands, where it has none.
    """
    if run.status.owner.is_foreign:
        raise SteadyError(f"{run.plan.graph} runs in another container: run the command there")
    if run.status.owner.is_dead():
        raise SteadyError(f"{run.plan.actors[actor].name} has no process: its supervisor {run.status.pid} is gone")
    deadline = time.monotonic() + _BIRTH
    pause = threading.Event()
    while (process := run.process(actor)) is None:
        status = run.actor_status(actor)
        if status.status not in _COMING or time.monotonic() >= deadline:
            how = "between two lives" if status.status in _COMING else status.status
            raise SteadyError(f"{status.name} has no process at present: it is {how}")
        pause.wait(_PAUSE)
    return process


def signal_of(name: str) -> int:
    """Read a signal as people write it: KILL, SIGKILL, kill, 9. Raises ConfigurationError."""
    try:
        if not name.isdigit():
            word = name.upper()
            return signal.Signals[word if word.startswith("SIG") else f"SIG{word}"]
        if (number := int(name)) in signal.valid_signals():  # most of the real-time ones have no name
            return number
    except (KeyError, ValueError):
        pass
    message = f"--signal {name!r} is no signal of this system: take KILL, TERM, STOP, CONT, QUIT, USR1, or a number"
    raise ConfigurationError(message)
