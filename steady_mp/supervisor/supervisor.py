"""The supervisor: one loop over typed messages."""

from __future__ import annotations

import selectors
import signal
import threading
import time
from typing import TYPE_CHECKING

from steady_mp.errors import ExitCode
from steady_mp.events import ActorFinished, ActorStarted, Event, RunStarted, ShowstopperMet
from steady_mp.memory.letters import Letters
from steady_mp.policy import Failures
from steady_mp.supervisor.afterwards import Afterwards
from steady_mp.supervisor.deaths import Deaths, end_of_run
from steady_mp.supervisor.errands import Errands
from steady_mp.supervisor.exits import REPLAY
from steady_mp.supervisor.havoc import CAUSE, Havoc
from steady_mp.supervisor.inbox import Inbox
from steady_mp.supervisor.messages import (
    Announce,
    Beat,
    DeadlineReached,
    Exited,
    ForkServerDue,
    ForkServerGone,
    Kill,
    KillDeadlineReached,
    LastWords,
    LookForStalls,
    Message,
    RequestShutdown,
    RestartDue,
    Rung,
    Spawned,
    StackDue,
    StopNow,
    Strike,
    Thaw,
    Truce,
)
from steady_mp.supervisor.quarantine import Quarantine, Verdict
from steady_mp.supervisor.renewal import RENEWALS
from steady_mp.supervisor.seat import Seat, Status, seats_of
from steady_mp.supervisor.servers import ForkServers
from steady_mp.supervisor.shutdown import Shutdown
from steady_mp.supervisor.stall import STALL, StallWatch
from steady_mp.supervisor.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from steady_mp.logs import LogWriter
    from steady_mp.memory.control import Journal
    from steady_mp.memory.doorbell import Doorbell
    from steady_mp.memory.mapping import Mapping
    from steady_mp.memory.rundir import RunDir
    from steady_mp.plan import Plan
    from steady_mp.policy import RestartPolicy
    from steady_mp.supervisor.deaths import Death

#: Seconds that the fork server has to tell that its actors are gone, once they were killed.
_KILL_TIMEOUT = 2.0


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
        ending: ExitStack,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the parts of a run that is mapped and formatted; `run` starts it, and `ending` closes what it holds."""
        self._run = run
        self.plan = plan
        self._bell = bell
        self._inbox = Inbox(bell)
        self.post = self._inbox.post
        ending.callback(self._inbox.close)
        self._timers = Timers(clock)
        self._after = self._timers.after
        self._afterwards = Afterwards(self._after, at_once=not plan.spare)
        self.emit = emit = self._afterwards.before(emit)
        self.seats = seats_of(run, plan, channels, (Failures(policy, clock) for policy in policies), ending)
        self._havoc = Havoc(self.seats, emit, self._after, clock)
        self._shutdown = Shutdown(self.seats, plan, channels, words, shutdown_timeout, emit, self._after)
        self.quarantine = Quarantine(Letters(run.path), plan, channels, emit, logs)
        ending.callback(self.quarantine.close)
        self._errands = Errands(run.path, self, logs)
        self._selector = selectors.DefaultSelector()
        ending.callback(self._selector.close)
        self._servers = ForkServers(run.path, self._selector, emit, self._after, logs)
        self.deaths = Deaths(run, plan, channels, logs, self.post, clock)
        ending.callback(self.deaths.let_go)
        self._stalls = StallWatch(
            self.seats, run.path, emit=emit, after=self._after, is_frozen=self._havoc.is_frozen, clock=clock
        )
        self.killing = self._unreachable = False
        self.exit_code = ExitCode.DRAINED
        self.why: list[str] = []
        self.error: BaseException | None = None
        #: The first fork server was started, or could not be.
        self.launched = threading.Event()

    # The loop

    def run(self) -> None:
        """Run the graph until no actor is left. An error of the supervisor's own ends everything, and is kept."""
        try:
            self._selector.register(self._bell.fd, selectors.EVENT_READ)
            self._servers.start()
            self._run.begin()
            self.launched.set()
            self._stalls.begin()
            self.emit(RunStarted(graph=self.plan.graph, actors=len(self.seats), directory=str(self._run.path)))
            for seat, journal in [(seat, seat.ended()) for seat in self.seats]:  # all, before anybody lives
                self._go_on_with(seat, journal)
            self._look_around()
            while not self._is_over():
                for message in self._receive():
                    self._afterwards.catch_up()
                    self._handle(message)
        except BaseException as error:  # noqa: BLE001 - told by whoever waits for the run
            self.error = error
            self.exit_code = ExitCode.UNCLEAN
            self.why.append(f"the supervisor failed: {type(error).__name__}: {error}")
        finally:
            self.launched.set()
            self._servers.close()
            for seat in self.seats:  # of a fork server that did not answer
                seat.wait_gone()

    def _go_on_with(self, seat: Seat, journal: Journal) -> None:
        """Begin a life where the last commit stands: that of another supervisor, or none."""
        if journal.finished:
            seat.status = Status.FINISHED
            self.emit(ActorFinished(actor=seat.name, generation=seat.generation))
        else:
            self.spawn(seat)

    def _is_over(self) -> bool:
        return self._unreachable or all(seat.is_over or (self.killing and seat.pid is None) for seat in self.seats)

    def _receive(self) -> list[Message]:
        """Wait for news; never polls."""
        messages: list[Message] = []
        # Behind a stop of this process the wait is over, and does not tell what came meanwhile: that is looked for.
        for key, _ in self._selector.select(self._timers.wait) or self._selector.select(0):
            if key.fd == self._bell.fd:
                self._bell.clear()
                messages.append(Rung())
            else:
                messages += self._servers.news()
        return messages + self._inbox.take() + self._timers.due()

    def _handle(self, message: Message) -> None:  # noqa: C901, PLR0912 - one case a message
        match message:
            case Spawned(actor, pid):
                self._spawned(self.seats[actor], pid)
            case Exited(actor, pid):
                if self.seats[actor].pid == pid:
                    self._exited(self.seats[actor], message)
                    self._havoc.settle()
            case LastWords():
                self.deaths.complete(message)
            case LookForStalls():
                self._stalls.look()
            case StackDue():
                self._stalls.take_stack(message)
            case ForkServerGone():
                self._restart_servers()
            case ForkServerDue():
                self._start_servers()
            case Rung():
                self._look_around()
                self._errands.look()
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
                self.emit(event)
            case Beat(call, seconds):
                call()
                self._after(seconds, message)
            case RestartDue(actor):
                if not self.killing and self.quarantine.go_on(self.seats[actor]):
                    self._after(0.0, message)
                elif not self.killing:
                    self.spawn(self.seats[actor])
            case KillDeadlineReached():
                self._unreachable = True  # the fork server is stopped (SIGSTOP); closing it ends it all the same
            case DeadlineReached():
                self._reach_deadline()

    # Lives

    def spawn(self, seat: Seat) -> None:
        """Begin the next life of an actor."""
        self._servers.spawn(seat)

    def _spawned(self, seat: Seat, pid: int) -> None:
        self._servers.has_forked()
        seat.spawned(pid)
        self.deaths.born(seat)
        self.emit(ActorStarted(actor=seat.name, generation=seat.generation, pid=pid, commit=seat.begun_from))
        if self.killing or seat.renewing:
            seat.kill()

    def _exited(self, seat: Seat, exited: Exited) -> None:
        status = exited.status
        struck = self._havoc.ended(seat, status)
        verdict = self._stalls.ended(seat, status)
        innocent = seat.was_innocent(status if verdict is None else None)
        excused = seat.was_excused(status) and (verdict is None or verdict[0] != STALL)
        if self.killing and status == -signal.SIGKILL:
            verdict = end_of_run(seat.name, self.why)
        death = self.deaths.examine(seat, exited, (CAUSE, "", "") if struck else verdict)
        journal = seat.ended()
        self.quarantine.settle(seat)
        if journal.finished:
            self._finished(seat, death if status else None)
        elif self.killing:
            self.deaths.tell(death, "the run ends")
        elif seat.renewing and excused:
            self._renew(seat, death, REPLAY, "dead letters are replayed to it")
        elif (renewal := death.renewal) is not None:
            self._renew(seat, death, renewal, death.cause)
        elif death.cause == CAUSE:
            seat.deaths.append(CAUSE)  # nobody has failed, so nothing counts against the actor's policy
            self._begin_again(seat, death)
        else:
            judged = self.quarantine.died(seat, death.cause, death.trace, excused=excused)
            self._died(seat, death, judged, innocent=innocent)
        for other in self.seats:  # what it owed, a life that begins at once need not wait for
            other.bell.ring()
        self._look_around()  # it may have asked for a shutdown in its last commit, and died before it rang

    def _renew(self, seat: Seat, death: Death, status: int, reason: str) -> None:
        """Begin the next life of an actor that has ended this one itself, or at our wish."""
        renewal, cause = RENEWALS[status]
        why = 0.0 if reason == death.cause else f"life {seat.generation + 1} begins: {reason}"
        self.deaths.tell(death, why, cause)
        self.emit(renewal(actor=seat.name, generation=seat.generation, reason=reason))
        self.spawn(seat)

    def _finished(self, seat: Seat, death: Death | None) -> None:
        """Take note that an actor has finished; `death` is how, where it was not by itself."""
        seat.status = Status.FINISHED
        if death is not None:
            self.deaths.tell(death, "it had finished")
        self.emit(ActorFinished(actor=seat.name, generation=seat.generation))

    def _died(self, seat: Seat, death: Death, verdict: Verdict, *, innocent: bool) -> None:
        seat.deaths.append(death.cause)
        pause = None if death.is_hopeless else seat.failures.died(innocent=innocent)
        if pause is None and verdict.put_aside:  # something has changed, so there is hope
            pause = seat.failures.policy.max_backoff
        if pause is None or verdict.stop:
            self._give_up(seat, death, verdict.stop)
            return
        seat.status = Status.RESTARTING
        if not pause and not self.quarantine.is_at_work(seat):
            self._begin_again(seat, death)
        else:
            self._tell(death, pause)
            self._after(pause, RestartDue(seat.index))

    def _begin_again(self, seat: Seat, death: Death) -> None:
        """Begin the next life at once."""
        self.spawn(seat)
        self._afterwards.put(lambda: self._tell(death, 0.0))

    def _tell(self, death: Death, pause: float) -> None:
        self.deaths.tell(death, pause)
        self.emit(death.event(pause))

    def _give_up(self, seat: Seat, death: Death, showstopper: str = "") -> None:
        seat.status = Status.GIVEN_UP
        isolated = seat.failures.policy.give_up == "isolate" and not showstopper
        self.deaths.tell(death, f"it is given up; {'the others go on' if isolated else 'the graph stops'}")
        self.emit(death.last_event(isolated=isolated))
        self.why.append(showstopper or f"{seat.name} was given up after life {seat.generation}: {death.cause}")
        self.exit_code = ExitCode.SHOWSTOPPER if showstopper else ExitCode.GAVE_UP
        if showstopper:
            self.emit(ShowstopperMet(actor=seat.name, reason=showstopper))
        if isolated:
            seat.isolate()
            for other in self.seats:
                other.bell.ring()
        else:
            self._kill_all()

    def _restart_servers(self) -> None:
        """The fork server is gone: make sure that its actors are, then begin their next lives."""
        cause = self._servers.bury()
        for seat in self.seats:
            seat.kill()
        for seat in self.seats:
            seat.wait_gone()
        alive = {Status.STARTING, Status.RUNNING}
        ends = [self._lost(seat, cause) for seat in self.seats if seat.status in alive]  # all, before anybody lives
        self._start_servers()
        for death, journal in ends:
            self._go_on_after(death, journal, cause)
        self._havoc.settle()
        self._look_around()

    def _start_servers(self) -> None:
        """Start a fork server in the place of one that is gone, now or later, unless that is no use any more."""
        if self.killing:
            return
        for seat in self._servers.start_again():
            self.spawn(seat)
        if self._servers.are_hopeless:
            self.why.append(f"the fork server can't run: {self._servers.cause}")
            self.exit_code = ExitCode.GAVE_UP
            self.killing = True

    def _lost(self, seat: Seat, cause: str) -> tuple[Death, Journal]:
        """An actor's process went down with the fork server: find out how, and show what it had committed."""
        self._havoc.ended(seat, 0)
        self._stalls.ended(seat, 0)
        death = self.deaths.examine(seat, None, ("fork server", f"it died ({cause}), and its actors with it", ""))
        return death, seat.ended()

    def _go_on_after(self, death: Death, journal: Journal, cause: str) -> None:
        seat = death.seat
        if journal.finished:
            self._finished(seat, death)
        elif not self.killing and (renewal := death.renewal) is not None:
            self._renew(seat, death, renewal, death.cause)
        elif not self.killing:
            self.deaths.tell(death, 0.0, "fork server")
            seat.deaths.append(f"fork server: {cause}")
            self.spawn(seat)

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
        if not refused:
            self._end_processes()
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
        self.killing = True
        self._end_processes()

    def _end_processes(self) -> None:
        """Kill all processes; who has finished in its last commit loses nothing by it."""
        self._after(_KILL_TIMEOUT, KillDeadlineReached())
        for seat in self.seats:
            seat.kill()
