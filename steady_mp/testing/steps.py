"""What a scripted actor can be told to do, one step after the other; see `scripted.Script`.

The good: `Take`, `Send`, `PassOn`, `Commit`, `Say`, `LiveOn`, `RequestShutdown`.
The bad: `Raise`, `RaiseUnpicklable`, `Exit`, `ExitNow`, `Die`, `HangBusy`, `HangAsleep`, `HangInC`, `Freeze`,
`Refuse`, `LeakMemory`, `LeakDescriptor`, `LeakProcess`.

Steps are values: frozen, picklable, and shown as they were written.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from steady_mp.errors import ConfigurationError, EndOfStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from steady_mp.actor import Actor
    from steady_mp.channel.endpoints import Rx, Tx

E = TypeVar("E")

#: Signals that would not end a process that does nothing about them.
_HARMLESS = frozenset(
    {
        *(signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH),
        *(signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
    }
)
#: Signals before which a process dumps its stacks into its log: that is a part of such a death.
_FAULTS = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT})
_FOR_EVER = 1e9


@dataclass
class Diary:
    """The state of a scripted actor that was given one: what it remembers through all its lives."""

    lives: list[int] = field(default_factory=list)
    taken: int = 0
    sent: int = 0


@dataclass
class Scene:
    """What the steps of one life are played with."""

    actor: Actor
    inputs: list[Rx[Any]]
    outputs: list[Tx[Any]]
    diary: Diary
    leaked: list[object] = field(default_factory=list)

    def input(self, index: int) -> Rx[Any]:
        """Return one of the inputs by its place among them."""
        return _one_of(self.inputs, index, "input", "Rx")

    def output(self, index: int) -> Tx[Any]:
        """Return one of the outputs by its place among them."""
        return _one_of(self.outputs, index, "output", "Tx")


def _one_of(ends: list[E], index: int, what: str, kind: str) -> E:
    if not 0 <= index < len(ends):
        message = f"the script wants {what} {index} of an actor that has {len(ends)}: hand it another {kind}"
        raise ConfigurationError(message)
    return ends[index]


class Step(ABC):
    """One thing to do."""

    #: Whether it ends, hangs or burdens the process that plays it, so that a test's own must not.
    needs_process: ClassVar[bool] = False

    @abstractmethod
    def play(self, scene: Scene) -> None:
        """Do it."""


# Living


@dataclass(frozen=True)
class Take(Step):
    """Take `count` messages in the turn at work, waiting for each; commits nothing.

    At the end of the stream the actor finishes; the steps behind are not played then.
    """

    count: int = 1
    input: int = 0

    def play(self, scene: Scene) -> None:
        """See `Step.play`."""
        rx = scene.input(self.input)
        for _ in range(self.count):
            rx.take()
            scene.diary.taken += 1


@dataclass(frozen=True)
class Send(Step):
    """Send `values`, one by one, in the turn at work, waiting for room; commits nothing that fits the channel."""

    values: Iterable[Any]
    output: int = 0

    def play(self, scene: Scene) -> None:
        """See `Step.play`."""
        tx = scene.output(self.output)
        for value in self.values:
            tx.send(value)
            scene.diary.sent += 1


@dataclass(frozen=True)
class PassOn(Step):
    """Take each message from `input` and send it to `output`, one in a turn.

    It ends with the stream, or once message number `until` is the next one to take: positions are the same
    in every life, so an earlier life's work counts. Where the stream ends before that, the actor finishes.
    """

    until: int | None = None
    input: int = 0
    output: int = 0

    def play(self, scene: Scene) -> None:
        """See `Step.play`."""
        actor, rx, tx = scene.actor, scene.input(self.input), scene.output(self.output)
        while actor.is_running():
            if self.until is not None and rx.position() >= self.until:
                return
            if actor.await_for_all(rx.wait_avail(1), tx.wait_vacant(1)):
                tx.send(rx.take())
                scene.diary.taken += 1
                scene.diary.sent += 1
        if self.until is not None:
            message = f"the stream ended at message {rx.position()}, before {self}"
            raise EndOfStream(message)


@dataclass(frozen=True)
class Commit(Step):
    """Commit what the turn at work has staged."""

    def play(self, scene: Scene) -> None:
        """See `Step.play`."""
        scene.actor.commit()


@dataclass(frozen=True)
class Say(Step):
    """Print a line, for a test that waits for it."""

    text: str

    def play(self, scene: Scene) -> None:  # noqa: ARG002 - the line needs nothing
        """See `Step.play`."""
        print(self.text, flush=True)  # noqa: T201 - the point of it


def _live_on(scene: Scene, veto: Callable[[], str | None] | None = None) -> None:
    actor = scene.actor
    waits = [rx.wait_avail(1) for rx in scene.inputs] or [actor.wait_timeout(_FOR_EVER)]
    while actor.is_running(veto):
        actor.await_for_any(*waits)
        for rx in scene.inputs:
            scene.diary.taken += len(rx.take_slice(rx.avail()))


@dataclass(frozen=True)
class LiveOn(Step):
    """Be a good actor: take and drop whatever comes, and stop when it may."""

    def play(self, scene: Scene) -> None:
        """See `Step.play`."""
        _live_on(scene)


@dataclass(frozen=True)
class RequestShutdown(Step):
    """Ask, as part of the turn at work, for the graph to be stopped."""

    def play(self, scene: Scene) -> None:
        """See `Step.play`."""
        scene.actor.request_shutdown()


@dataclass(frozen=True)
class Refuse(Step):
    """Take and drop whatever comes, and never agree to stop: for the `reason` that is given."""

    reason: str

    def play(self, scene: Scene) -> None:
        """See `Step.play`."""
        _live_on(scene, lambda: self.reason)


# Failing


@dataclass(frozen=True)
class Raise(Step):
    """Raise ``error(text)``."""

    error: type[BaseException] = RuntimeError
    text: str = "on order"

    def play(self, scene: Scene) -> NoReturn:  # noqa: ARG002 - it is always the same
        """See `Step.play`."""
        raise self.error(self.text)


class OneOfAKind(Exception):
    """Can't be pickled, nor made from its arguments."""

    def __init__(self, text: str, number: int) -> None:
        super().__init__(text)
        self.parts = (number, lambda: None)


@dataclass(frozen=True)
class RaiseUnpicklable(Step):
    """Raise an error that no other process can be handed."""

    text: str = "on order"

    def play(self, scene: Scene) -> NoReturn:  # noqa: ARG002 - it is always the same
        """See `Step.play`."""
        raise OneOfAKind(self.text, 1)


@dataclass(frozen=True)
class Exit(Step):
    """Call ``sys.exit(status)``."""

    status: int | str | None = 0

    def play(self, scene: Scene) -> NoReturn:  # noqa: ARG002 - it is always the same
        """See `Step.play`."""
        sys.exit(self.status)


@dataclass(frozen=True)
class ExitNow(Step):
    """Call ``os._exit(status)``: no cleaning up, no last words."""

    status: int = 0
    needs_process: ClassVar[bool] = True

    def play(self, scene: Scene) -> NoReturn:  # noqa: ARG002 - it is always the same
        """See `Step.play`."""
        os._exit(self.status)


@dataclass(frozen=True)
class Die(Step):
    """Die by a signal (SIGKILL, SIGSEGV, …), without a core file."""

    number: int = signal.SIGKILL
    needs_process: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what nobody dies of."""
        if self.number not in signal.valid_signals() or self.number in _HARMLESS:
            message = f"Die({self.number}): no process dies of that; name a signal that ends one, such as SIGKILL"
            raise ConfigurationError(message)

    def play(self, scene: Scene) -> NoReturn:  # noqa: ARG002 - it is always the same
        """See `Step.play`."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self.number not in _FAULTS:
            with contextlib.suppress(OSError):  # SIGKILL has no handler to take back
                signal.signal(self.number, signal.SIG_DFL)
        os.kill(os.getpid(), self.number)
        _pause()


# Hanging


def _pause() -> NoReturn:
    while True:
        signal.pause()


@dataclass(frozen=True)
class HangBusy(Step):
    """Never look up again, in a loop of Python code."""

    needs_process: ClassVar[bool] = True

    def play(self, scene: Scene) -> NoReturn:  # noqa: ARG002 - it is always the same
        """See `Step.play`."""
        while True:
            pass


@dataclass(frozen=True)
class HangAsleep(Step):
    """Sleep for ever, in a way that the runtime knows nothing of."""

    needs_process: ClassVar[bool] = True

    def play(self, scene: Scene) -> NoReturn:  # noqa: ARG002 - it is always the same
        """See `Step.play`."""
        _pause()


@dataclass(frozen=True)
class HangInC(Step):
    """Never come back from a call into C that keeps the interpreter's lock: no thread, no Python handler runs.

    In a free-threaded Python there is no such lock, and other threads run.
    """

    needs_process: ClassVar[bool] = True

    def play(self, scene: Scene) -> None:  # noqa: ARG002 - it is always the same
        """See `Step.play`."""
        sum(itertools.repeat(0))


@dataclass(frozen=True)
class Freeze(Step):
    """Stop the own process (SIGSTOP); the next step is played once somebody lets it go on (SIGCONT)."""

    needs_process: ClassVar[bool] = True

    def play(self, scene: Scene) -> None:  # noqa: ARG002 - it is always the same
        """See `Step.play`."""
        os.kill(os.getpid(), signal.SIGSTOP)


# Leaking


@dataclass(frozen=True)
class LeakMemory(Step):
    """Grow by `size` bytes that stay in memory until the life ends."""

    size: int

    def play(self, scene: Scene) -> None:
        """See `Step.play`."""
        scene.leaked.append(b"\1" * self.size)  # written to, so that the pages are really there


@dataclass(frozen=True)
class LeakDescriptor(Step):
    """Open `count` descriptors and forget them."""

    count: int = 1
    needs_process: ClassVar[bool] = True

    def play(self, scene: Scene) -> None:  # noqa: ARG002 - it is always the same
        """See `Step.play`."""
        for _ in range(self.count):
            os.open(os.devnull, os.O_RDONLY)


@dataclass(frozen=True)
class LeakProcess(Step):
    """Start a process that sleeps for ever, and forget it; as a `daemon` it has left group, session and parent."""

    daemon: bool = False
    needs_process: ClassVar[bool] = True

    def play(self, scene: Scene) -> None:
        """See `Step.play`."""
        sleeper = [sys.executable, "-c", "import signal; signal.pause()"]
        if self.daemon:
            start = f"import subprocess; subprocess.Popen({sleeper!r}, start_new_session=True)"
            subprocess.run([sys.executable, "-c", start], check=True)  # noqa: S603 - our own interpreter
        else:
            scene.leaked.append(subprocess.Popen(sleeper))  # noqa: S603
