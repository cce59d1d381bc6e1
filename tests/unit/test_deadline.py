"""The deadline of a shutdown where the supervisor comes to it late, without any process."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from steady_mp import ExitCode
from steady_mp.supervisor.inbox import Inbox
from steady_mp.supervisor.messages import DeadlineReached, Exited, KillDeadlineReached, Message
from steady_mp.supervisor.seat import Status
from steady_mp.supervisor.supervisor import Supervisor
from steady_mp.supervisor.timers import Timers
from steady_mp.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Sequence

GONE = Exited(0, 7, 0, 0, 0.0)
FORK_SERVER = 5


class Seat:
    """An actor whose process has not been told gone."""

    def __init__(self) -> None:
        self.status = Status.STARTING
        self.pid: int | None = None
        self.killed = 0

    @property
    def is_over(self) -> bool:
        return self.status is Status.FINISHED

    def kill(self) -> None:
        self.killed += 1


class HeldUp:
    """A selector whose process is stopped while it waits: on its return the time is over, and news are there."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.waits: list[float | None] = []

    def select(self, seconds: float | None) -> list[tuple[Any, int]]:
        self.waits.append(seconds)
        if len(self.waits) == 1:
            self._clock.advance(60.0)
            return []
        return [(SimpleNamespace(fd=FORK_SERVER), 1)]


def supervisor(refused: Sequence[str] = ()) -> tuple[Any, Seat, Timers]:
    """Return one whose only actor has not been told gone at the deadline."""
    made: Any = Supervisor.__new__(Supervisor)
    bell: Any = SimpleNamespace(fd=1, clear=lambda: None)
    seat, clock = Seat(), ManualClock()
    made._timers = timers = Timers(clock)
    made._after = timers.after
    made._bell, made._inbox, made._selector = bell, Inbox(bell), HeldUp(clock)
    made._servers = SimpleNamespace(news=lambda: [GONE])
    made._shutdown = SimpleNamespace(end=lambda: list(refused))
    made.seats, made.why, made.exit_code = [seat], [], ExitCode.DRAINED
    made.killing = made._unreachable = False
    return made, seat, timers


def test_what_came_while_it_was_held_up_has_come_before_what_is_due() -> None:
    held_up, _, timers = supervisor()
    timers.after(5.0, DeadlineReached())
    told: list[Message] = held_up._receive()
    assert told == [GONE, DeadlineReached()]
    assert held_up._selector.waits == [5.0, 0]


def test_an_actor_that_has_finished_is_waited_for_a_moment_longer() -> None:
    """It may not even be known here that it has begun."""
    late, seat, timers = supervisor()
    late._reach_deadline()
    assert not late._is_over()
    assert (seat.killed, late.exit_code, late.why) == (1, ExitCode.DRAINED, [])
    assert timers.wait == 2.0
    seat.status = Status.FINISHED
    assert late._is_over()
    late._handle(KillDeadlineReached())
    assert late._is_over()


def test_one_that_has_not_ends_with_the_run() -> None:
    late, seat, _ = supervisor(["worker did not stop in time: it is starting"])
    late._reach_deadline()
    assert late._is_over()
    assert (seat.killed, late.exit_code) == (1, ExitCode.UNCLEAN)
    assert late.why == ["worker did not stop in time: it is starting"]
