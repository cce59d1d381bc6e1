"""The scripted actor: an actor that fails, hangs, exits, dies and leaks on order, life by life.

    script = Script.each_life(
        [steps.PassOn(until=50), steps.Take(), steps.Die()],  # the first life: killed in the middle of a turn
        [steps.Raise(ValueError, "no good")],  # the second one fails at once
        [steps.PassOn()],  # this one, and each after it, does its work
    )
    graph.actor("middle", perform, script, numbers_rx, results_tx, graph.state())

`perform` is a plain behavior, so a scripted actor can stand wherever a real one does. It complains when it is
started twice: two processes that live the same actor at the same time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steady_mp.channel.bundle import RxBundle, TxBundle
from steady_mp.channel.endpoints import Rx, Tx
from steady_mp.errors import ConfigurationError, SteadyError
from steady_mp.state import SteadyState
from steady_mp.supervisor.bootstrap import RUN_MARK
from steady_mp.testing.steps import Diary, Scene, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steady_mp.actor import Actor

_Part = Rx[Any] | Tx[Any] | RxBundle[Any] | TxBundle[Any] | SteadyState[Diary]


class LivesTwice(SteadyError):
    """Two processes live the same actor at the same time: the runtime has started one too many."""


class NeedsProcess(ConfigurationError):
    """A step would strike the test itself: no failure of the actor, but a mistake of the test."""


@dataclass(frozen=True, slots=True)
class Script:
    """What an actor does in each of its lives."""

    lives: tuple[tuple[Step, ...], ...]

    @classmethod
    def each_life(cls, *lives: Sequence[Step]) -> Script:
        """Return a script with a list of steps for each life; the last list is for all further lives, too.

        The steps of a life are played in order; behind the last one the behavior returns, so the actor
        has finished. Raises ConfigurationError when there is no life, or something that is no step.
        """
        if not lives:
            message = "Script.each_life(): give it a list of steps for each life, at least one"
            raise ConfigurationError(message)
        for number, life in enumerate(lives, 1):
            _check(number, life)
        return cls(tuple(tuple(life) for life in lives))

    def life(self, generation: int) -> tuple[Step, ...]:
        """Return the steps of one life."""
        return self.lives[min(generation, len(self.lives)) - 1]


def _check(number: int, life: object) -> None:
    if isinstance(life, Step):
        message = f"Script.each_life: life {number} is {life}, a single step: put it into a list"
        raise ConfigurationError(message)
    for step in life if isinstance(life, (list, tuple)) else (life,):
        if not isinstance(step, Step):
            message = f"Script.each_life: life {number} has {step!r}, which is no step of steady_mp.testing.steps"
            raise ConfigurationError(message)


def perform(actor: Actor, script: Script, *parts: _Part) -> None:
    """Play `script`: the behavior of a scripted actor.

    `parts` are its ends of channels and bundles, which the steps name by their place among the inputs or among
    the outputs, and, if wanted, one state: the actor's `Diary`, whose lives are committed as they begin.

    Raises LivesTwice while another process lives the same actor, and ConfigurationError for steps that this
    actor can't play.
    """
    scene, state = _set(actor, parts)
    steps = script.life(actor.generation)
    directory = os.environ.get(RUN_MARK)  # none where the actor has no process of its own
    if directory is not None:
        # Held open, and locked, until this process ends, however it does.
        claim(Path(directory), actor.name, actor.generation)
    elif alone := [step for step in steps if step.needs_process]:
        message = f"{alone[0]} would strike the test itself: play it in a graph, where the actor has its own process"
        raise NeedsProcess(message)
    if state is not None:
        scene.diary = state.acquire(Diary)
        scene.diary.lives.append(actor.generation)
        actor.commit()
    for step in steps:
        step.play(scene)


def _set(actor: Actor, parts: Sequence[object]) -> tuple[Scene, SteadyState[Diary] | None]:
    scene = Scene(actor, [], [], Diary())
    state = None
    for part in parts:
        match part:
            case Rx():
                scene.inputs.append(part)
            case Tx():
                scene.outputs.append(part)
            case RxBundle():
                scene.inputs += part
            case TxBundle():
                scene.outputs += part
            case SteadyState():
                state = part
            case _:
                message = f"perform was handed {part!r}: it takes ends of channels, bundles of them, and a state"
                raise ConfigurationError(message)
    return scene, state


def claim(directory: Path, actor: str, generation: int) -> int:
    """Claim the only life of an actor of the run in `directory` for this process, until the process ends.

    Returns the descriptor that holds the claim. The kernel drops it with the process, before anybody hears of
    its death. It is a record lock, because a child that the actor starts must not inherit it.

    Raises LivesTwice when another process has it.
    """
    # Not by its name, which may have a slash in it, and more bytes than the name of a file.
    path = directory / f"scripted-{hashlib.sha256(actor.encode()).hexdigest()}"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    me = f"process {os.getpid()} (life {generation})"
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        other = os.pread(fd, 100, 0).decode() or "another process"
        os.close(fd)
        message = f"actor {actor!r} lives twice: {other} still lives it, and {me} was started"
        raise LivesTwice(message) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, me.encode(), 0)
    return fd
