"""The graph under test: a whole graph with real processes, and a test that makes things happen to it.

    with GraphUnderTest(build_graph, Args(rate=10, beats=30)) as graph:
        graph.wait_for(ActorStarted, actor="worker")
        graph.kill("worker")
        report = graph.finish()
    assert report.clean

Nothing here sleeps for a time and hopes: each method returns when what it is named after is known to have
happened, and one that waits in vain says where everybody stood.
"""

from __future__ import annotations

import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self, TextIO, TypeVar

from steady_mp import ConfigurationError, Event, Graph, Report
from steady_mp.events import ActorDied, ActorFinished, ActorGivenUp, RunStopped
from steady_mp.testing.excuses import Excuses
from steady_mp.testing.points import FAULT_POINTS
from steady_mp.testing.positions import is_stopped
from steady_mp.testing.running import NO_ARGS, RunningGraph
from steady_mp.testing.waiting import eventually
from steady_mp.testing.watch import PATIENCE, ends_life
from steady_mp.testing.watch import describe as describe_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import TracebackType

E = TypeVar("E", bound=Event)

#: Seconds that a graph has to come to its end, unless a test says otherwise.
LONG_PATIENCE: Final = 30.0


class GraphUnderTest(RunningGraph):
    """A running graph in the hands of a test. Use it as a context manager.

    Leaving it stops what still runs, and raises AssertionError when anything of the run is left then:
    a process, a descriptor, a mapping, the run directory. An actor that slept until only the safety
    time-out woke it (a lost wake-up) is an AssertionError too.
    """

    def __init__(
        self,
        what: Callable[..., object] | Graph,
        args: object = NO_ARGS,
        *,
        crash_at: Iterable[Any] = (),
        output: TextIO | None = None,
        root: Path | None = None,
        **options: Any,  # noqa: ANN401 - those of Graph
    ) -> None:
        """Declare the graph: `what` is a ``build_graph(graph, args)`` or ``build_graph(graph)``, or a `Graph`.

        `options` are those of `Graph` (shutdown_timeout, log_level, …). Each of `crash_at` are the arguments
        of one call of `GraphUnderTest.crash_at`. `output` gets a copy of the log. `root` is the folder for the
        run directory, as in `Graph.start`.

        Raises ConfigurationError like `Graph`; whatever else `build_graph` raises comes through.
        """
        super().__init__(what, args, output=output, root=root, **options)
        self._excuses = Excuses(self._plan, lambda: self.rescues)
        self._may_be_rescued = False
        #: By actor. Not in the graph, which may be somebody else's and be started again.
        self._crashes: dict[str, list[dict[str, Any]]] = {}
        for crash in crash_at:
            if isinstance(crash, str):
                message = f"crash_at={crash_at!r}: give a list of tuples, like [('worker', 'commit:publish')]"
                raise ConfigurationError(message)
            self.crash_at(*crash)

    # Before the start

    def crash_at(self, actor: str, point: str, hit: int = 1, generation: int = 1) -> Self:
        """Plan a SIGKILL: when life `generation` of `actor` comes to fault point `point` for the `hit`-th time.

        Returns itself, so that it can be written in the `with`. Raises ConfigurationError for an actor or a
        point that there is not, naming those that there are, and after the start.
        """
        self._check_actor(actor)
        if point not in FAULT_POINTS:
            message = f"no fault point {point!r}: there are {', '.join(FAULT_POINTS)}"
            raise ConfigurationError(message)
        for name, value in (("hit", hit), ("generation", generation)):
            if type(value) is not int or value < 1:
                message = f"crash_at: {name} {value!r} must be a whole number from 1 on"
                raise ConfigurationError(message)
        if self._run is not None:
            message = "crash_at comes before the start: `with GraphUnderTest(…).crash_at(…) as graph:`"
            raise ConfigurationError(message)
        self._crashes.setdefault(actor, []).append({"point": point, "hit": hit, "generations": [generation]})
        return self

    def start(self) -> Self:
        """Start all actors and return at once; see `RunningGraph.start`."""
        own = self._graph.faults
        self._graph.faults = {name: [*own.get(name, ()), *self._crashes.get(name, ())] for name in own | self._crashes}
        try:
            return super().start()
        finally:
            self._graph.faults = own

    # What the test does to it

    def kill(self, actor: str, *, seconds: float = PATIENCE) -> int:
        """SIGKILL the present life of `actor`; return that life's number once it is known to be dead.

        Between two lives it waits for the next one. For another signal there is `Run.kill`. Raises AssertionError for
        an actor that has finished or was given up, and after `seconds`.
        """
        life, before = self._await_life(actor, seconds, "killed")
        self.run.kill(actor)
        end = self.events.first(
            lambda event: id(event) not in before and ends_life(event, actor, life), seconds, claim=False
        )
        if end is None or isinstance(end, ActorFinished):
            self.fail(f"{actor} can't be killed: {'it has finished' if end else f'it lives on after {seconds:g} s'}")
        return life

    def freeze(self, actor: str, *, seconds: float = PATIENCE) -> None:
        """Stop the process of `actor` (SIGSTOP); return when it is known to stand still, with all its threads.

        Between two lives it waits for the next one. A life that was frozen can be killed; the next one is
        not frozen. As long as it lasts, no rescue of it or of a neighbour is a lost wake-up. Raises AssertionError
        like `kill`.
        """
        self._signal(actor, signal.SIGSTOP, is_stopped, seconds, "frozen")

    def thaw(self, actor: str, *, seconds: float = PATIENCE) -> None:
        """Let the process of `actor` go on; return when it is known to. Raises AssertionError like `kill`."""
        self._signal(actor, signal.SIGCONT, lambda pid: not is_stopped(pid), seconds, "thawed")
        self._excuses.end(actor)

    def _signal(self, actor: str, number: int, done: Callable[[int], bool], seconds: float, what: str) -> None:
        told: int | None = None
        end: str | None = None

        def look() -> bool:
            nonlocal told, end
            end = self._end_of(actor)
            life, pid = self.run.generation(actor), self.run.pid(actor)
            if pid is not None and pid != told:  # also when a life has ended meanwhile and the next one has begun
                if number == signal.SIGSTOP:
                    self._excuses.begin(actor, life)
                self.run.kill(actor, number)
                told = pid
            return end is not None or (pid is not None and done(pid))

        if not eventually(look, seconds):
            self.fail(f"{actor} could not be {what} within {seconds:g} s")
        if end is not None and (told is None or number == signal.SIGSTOP):  # who was thawed may finish at once
            self._excuses.end(actor)  # it may have ended before that was begun
            self.fail(f"{actor} can't be {what}: {end}")

    def _await_life(self, actor: str, seconds: float, what: str) -> tuple[int, set[int]]:
        """Return the number of the present life once it has a process, and the `id` of each event that came before."""
        found: tuple[int, set[int]] | None = None

        def look() -> bool:
            nonlocal found
            before = set(map(id, self.events.all_of(Event)))
            life = self.run.generation(actor)
            if self.run.pid(actor) is not None and self.run.generation(actor) == life:  # else it is another one's
                found = life, before
            return found is not None or self._end_of(actor) is not None

        eventually(look, seconds)
        if (end := self._end_of(actor)) is not None:
            self.fail(f"{actor} can't be {what}: {end}")
        if found is None:
            self.fail(f"{actor} can't be {what}: it has no life within {seconds:g} s")
        return found

    def _end_of(self, actor: str) -> str | None:
        """Say why no further life of an actor follows; None while one may."""
        self.run.generation(actor)  # refuses a name that nobody has, and a graph that was not started
        for event in self.events.all_of((ActorFinished, ActorGivenUp, RunStopped)):
            if isinstance(event, RunStopped):
                return "the run has ended"
            if event.actor == actor:  # type: ignore[attr-defined]
                return "it has finished" if isinstance(event, ActorFinished) else "it was given up"
        return None

    def request_shutdown(self, reason: str = "requested by the test") -> None:
        """Ask for the graph to be drained and stopped. Returns at once; `finish` waits."""
        self.run.request_shutdown(reason)

    # What the test waits for

    def wait_for(self, kind: type[E], seconds: float = PATIENCE, **fields: object) -> E:
        """Return the first event of this kind with these fields that was not returned before; wait for it.

        Raises AssertionError with the dump after `seconds`, or at once when the run has ended, and
        ConfigurationError for a field that such an event does not have, or an actor that there is not.
        """
        if isinstance(actor := fields.get("actor"), str):
            self._check_actor(actor)
        event = self.events.find(kind, seconds, **fields)
        if event is None:
            self.fail(f"{describe_event(kind, fields)}: none {self.events.until(seconds)}")
        return event

    def wait_for_death(self, actor: str, seconds: float = PATIENCE) -> ActorDied | ActorGivenUp:
        """Return the first death of `actor` that was not returned before; wait for it. Raises like `wait_for`."""
        self._check_actor(actor)
        kinds: tuple[type[ActorDied | ActorGivenUp], ...] = (ActorDied, ActorGivenUp)
        event = self.events.find(kinds, seconds, actor=actor)
        if event is None:
            self.fail(f"{actor} did not die {self.events.until(seconds)}")
        return event

    def wait_line(self, text: str, seconds: float = PATIENCE) -> str:
        """Return the first line of the log with `text` in it that was not returned before; wait for it.

        Raises AssertionError with the dump after `seconds`, or at once when the run has ended.
        """
        has_ended = partial(self.run._interrupts.wait, 0)  # noqa: SLF001
        line = self.log.find(text, seconds, has_ended)
        if line is None:
            until = "until the run ended" if has_ended() else f"within {seconds:g} s"
            self.fail(f"no line with {text!r} in the log {until}")
        return line

    def wait_until(self, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait until `holds` answers True, by asking again and again: for what tells nobody when it happens.

        Raises AssertionError with the dump after `seconds`.
        """
        if not eventually(holds, seconds):
            self.fail(f"{getattr(holds, '__qualname__', holds)} did not come true within {seconds:g} s")

    def finish(self, seconds: float = LONG_PATIENCE, *, rescued: bool = False) -> Report:
        """Wait until the graph has come to its end by itself, and return its report, clean or not.

        Raises AssertionError with the dump when it still runs after `seconds`, and when an actor slept until
        the safety time-out woke it (a lost wake-up) unless `rescued` allows it.
        """
        report = self._await_end(time.monotonic() + seconds)
        if report is None:
            self.fail(f"graph {self.name!r} still runs after {seconds:g} s")
        if rescued:
            self._may_be_rescued = True
        self._check_rescues()
        return report

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it; see `RunningGraph`. Where nothing was raised, look for lost wake-ups too."""
        super().__exit__(kind, error, trace)
        if error is None:
            self._check_rescues()

    def _on_event(self, event: Event) -> None:
        self._excuses.see(event)  # before the test hears of it
        super()._on_event(event)

    def _check_rescues(self) -> None:
        if self._may_be_rescued or self._run is None:  # its start was refused
            return
        lost = self._excuses.lost()
        if lost:
            who = ", ".join(f"{name} ({count} times)" for name, count in lost.items())
            self.fail(f"a wake-up was lost: only the safety time-out has woken {who}")
