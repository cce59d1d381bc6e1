"""Behaviors that end, refuse, spin or start something, on order."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp import Actor, Rx, SteadyState, Tx


@dataclass
class Tally:
    count: int = 0
    total: int = 0
    in_order: bool = True


@dataclass
class Diary:
    lives: list[int] = field(default_factory=list)
    count: int = 0


class Unpicklable(Exception):
    """Can't be pickled, nor made from its arguments."""

    def __init__(self, first: object, second: object) -> None:
        super().__init__("one of a kind")
        self.parts = (first, second, lambda: None)


def _fail() -> NoReturn:
    message = "no good"
    raise ValueError(message)


def _fail_unpicklable() -> NoReturn:
    raise Unpicklable(1, 2)


def _signal(number: int) -> Callable[[], None]:
    def send() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.kill(os.getpid(), number)
        signal.pause()

    return send


#: Ways to die, with the words that the report has for them.
WAYS: dict[str, tuple[Callable[[], object], str]] = {
    "exception": (_fail, "ValueError: no good"),
    "unpicklable": (_fail_unpicklable, "tests.support.lives.Unpicklable: one of a kind"),
    "sys.exit(3)": (lambda: sys.exit(3), "exit code 3"),
    "sys.exit(0)": (lambda: sys.exit(0), "exit code 0 before its behavior had returned"),
    "os._exit(5)": (lambda: os._exit(5), "exit code 5"),
    "SIGKILL": (_signal(signal.SIGKILL), "SIGKILL"),
    "SIGSEGV": (_signal(signal.SIGSEGV), "SIGSEGV"),
    "SIGTERM": (_signal(signal.SIGTERM), "SIGTERM"),
}


def tally(actor: Actor, numbers: Rx[int], state: SteadyState[Tally]) -> None:
    """Count and add up what comes, without keeping it."""
    found = state.acquire(Tally)
    while actor.is_running():
        actor.await_for_all(numbers.wait_avail(1))
        for value in numbers.take_slice(numbers.avail()):
            found.in_order = found.in_order and value == found.count
            found.count += 1
            found.total += value


def mortal(  # noqa: PLR0913, PLR0917 - a behavior has the parameters that its graph hands it
    actor: Actor, numbers: Rx[int], out: Tx[int], way: str, at: int, lives: int, state: SteadyState[Diary]
) -> None:
    """Pass numbers on; in each of the first `lives` lives, die in the middle of the turn with number `at`."""
    diary = state.acquire(Diary)
    diary.lives.append(actor.generation)
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1), out.wait_vacant(1)):
            value = numbers.take()
            diary.count += 1
            out.send(value)
            if value == at and actor.generation <= lives:
                diary.count += 1_000_000
                WAYS[way][0]()


def doomed(actor: Actor, numbers: Rx[int]) -> None:
    """Die of each message."""
    while actor.is_running():
        if actor.await_for_all(numbers.wait_avail(1)):
            numbers.take()
            _fail()


def refuse(actor: Actor) -> None:
    """Never agree to stop."""
    while actor.is_running(veto=lambda: "3 orders unpaid"):
        actor.await_for_all(actor.wait_timeout(0.05))


def hang(actor: Actor, _numbers: Rx[int]) -> None:
    """Wait in a way that the runtime knows nothing of."""
    print("hanging", actor.name)  # noqa: T201 - the test waits for it
    signal.pause()


def ask_and_die(actor: Actor, lives: int, state: SteadyState[Diary]) -> None:
    """Ask for a shutdown, and die before that is committed, so many times; then let it commit."""
    diary = state.acquire(Diary)
    while actor.is_running():
        diary.count += 1
        actor.request_shutdown()
        if actor.generation <= lives:
            os.kill(os.getpid(), signal.SIGKILL)


def ask_and_return(actor: Actor, state: SteadyState[Diary]) -> None:
    """Ask for a shutdown in the only turn."""
    state.acquire(Diary).count += 1
    actor.request_shutdown()


def spin(actor: Actor) -> None:
    """Never look up again."""
    print("spinning", actor.name)  # noqa: T201 - the test waits for it
    while True:
        pass


def have_children(actor: Actor) -> None:
    """Start a child in this process group, and one that has left it and lost its parent."""
    sleeper = "import signal; signal.pause()"
    daemon = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {sleeper!r}], start_new_session=True)"
    near = subprocess.Popen([sys.executable, "-c", sleeper])  # noqa: S603
    subprocess.run([sys.executable, "-c", daemon], check=True)  # noqa: S603
    print("has children", near.pid)  # noqa: T201 - the test waits for it
    while actor.is_running():
        actor.await_for_all(actor.wait_shutdown())
