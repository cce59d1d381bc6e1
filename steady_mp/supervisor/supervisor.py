"""The supervisor: one loop over typed messages."""

from __future__ import annotations

import heapq
import itertools
import os
import selectors
import signal
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from steady_mp.errors import ExitCode
from steady_mp.events import (
    ActorDied,
    ActorFinished,
    ActorGivenUp,
    ActorStarted,
    ChaosKilled,
    Event,
    ForkServerDied,
    RunStarted,
)
from steady_mp.policy import Failures
from steady_mp.supervisor.child import STATE_FAILED, UNLOADABLE, read_note
from steady_mp.supervisor.havoc import CAUSE, Havoc
from steady_mp.supervisor.launcher import Launcher
from steady_mp.supervisor.messages import (
    Announce,
    Beat,
    DeadlineReached,
    Exited,
    ForkServerGone,
    Kill,
    KillDeadlineReached,
    Message,
    RequestShutdown,
    RestartDue,
    Rung,
    Spawned,
    StopNow,
    Strike,
    Thaw,
    Truce,
)
from steady_mp.supervisor.renewal import RENEWALS
from steady_mp.supervisor.seat import Seat, Status
from steady_mp.supervisor.shutdown import Shutdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.logs import LogWriter
    from steady_mp.memory.doorbell import Doorbell
    from steady_mp.memory.mapping import Mapping
    from steady_mp.memory.rundir import RunDir
    from steady_mp.plan import Plan
    from steady_mp.policy import RestartPolicy

#: Fork servers that may die before one of them has forked anybody.
_MOST_BARREN_SERVERS = 3
#: Seconds that the fork server has to tell that its actors are gone, once they were killed.
_KILL_TIMEOUT = 2.0
#: Ends of a life that the next one can't but repeat.
_HOPELESS = {STATE_FAILED, UNLOADABLE}


class Supervisor:
    """Starts the actors, recovers and restarts what dies, drains the graph. Runs on one thread."""

    def __init__(  # noqa: PLR0913 - made in one place
        self,
        *,
        run: RunDir,
        plan: Plan,
        policies: list[RestartPolicy],
        words: memoryview,
        channels: list[Mapping],
        bell: Doorbell,
        shutdown_timeout: float,
        emit: Callable[[Event], None],
        logs: LogWriter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the parts of a run that is mapped and formatted; `run` starts it."""
        self._run = run
        self._plan = plan
        self._bell = bell
        self._emit = emit
        self._logs = logs
        self._clock = clock
        self.seats = [
            Seat(run, plan, index, channels, Failures(policy, clock)) for index, policy in enumerate(policies)
        ]
        self._havoc = Havoc(self.seats, emit, self._after, clock)
        self._shutdown = Shutdown(self.seats, plan, channels, words, shutdown_timeout, emit, self._after)
        self._posted: deque[Message] = deque()
        # A signal handler may post while its own thread does.
        self._gate = threading.RLock()
        self._deaf = False
        self._timers: list[tuple[float, int, Message]] = []
        self._serial = itertools.count()
        self._barren_servers = 0
        self._launcher: Launcher | None = None
        self._selector = selectors.DefaultSelector()
        self.killing = False
        self._unreachable = False
        self.exit_code = ExitCode.DRAINED
        self.why: list[str] = []
        self.error: BaseException | None = None
        #: The first fork server was started, or could not be.
        self.launched = threading.Event()

    # From other threads

    def post(self, message: Message) -> None:
        """Hand the loop a message, from any thread; dropped once the run is over."""
        with self._gate:
            if not self._deaf:
                self._posted.append(message)
                self._bell.ring()

    def close(self) -> None:
        """Hear nothing any more, and close the bell."""
        with self._gate:
            self._deaf = True
            self._bell.close()

    # The loop

    def run(self) -> None:
        """Run the graph until no actor is left. An error of the supervisor's own ends everything, and is kept."""
        try:
            self._selector.register(self._bell.fd, selectors.EVENT_READ)
            self._start_launcher()
            self.launched.set()
            self._emit(RunStarted(graph=self._plan.graph, actors=len(self.seats), directory=str(self._run.path)))
            for seat in self.seats:
                self._go_on_with(seat)
            self._look_around()
            while not self._is_over():
                for message in self._receive():
                    self._handle(message)
        except BaseException as error:  # noqa: BLE001 - told by whoever waits for the run
            self.error = error
            self.exit_code = ExitCode.UNCLEAN
            self.why.append(f"the supervisor failed: {type(error).__name__}: {error}")
        finally:
            self.launched.set()
            if self._launcher is not None:
                self._launcher.close()
            self._selector.close()

    def _go_on_with(self, seat: Seat) -> None:
        """Begin a life where the last commit stands: that of another supervisor, or none."""
        if seat.ended().finished:
            seat.status = Status.FINISHED
            self._emit(ActorFinished(actor=seat.name, generation=seat.generation))
        else:
            self._spawn(seat)

    def _is_over(self) -> bool:
        return self._unreachable or all(seat.is_over or (self.killing and seat.pid is None) for seat in self.seats)

    def _receive(self) -> list[Message]:
        """Wait for news; never polls."""
        timeout = None
        if self._timers:
            timeout = max(0.0, self._timers[0][0] - self._clock())
        messages: list[Message] = []
        for key, _ in self._selector.select(timeout):
            if key.fd == self._bell.fd:
                self._bell.clear()
                messages.append(Rung())
            elif self._launcher is not None:
                messages += self._launcher.news()
        while self._posted:
            messages.append(self._posted.popleft())
        now = self._clock()
        while self._timers and self._timers[0][0] <= now:
            messages.append(heapq.heappop(self._timers)[2])
        return messages

    def _after(self, seconds: float, message: Message) -> None:
        heapq.heappush(self._timers, (self._clock() + seconds, next(self._serial), message))

    def _handle(self, message: Message) -> None:  # noqa: C901, PLR0912 - one case a message
        match message:
            case Spawned(actor, pid):
                self._spawned(self.seats[actor], pid)
            case Exited(actor, pid, status):
                if self.seats[actor].pid == pid:
                    self._exited(self.seats[actor], status)
                    self._havoc.settle()
            case ForkServerGone():
                self._restart_launcher()
            case Rung():
                self._look_around()
            case RequestShutdown(reason):
                self._drain(reason)
            case StopNow(reason):
                self._stop_now(reason)
            case Kill(actor, number):
                self.seats[actor].kill(number)
            case Strike(actors, freeze):
                self._havoc.strike(actors, freeze)
            case Thaw(actor, generation):
                self._havoc.thaw(actor, generation)
            case Truce():
                self._havoc.calm()
            case Announce(event):
                self._emit(event)
            case Beat(call, seconds):
                call()
                self._after(seconds, message)
            case RestartDue(actor):
                if not self.killing:
                    self._spawn(self.seats[actor])
            case KillDeadlineReached():
                self._unreachable = True  # the fork server is stopped (SIGSTOP); closing it ends it all the same
            case DeadlineReached():
                self._reach_deadline()

    # Lives

    def _start_launcher(self) -> None:
        self._launcher = Launcher(self._run.path)
        self._selector.register(self._launcher, selectors.EVENT_READ)

    def _spawn(self, seat: Seat) -> None:
        if self._launcher is None:
            return
        seat.begin()
        read_fd, write_fd = os.pipe()
        self._logs.add(read_fd, seat.name, seat.generation)
        self._launcher.spawn(seat.index, seat.generation, write_fd)
        os.close(write_fd)
        seat.status = Status.STARTING

    def _spawned(self, seat: Seat, pid: int) -> None:
        self._barren_servers = 0
        seat.spawned(pid)
        self._emit(ActorStarted(actor=seat.name, generation=seat.generation, pid=pid, commit=seat.control.epoch))
        if self.killing:
            seat.kill()

    def _exited(self, seat: Seat, status: int) -> None:
        pid = seat.pid
        innocent = seat.was_innocent(status)
        struck = self._havoc.ended(seat, status)
        journal = seat.ended()
        for other in self.seats:
            other.bell.ring()
        if journal.finished:
            seat.status = Status.FINISHED
            self._emit(ActorFinished(actor=seat.name, generation=seat.generation))
            self._look_around()  # it may have asked for a shutdown in its last commit, and died before it rang
            return
        note = read_note(seat.note, pid or 0)
        if self.killing:
            return
        if status in RENEWALS and note is not None:
            self._emit(RENEWALS[status](actor=seat.name, generation=seat.generation, reason=note))
            self._spawn(seat)
            return
        if struck and note is None:
            self._killed_by_chaos(seat)
        else:
            self._died(seat, note or _cause(status), innocent=innocent, hopeless=status in _HOPELESS)
        self._look_around()

    def _killed_by_chaos(self, seat: Seat) -> None:
        """Begin the next life at once: nobody has failed, so nothing counts against the actor's policy."""
        seat.deaths.append(CAUSE)
        commit = seat.control.epoch
        self._emit(ChaosKilled(actor=seat.name, generation=seat.generation, cause=CAUSE, pause=0.0, commit=commit))
        self._spawn(seat)

    def _died(self, seat: Seat, cause: str, *, innocent: bool, hopeless: bool = False) -> None:
        seat.deaths.append(cause)
        pause = None if hopeless else seat.failures.died(innocent=innocent)
        if pause is None:
            self._give_up(seat, cause)
            return
        seat.status = Status.RESTARTING
        self._emit(
            ActorDied(actor=seat.name, generation=seat.generation, cause=cause, pause=pause, commit=seat.control.epoch)
        )
        if pause:
            self._after(pause, RestartDue(seat.index))
        else:
            self._spawn(seat)

    def _give_up(self, seat: Seat, cause: str) -> None:
        seat.status = Status.GIVEN_UP
        isolated = seat.failures.policy.give_up == "isolate"
        self._emit(ActorGivenUp(actor=seat.name, generation=seat.generation, cause=cause, isolated=isolated))
        self.why.append(f"{seat.name} was given up after life {seat.generation}: {cause}")
        self.exit_code = ExitCode.GAVE_UP
        if isolated:
            seat.isolate()
            for other in self.seats:
                other.bell.ring()
        else:
            self._kill_all()

    def _restart_launcher(self) -> None:
        """The fork server is gone: make sure that its actors are, then begin their next lives."""
        if self._launcher is None:
            return
        self._selector.unregister(self._launcher)
        cause = _cause(self._launcher.close())
        self._launcher = None
        for seat in self.seats:
            seat.kill()
        for seat in self.seats:
            seat.wait_gone()
        if not self.killing:
            self._barren_servers += 1
            if self._barren_servers > _MOST_BARREN_SERVERS:
                self.why.append(f"the fork server can't run: {cause}")
                self.exit_code = ExitCode.GAVE_UP
                self.killing = True
            else:
                self._emit(ForkServerDied(cause=cause))
                self._start_launcher()
        for seat in self.seats:
            if seat.status in {Status.STARTING, Status.RUNNING}:
                self._lost(seat, cause)
        self._havoc.settle()
        self._look_around()

    def _lost(self, seat: Seat, cause: str) -> None:
        """Go on with an actor whose process went down with the fork server."""
        self._havoc.ended(seat, 0)
        if seat.ended().finished:
            seat.status = Status.FINISHED
            self._emit(ActorFinished(actor=seat.name, generation=seat.generation))
        elif not self.killing:
            seat.deaths.append(f"fork server: {cause}")
            self._spawn(seat)

    # Shutdown

    def _look_around(self) -> None:
        """See whether an actor has committed a wish for a shutdown, or let go of its debugger."""
        if (name := self._shutdown.asked_by()) is not None:
            self._drain(f"{name} asked for it")
        self._shutdown.go_on()

    def _drain(self, reason: str) -> None:
        if not self.killing:
            self._shutdown.begin(reason)

    def _reach_deadline(self) -> None:
        """Name who did not stop and what is still queued, then kill."""
        if self.killing or (refused := self._shutdown.end()) is None:
            return
        self.why += refused
        self.exit_code = ExitCode.UNCLEAN if self.exit_code is ExitCode.DRAINED else self.exit_code
        self._kill_all()

    def _stop_now(self, reason: str) -> None:
        if self.killing:
            return
        self.why += [reason, *self._shutdown.deadlocks()]
        self.exit_code = ExitCode.INTERRUPTED
        self._kill_all()

    def _kill_all(self) -> None:
        self._after(_KILL_TIMEOUT, KillDeadlineReached())
        self.killing = True
        for seat in self.seats:
            seat.kill()


def _cause(status: int) -> str:
    """Say what an exit status means."""
    if status < 0:
        try:
            return signal.Signals(-status).name
        except ValueError:
            return f"signal {-status}"
    return f"exit code {status}" if status else "exit code 0 before its behavior had returned"
