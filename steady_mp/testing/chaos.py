"""Chaos in a test: let a monkey loose on a running graph, and see what it did.

    with unleash(graph, rate=50, freeze=0.2) as strikes:
        strikes.wait_for(kills=20)
        graph.request_shutdown()
        report = graph.finish()
    assert report.clean, strikes

What the graph makes of it is for the test to say: that the report is clean, and that the result is exact.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final, Protocol

from steady_mp.chaos import Monkey
from steady_mp.errors import ConfigurationError
from steady_mp.events import ChaosFroze, ChaosKilled, Event, RunStopped
from steady_mp.testing.leaving import LEAVING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from steady_mp import Run

#: Strikes a second, unless a test says otherwise: a restart takes a hundredth of a second.
RATE: Final = 20.0
_PATIENCE: Final = 15.0


class HasRun(Protocol):
    """A graph under test, a stage: whatever has a run."""

    @property
    def run(self) -> Run:
        """The run."""


class Strikes:
    """What a monkey did to a run: live while it is loose, and complete once it is not."""

    def __init__(self, seed: int, actors: Collection[str]) -> None:
        """Have seen nothing; `seed` is that of the monkey, `actors` are those of the run."""
        self.seed = seed
        self._actors = actors
        #: Every kill and every freeze, in order, with actor and generation.
        self.seen: list[ChaosKilled | ChaosFroze] = []
        self._over = False
        self._news = threading.Condition()

    def __call__(self, event: Event) -> None:
        """Take note of an event, on the supervisor's thread."""
        with self._news:
            if isinstance(event, ChaosKilled | ChaosFroze):
                self.seen.append(event)
            self._over = self._over or isinstance(event, RunStopped)
            self._news.notify_all()

    def kills(self, actor: str | None = None) -> int:
        """Return how many deaths it has caused, of one actor or of all. Raises ConfigurationError for no such actor."""
        return self._count(ChaosKilled, actor)

    def freezes(self, actor: str | None = None) -> int:
        """Return how often it has stopped somebody for a moment, one actor or any; those that are over."""
        return self._count(ChaosFroze, actor)

    def _count(self, kind: type[ChaosKilled | ChaosFroze], actor: str | None) -> int:
        if actor is not None and actor not in self._actors:
            message = f"no actor {actor!r}: there are {', '.join(self._actors)}"
            raise ConfigurationError(message)
        return sum(isinstance(each, kind) and actor in (None, each.actor) for each in list(self.seen))

    def wait_for(
        self, *, kills: int = 0, freezes: int = 0, actor: str | None = None, seconds: float = _PATIENCE
    ) -> None:
        """Wait until there were so many strikes since it is loose, on one actor or in all.

        Raises AssertionError after `seconds`, or at once when the run has ended before, and ConfigurationError for an
        actor that there is not.
        """

        def enough() -> bool:
            return self.kills(actor) >= kills and self.freezes(actor) >= freezes

        with self._news:
            self._news.wait_for(lambda: self._over or enough(), min(seconds, threading.TIMEOUT_MAX))
            if not enough():
                when = "before the run ended" if self._over else f"within {seconds:g} s"
                message = f"not {kills} kills and {freezes} freezes {when}: {self}"
                raise AssertionError(message)

    def __str__(self) -> str:
        """Say how many strikes there were, and the seed of their dice."""
        return f"chaos with seed {self.seed}: {self.kills()} kills, {self.freezes()} freezes"


@contextlib.contextmanager
def unleash(
    graph: Run | HasRun, *, rate: float = RATE, freeze: float = 0.0, seed: int | None = None
) -> Iterator[Strikes]:
    """Let a monkey loose on a running graph, and catch it again at the end of the `with`.

    It makes `rate` strikes a second, the share `freeze` (0 to 1) of which stops an actor for a moment instead of
    killing it. Without a `seed` a fresh one is thrown. When it is caught, nobody is frozen any more, and every strike
    was counted; the graph goes on, unless it has ended by then. Whatever fails the test inside comes through with the
    seed as a note. Raises ConfigurationError for a rate or a share that makes no sense.
    """
    run: Run = graph.run if hasattr(graph, "run") else graph
    monkey = Monkey(run, rate=rate, freeze=freeze, seed=seed)
    strikes = Strikes(monkey.seed, run.actors)
    run.watch(strikes)
    try:
        with monkey:
            yield strikes
    except LEAVING:
        raise
    except BaseException as error:  # what pytest fails a test with is no Exception
        error.add_note(str(strikes))
        raise
