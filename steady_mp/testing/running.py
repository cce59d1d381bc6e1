"""A running graph, its end and what can be seen of it: what every kind of graph under test is built on."""

from __future__ import annotations

import inspect
import signal
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, TextIO

from steady_mp import ActorReport, ChannelReport, ConfigurationError, Event, Graph, Report, Run
from steady_mp.events import RunStopped, ShutdownRefused
from steady_mp.testing import litter
from steady_mp.testing.leaving import LEAVING
from steady_mp.testing.lines import Lines
from steady_mp.testing.positions import counters, cursors, describe
from steady_mp.testing.stacks import stacks
from steady_mp.testing.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

#: Stands for arguments that were not given.
NO_ARGS: Final = object()
_MOST_LINES: Final = 100_000
#: Title of the last part of a dump.
_LAST: Final = "latest lines of the log"


class RunningGraph:
    """Declares a graph, starts it with real processes, and leaves nothing of it behind."""

    def __init__(
        self,
        what: Callable[..., object] | Graph,
        args: object = NO_ARGS,
        *,
        output: TextIO | None = None,
        root: Path | None = None,
        **options: Any,  # noqa: ANN401 - those of Graph
    ) -> None:
        """Declare the graph; see `GraphUnderTest`."""
        self._graph = self._declare(what, args, options)
        self._plan = self._graph.plan()
        self._root = root
        #: The events so far, and waits for further ones.
        self.events = Watch()
        #: The log so far, and waits for further lines.
        self.log = Lines(_MOST_LINES, output)
        self._run: Run | None = None
        self._counters: dict[str, dict[str, int]] = {}
        #: Where everybody stood, and what everybody did, when the run was about to end.
        self._last_positions = ""
        self._last_stacks = ""
        self._last_lines = ""
        self._closed = False

    def _declare(self, what: object, args: object, options: dict[str, Any]) -> Graph:
        if isinstance(what, Graph):
            if args is not NO_ARGS or options:
                message = f"graph {what.name!r} is declared already: leave its args and options out"
                raise ConfigurationError(message)
            return what
        if not callable(what):
            message = f"{what!r} is no graph: pass a function build_graph(graph, args), or a Graph"
            raise ConfigurationError(message)
        handed = () if args is NO_ARGS else (args,)
        graph = self._new_graph(**{"name": "under-test", **options})
        try:
            inspect.signature(what).bind(graph, *handed)
        except TypeError as error:
            name = getattr(what, "__qualname__", repr(what))
            shown = ", ".join(["graph", *(repr(arg) for arg in handed)])
            message = f"{name} can't be called as {name}({shown}): {error}"
            raise ConfigurationError(message) from None
        what(graph, *handed)
        return graph

    def _new_graph(self, **options: Any) -> Graph:  # noqa: ANN401 - those of Graph
        return Graph(**options)

    def _check_actor(self, actor: str) -> None:
        names = [each.name for each in self._plan.actors]
        if actor not in names:
            message = f"no actor {actor!r} in graph {self.name!r}: there are {', '.join(names)}"
            raise ConfigurationError(message)

    # From its start to its end

    @property
    def name(self) -> str:
        """The graph's name."""
        return self._plan.graph

    @property
    def run(self) -> Run:
        """The run itself. Raises ConfigurationError before the start."""
        if self._run is None:
            message = "it was not started: use it in a `with`, or call start()"
            raise ConfigurationError(message)
        return self._run

    def start(self) -> Self:
        """Start all actors and return at once; entering the context manager does it too.

        Raises ConfigurationError for a second start, and whatever `Graph.start` raises.
        """
        if self._run is not None:
            message = "it was started already: make another one for another run"
            raise ConfigurationError(message)
        self._run = self._graph.start(on_event=self._on_event, output=self.log, root=self._root)
        self._run.watch(self._look_at_the_end)
        return self

    def close(self) -> None:
        """Stop at once what still runs, and raise AssertionError when anything of the run is left then."""
        if self._run is None or self._closed:
            return
        self._closed = True
        try:
            self._run.close()
        finally:
            self._release()
        if left := litter.of_run(self._run.directory):
            message = f"graph {self.name!r} has left behind: {'; '.join(left)}"
            raise AssertionError(message)

    def _release(self) -> None:
        """Close what this object itself has opened for the run."""

    def __enter__(self) -> Self:
        """Start it, unless it was."""
        return self if self._run is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it. Whatever fails the test inside comes through, with a note on where everybody stood."""
        if error is None:
            self.close()
            return
        try:
            if not isinstance(error, LEAVING) and (told := self.last_words(error)) is not None:
                error.add_note(told)
        finally:  # a time-out or a Ctrl-C may come just there
            try:
                self.close()
            except AssertionError as litter_left:
                error.add_note(str(litter_left))

    def _await_end(self, deadline: float) -> Report | None:
        """Wait for the end and return the report; None at the deadline."""
        # Not in `block_until_stopped`: there Ctrl-C asks for a shutdown, and it should end the test.
        if not self.run._interrupts.wait(max(0.0, deadline - time.monotonic())):  # noqa: SLF001
            return None
        return self.run.block_until_stopped(0.0)

    # On the supervisor's thread

    def _on_event(self, event: Event) -> None:
        self.events(event)

    def _look_at_the_end(self, event: Event) -> None:
        """Look at what will be gone once the run is over."""
        run = self.run
        try:
            if isinstance(event, ShutdownRefused) and not self._last_stacks:
                # The supervisor is about to kill them, on this thread: signals take the short way.
                self._last_lines = self.log.tail()
                seats = {seat.name: seat for seat in run._supervisor.seats}  # noqa: SLF001
                self._last_stacks = stacks(run, self.log, lambda name: seats[name].kill(signal.SIGQUIT))
                self._last_positions = describe(run)
            elif isinstance(event, RunStopped):
                self._counters = counters(run)
                self._last_positions = self._last_positions or describe(run)
        except ValueError:  # it was over before it could be watched
            pass

    # What is told of it

    def fail(self, why: str) -> NoReturn:
        """Raise AssertionError with the dump."""
        message = f"{why}\n{self.dump()}"
        raise AssertionError(message) from None

    def last_words(self, error: BaseException) -> str | None:
        """Return the dump, for a test that has failed with `error`; None where that has it, or nothing runs any more.

        With the stacks for what may be a time-out: one of the test's own, or no `Exception` at all.
        """
        if self._run is None or self._closed or _LAST in str(error):
            return None
        return self.dump(ask=isinstance(error, TimeoutError) or not isinstance(error, Exception))

    def dump(self, *, ask: bool = True) -> str:
        """Tell where everybody stands, the latest events and log lines, and every actor's stack if `ask` says so.

        Blocks until the actors have answered, for two seconds at most.
        """
        run = self.run
        if self.events.is_over:
            run._interrupts.wait()  # noqa: SLF001 - a moment at most
        log = self._last_lines or self.log.tail()
        if run._interrupts.wait(0):  # noqa: SLF001
            parts = _section("it has ended", _tell_end(run._report))  # noqa: SLF001
            parts += _section("where everybody stood at the end", self._last_positions)
            parts += _section("stacks at the end", self._last_stacks)
        else:
            parts = _section("where everybody stands", describe(run))
            if ask:
                parts += _section("stacks", self._ask())
        parts += _section("latest events", self.events.story())
        parts += _section(_LAST, log)
        return "\n".join(parts)

    def _ask(self) -> str:
        try:
            return stacks(self.run, self.log, lambda name: self.run.kill(name, signal.SIGQUIT))
        except ValueError:  # it has ended meanwhile
            return self._last_stacks

    @property
    def report(self) -> Report:
        """The report. Raises AssertionError while it still runs."""
        report = self._await_end(0.0)
        if report is None:
            message = f"graph {self.name!r} still runs: finish() waits for its report"
            raise AssertionError(message)
        return report

    def actor_report(self, actor: str) -> ActorReport:
        """Return the report of one actor. Raises AssertionError while the graph still runs."""
        self._check_actor(actor)
        return next(each for each in self.report.actors if each.name == actor)

    def channel(self, name: str) -> ChannelReport:
        """Return how many messages of a channel were sent and taken, as committed by now (or at the end)."""
        plans, index = self._plan.channels, self._channel_index(name)
        try:
            sent, taken = cursors(self.run, index)
        except ValueError:  # it has ended, and its memory was unmapped
            self.run._interrupts.wait()  # noqa: SLF001 - a moment at most
            return self.report.channels[index]
        names = [actor.name for actor in self._plan.actors]
        return ChannelReport(
            name=name,
            from_actor=names[plans[index].producer],
            to_actor=names[plans[index].consumer],
            capacity=plans[index].capacity,
            sent=sent,
            taken=taken,
            in_flight=sent - taken,
        )

    def _channel_index(self, name: str) -> int:
        plans = self._plan.channels
        index = next((index for index, plan in enumerate(plans) if plan.name == name), None)
        if index is None:
            message = f"no channel {name!r} in graph {self.name!r}: there are {', '.join(c.name for c in plans)}"
            raise ConfigurationError(message)
        return index

    @property
    def counters(self) -> dict[str, dict[str, int]]:
        """The words that each actor keeps about itself (TURNS, PARKS, RESCUES, …), now or at the end."""
        try:
            return self._counters or counters(self.run)
        except ValueError:
            return self._counters

    @property
    def rescues(self) -> dict[str, int]:
        """Actors that only the safety time-out has woken, and how often: a lost wake-up each time."""
        return {name: words["RESCUES"] for name, words in self.counters.items() if words["RESCUES"]}


def _section(title: str, text: str) -> list[str]:
    return [f"{title}:", text] if text else []


def _tell_end(report: Report | None) -> str:
    if report is None:
        return "  without a report"
    how = "drained" if report.clean else "unclean"
    return "\n".join([f"  {how}, exit code {report.exit_code.name}", *(f"  {why}" for why in report.why)])
