"""Graph and Run: where declared data becomes processes, and what is left of them at the end."""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

from steady_mp.channel.kinds import format_channel
from steady_mp.checks import check_callable, check_kinds, check_pace, check_signal
from steady_mp.cycles import cycles_of
from steady_mp.errors import ConfigurationError, ExitCode, StartError, SteadyError
from steady_mp.events import BegunAnew, CycleDeclared, Event, LettersLeft, RunStopped
from steady_mp.graph import LOG_LEVELS, Topology
from steady_mp.log_format import SELF
from steady_mp.log_output import LogSettings
from steady_mp.logs import LogWriter, take_standard
from steady_mp.memory import layout
from steady_mp.memory.kept import keep_reports
from steady_mp.memory.rundir import RunDir
from steady_mp.plan import RUN_FILE, SUPERVISOR_BELL, Plan
from steady_mp.serving import Telemetry, listen
from steady_mp.supervisor.attendant import Attendant
from steady_mp.supervisor.audience import Audience
from steady_mp.supervisor.cause import forget_frames
from steady_mp.supervisor.contents import first_contents
from steady_mp.supervisor.durable import begin, go_on, refuse_at_odds
from steady_mp.supervisor.interrupts import Interrupts
from steady_mp.supervisor.messages import Announce, Beat, Kill, RequestShutdown, StopNow, Strike, Truce
from steady_mp.supervisor.quarantine import leave
from steady_mp.supervisor.recorder import Recorder
from steady_mp.supervisor.report import ActorReport, ChannelReport, Report
from steady_mp.supervisor.script import refuse_while_loading
from steady_mp.supervisor.seat import Seat, channel_mappings
from steady_mp.supervisor.supervisor import Supervisor
from steady_mp.supervisor.thread import SupervisorThread, run_here, within_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

_LOG_TIMEOUT = 5.0
#: Seconds between two beats.
_PACES = (1e-6, 1e9)


class Graph(Topology):
    """A graph of actors: declare its channels and actors, then start it."""

    def start(  # noqa: PLR0913 - keyword only
        self,
        *,
        on_event: Callable[[Event], None] | None = None,
        output: TextIO | None = None,
        root: Path | None = None,
        telemetry: Telemetry | bool = False,
        log: LogSettings | None = None,
        durable: Path | None = None,
        resume: Path | None = None,
        fresh: bool = False,
        fresh_states: Sequence[str] = (),
        sync: bool | None = None,
    ) -> Run:
        """Start all actors and return at once; the run goes on in the background.

        `on_event` is called with each event, on the supervisor's thread; one that raises is dropped.
        `output` gets the log lines (default: standard output). `root` is the folder for the run
        directory (default: STEADY_MP_ROOT, else /dev/shm, else the temporary folder). With `telemetry`
        a further process serves dashboard and metrics: True for the defaults of `Telemetry`. `log` says how
        the lines are written, and which file gets them as well (default: as text, and none).

        With `durable` the run lives in that folder, empty or not there yet, and outlives all of its
        processes: `resume` goes on with it, each actor from its last commit, in the same graph. That
        folder is never removed. `fresh` first puts aside what run is in it, `fresh_states` lets these actors
        of a resumed run begin with new states; what there was is kept, and a line says where. With `sync` each
        commit is on the disk before anybody sees it, for a loss of power; a resumed run goes on as it was begun.

        Raises ConfigurationError for options of a wrong kind or at odds, for a graph that can't run, or that is not
        the one in `resume` (it says what differs), NoSpace when there is too little room, StartError when no process or
        thread can be started; no run is left then, and a durable one has not begun: the same call may begin it later.
        """
        refuse_while_loading(self.name)
        settings = Telemetry() if telemetry is True else telemetry or None
        paths = {"root": (root, Path), "durable": (durable, Path), "resume": (resume, Path)}
        check_kinds(f"graph {self.name!r}", telemetry=(settings, Telemetry), log=(log, LogSettings), **paths)
        refuse_at_odds(durable=durable, resume=resume, fresh=fresh, fresh_states=fresh_states, sync=sync)
        plan = self.plan()
        contents = first_contents(plan, self.packed, self.beside, root, log)
        with within_limits(), contextlib.ExitStack() as undo:
            os.close(take_standard())
            if listening := listen(settings) if settings else None:
                undo.callback(listening[0].close)
            logs = LogWriter(output or sys.stdout, max(len(actor.name) for actor in plan.actors), settings=log)
            try:
                if resume is not None:
                    run, kept = go_on(resume, plan, contents, fresh_states, sync=sync)
                elif durable is not None:
                    run, kept = begin(durable, plan, contents, undo, fresh=fresh, sync=sync)
                else:
                    run, kept = RunDir.create(self.name, plan.files(), contents, root), []
            except BaseException:
                logs.close(_LOG_TIMEOUT)
                raise
            run.show(self.name, root)
            attend = functools.partial(Attendant, run.path, settings, listening) if settings and listening else None
            made = Run(self, plan, run, on_event, logs, attend, kept)
            undo.pop_all()
        return made

    @staticmethod
    def running(name: str) -> Run | None:
        """Return the run of the graph called `name` in this process; None where none runs. For a cell run again."""
        return run_here(name)


class Run:
    """A running graph. Use it as a context manager, or call `block_until_stopped`.

    A process that ends without either kills its actors.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - made in one place
        self,
        graph: Graph,
        plan: Plan,
        run: RunDir,
        on_event: Callable[[Event], None] | None,
        logs: LogWriter,
        attend: Callable[[Callable[[Event], None], LogWriter], Attendant] | None = None,
        kept: Sequence[tuple[str, Path]] = (),
    ) -> None:
        """Format the run directory and start the supervisor; `Graph.start` does this. What fails leaves nothing."""
        self._plan = plan
        self._run = run
        self._pid = os.getpid()
        self._level = LOG_LEVELS[graph.log_level]
        self._report: Report | None = None
        self._interrupts = Interrupts(self.request_shutdown, self.stop_now)
        self._started = time.monotonic()
        self._logs = logs
        self._complain = functools.partial(logs.write, SELF, logging.ERROR)
        self._audience = Audience(self._complain)
        self._attendant: Attendant | None = None
        #: What is to be done at the end, whatever of it fails; the last one first.
        self._ending = contextlib.ExitStack()
        over = functools.partial(self._interrupts.wait, 0.0)
        self._thread = SupervisorThread(self, plan.graph, self._supervise, over)
        try:
            self._begin(graph, on_event, kept)
            self._attendant = attend and attend(self.announce, self._logs)
            self._ending.callback(atexit.unregister, self.close)
            atexit.register(self.close)
            self._thread.start()
            # Only when the fork server is there: a fork of this process meanwhile would keep `subprocess` waiting.
            self._supervisor.launched.wait()
        except BaseException:
            if not self._thread.claim():
                self.close()
                raise
            self._ending.callback(logs.close, _LOG_TIMEOUT)
            if self._attendant is not None:
                self._ending.callback(self._attendant.close)
            self._ending.close()
            raise
        if isinstance(self._supervisor.error, StartError | ConfigurationError):
            self._interrupts.wait()
            raise self._supervisor.error

    def _begin(self, graph: Graph, on_event: Callable[[Event], None] | None, kept: Sequence[tuple[str, Path]]) -> None:
        """Do what comes before any process and thread."""
        plan, run = self._plan, self._run
        self._ending.callback(self._interrupts.end)
        self._ending.callback(run.remove)
        self._words = run.mapping(RUN_FILE)
        self._ending.callback(self._words.close)
        self._words.words[layout.START_NS] = time.monotonic_ns()
        self._channels = channel_mappings(run, plan, self._ending)
        if not run.has_begun:
            for channel, mapping in zip(plan.channels, self._channels, strict=True):
                format_channel(mapping, channel)
        self._audience.add(Recorder(run.path, plan, self._complain), "the record of events")
        self._audience.add(self._log)
        if on_event is not None:
            self._audience.add(on_event)
        self._supervisor = Supervisor(
            run=run,
            plan=plan,
            policies=graph.policies,
            words=self._words.words,
            channels=self._channels,
            bell=run.doorbell(SUPERVISOR_BELL, create=True),
            shutdown_timeout=graph.shutdown_timeout,
            emit=self._audience.tell,
            logs=self._logs,
            ending=self._ending,
        )
        for actor, path in kept:
            self.announce(BegunAnew(actor=actor, kept=str(path)))
        for cycle in cycles_of(plan):
            self.announce(CycleDeclared(actors=cycle.actors, channels=cycle.channels, capacity=cycle.capacity))

    # While it runs

    @property
    def directory(self) -> Path:
        """The run directory; it is gone once the run has ended, unless it is durable."""
        return self._run.path

    @property
    def url(self) -> str | None:
        """Where the dashboard is; None without telemetry."""
        return self._attendant.url if self._attendant is not None else None

    @property
    def telemetry_pid(self) -> int | None:
        """The telemetry process; None without telemetry, and between two lives of it."""
        return self._attendant.pid if self._attendant is not None else None

    def pid(self, actor: str) -> int | None:
        """Return the process of an actor's present life; None before the first, between two and after the last.

        Raises ConfigurationError for an actor that there is not.
        """
        return self._seat(actor).pid

    def generation(self, actor: str) -> int:
        """Return the number of an actor's present life, 1 for the first. Raises ConfigurationError like `pid`."""
        return self._seat(actor).generation

    def kill(self, actor: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to an actor's present life, if it has one. Returns at once.

        Raises ConfigurationError for an actor or a signal that there is not.
        """
        check_signal(number)
        self._supervisor.post(Kill(self._seat(actor).index, number))

    @property
    def actors(self) -> tuple[str, ...]:
        """The names of all actors, in the order of their declaration."""
        return tuple(actor.name for actor in self._plan.actors)

    def watch(self, consumer: Callable[[Event], None]) -> None:
        """Call `consumer` with each event from now on, on the supervisor's thread; one that raises is dropped.

        A run that is over tells its last event, `RunStopped`, at once, on the caller's, which gets what that raises.
        """
        self._audience.add(consumer)

    def announce(self, event: Event) -> None:
        """Put an event of the caller's into the stream, for the log and everybody else. Returns at once."""
        self._supervisor.post(Announce(event))

    def beat(self, call: Callable[[], None], seconds: float) -> None:
        """Call `call` now and every `seconds`, on the supervisor's thread, for as long as its loop goes round.

        What it raises ends the run. Returns at once. Raises ConfigurationError for what can't be called, and for what
        is no number of seconds.
        """
        check_callable("beat", call)
        self._supervisor.post(Beat(call, check_pace("beat: seconds", seconds, *_PACES)))

    def strike(self, *actors: str, freeze: float = 0.0) -> None:
        """Kill the first of these actors that may be hit, or stop it for `freeze` seconds. Returns at once.

        This is chaos (`steady_mp.chaos.Monkey`), so it is no failure of the actor: its restart policy counts nothing,
        and the next life begins at once. `ChaosKilled` and `ChaosFroze` tell what came of it, if anything did.
        Raises ConfigurationError like `pid`.
        """
        self._supervisor.post(Strike(tuple(self._seat(actor).index for actor in actors), freeze))

    def make_truce(self) -> None:
        """Thaw whom `strike` has stopped. Returns at once; `ChaosEnded` tells when every strike has shown."""
        self._supervisor.post(Truce())

    def _seat(self, actor: str) -> Seat:
        for seat in self._supervisor.seats:
            if seat.name == actor:
                return seat
        names = ", ".join(seat.name for seat in self._supervisor.seats)
        message = f"no actor {actor!r} in graph {self._plan.graph!r}: there are {names}"
        raise ConfigurationError(message)

    def request_shutdown(self, reason: str = "requested") -> None:
        """Ask for the graph to be drained and stopped. Returns at once."""
        self._supervisor.post(RequestShutdown(reason))

    def stop_now(self, reason: str = "stopped at once") -> None:
        """Kill all actors. Returns at once."""
        self._supervisor.post(StopNow(reason))

    def block_until_stopped(self, timeout: float | None = None) -> Report:
        """Wait until the run has ended and return its report.

        In the main thread INT and TERM ask for a shutdown meanwhile, and the second one stops at
        once. Raises TimeoutError when the run goes on after `timeout` seconds; it is not stopped then. Raises
        SteadyError where a consumer of events asks for it: it is called on the thread that would have to end the run.
        """
        if self._thread.is_this:
            message = f"the thread that ends graph {self._plan.graph!r} can't wait for that: wait on another one"
            raise SteadyError(message)
        if not self._interrupts.wait_hearing(timeout):
            message = f"graph {self._plan.graph!r} still runs after {timeout:g} s"
            raise TimeoutError(message)
        if self._report is None:
            error = self._supervisor.error
            message = f"the run ended without a report: {type(error).__name__}: {error}"
            raise SteadyError(message) from error
        return self._report

    def close(self) -> None:
        """Stop at once if it still runs, and wait for the end. Does nothing in a fork of its process.

        In a consumer of events it only stops the run: whoever waits there waits for itself.
        """
        if os.getpid() == self._pid:
            self.stop_now("its process ended")
            if not self._thread.is_this:
                self._interrupts.wait()

    def __enter__(self) -> Self:
        """Return the run."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop at once if it still runs, as `close` does."""
        self.close()

    # On the supervisor's thread

    def _log(self, event: Event) -> None:
        if event.level >= self._level:
            self._logs.write(SELF, event.level, event.text)

    def _supervise(self) -> None:
        try:
            self._supervisor.run()
            self._report = self._make_report()
        except BaseException as error:  # noqa: BLE001 - told by block_until_stopped
            self._supervisor.error = error
        forget_frames(self._supervisor.error)
        self._ending.callback(self._keep)
        self._ending.callback(self._supervisor.deaths.close)
        self._ending.callback(self._logs.close, _LOG_TIMEOUT)
        if self._attendant is not None:
            self._ending.callback(self._attendant.close)
        self._ending.callback(self._tell_end)
        self._ending.close()

    def _tell_end(self) -> None:
        report = self._report
        code = report.exit_code if report is not None else ExitCode.UNCLEAN
        seconds = report.wall_time if report is not None else time.monotonic() - self._started
        self._audience.tell(RunStopped(clean=code is ExitCode.DRAINED, exit_code=int(code), seconds=seconds))

    def _keep(self) -> None:
        code = self._supervisor.exit_code
        if code is not ExitCode.DRAINED and not self._run.has_begun:  # a durable one stays where it is
            keep_reports(self._run.path, unclean=code is not ExitCode.INTERRUPTED)

    def _make_report(self) -> Report:
        supervisor = self._supervisor
        clean = supervisor.exit_code is ExitCode.DRAINED
        channels = ChannelReport.of_all(self._plan, self._channels)
        letters, place = leave(supervisor.quarantine, supervisor.seats, self._run)
        if letters:
            self._audience.tell(LettersLeft(letters=letters, place=place))
        why = list(supervisor.why)
        if not clean:
            why += ChannelReport.queued(channels)
        return Report(
            graph=self._plan.graph,
            clean=clean,
            why=why,
            exit_code=supervisor.exit_code,
            wall_time=time.monotonic() - self._started,
            actors=[ActorReport.of(seat) for seat in supervisor.seats],
            channels=channels,
            dead_letters=letters,
            letters=place,
        )
