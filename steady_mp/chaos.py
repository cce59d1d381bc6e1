"""Chaos: kill and freeze actors of a run at random, while it works.

    with Monkey(run, rate=5.0, seed=7) as monkey:
        report = run.block_until_stopped()
    print(monkey.report())

The dice are a function of the seed; the run is not. The same seed hits the same actors after the same pauses by the
clock, but what an actor is doing at that moment is up to the machine. For runs that repeat to the last step there is
the simulation.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Self

from steady_mp.amounts import is_number
from steady_mp.errors import ConfigurationError
from steady_mp.events import ChaosBegan, ChaosEnded, ChaosFroze, ChaosKilled, Event, RunStopped, ShutdownRequested
from steady_mp.supervisor.report import ChaosReport, Toll

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

#: Strikes a second that a monkey makes at most; no process starts again any faster.
MOST: Final = 1000.0
#: Seconds for which a frozen actor stays so.
SHORTEST_FREEZE: Final = 0.01
LONGEST_FREEZE: Final = 0.2
#: Share of the time for draining after which a monkey keeps still, and the longest freeze meanwhile.
_SHARE_OF_DRAIN: Final = 0.5
_FREEZE_IN_DRAIN: Final = 0.25
_SEEDS: Final = 1 << 32


class Prey(Protocol):
    """What a monkey needs of a run; `Run` is one."""

    @property
    def actors(self) -> tuple[str, ...]:
        """The names of all actors."""

    def watch(self, consumer: Callable[[Event], None]) -> None:
        """See `Run.watch`."""

    def announce(self, event: Event) -> None:
        """See `Run.announce`."""

    def strike(self, *actors: str, freeze: float = 0.0) -> None:
        """See `Run.strike`."""

    def make_truce(self) -> None:
        """See `Run.make_truce`."""


@dataclass(frozen=True, slots=True)
class Throw:
    """One throw of the dice: wait for `pause` seconds, then hit the first of `actors` that may be hit.

    It is killed where `freeze` is 0, and else stopped for so many seconds.
    """

    pause: float
    actors: tuple[str, ...]
    freeze: float


class Dice:
    """All that is random about a monkey; the same seed throws the same."""

    def __init__(self, seed: int, actors: Sequence[str], rate: float, freeze: float) -> None:
        """Throw for `rate` strikes a second among `actors`, the share `freeze` of which does not kill."""
        self._random = random.Random(seed)  # noqa: S311 - for repeating it, not for secrecy
        self._actors = tuple(actors)
        self._rate = rate
        self._share = freeze

    def throw(self) -> Throw:
        """Throw once.

        The pauses are those of a Poisson process: any moment is as likely as any other, so also the one after a kill.
        """
        pause = self._random.expovariate(self._rate)
        actors = tuple(self._random.sample(self._actors, len(self._actors)))
        # Both are always thrown, so that whom a seed hits, and when, is the same for any share.
        chosen, seconds = self._random.random(), self._random.uniform(SHORTEST_FREEZE, LONGEST_FREEZE)
        return Throw(pause, actors, seconds if chosen < self._share else 0.0)


class Monkey:
    """Strikes actors of a run by dice, on a thread of its own, until it is closed or the run ends.

    A strike that finds nobody to hit, because all of them are dead or just dying, is left out; so at high rates there
    are fewer. What happened is counted from the run's events: a kill once the death was seen, a freeze once it is over.

    It goes on while the graph drains: that is when channels close and actors leave, and the promises hold there too.
    But for the first half of the time only, because the deadline is there for the actors and not for the monkey.

    Let loose one monkey on a run at a time: each counts what it sees.
    """

    def __init__(
        self,
        run: Prey,
        *,
        rate: float,
        seed: int | None = None,
        freeze: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make `rate` strikes a second, the share `freeze` (0 to 1) of which does not kill; `start` begins with it.

        Without a `seed` a fresh one is thrown; the log and the report tell it. Raises ConfigurationError for a rate or
        a share that makes no sense.
        """
        if not is_number(rate) or not 0 < rate <= MOST:
            message = f"Monkey: rate {rate!r} must be above 0 and at most {MOST:g} strikes a second"
            raise ConfigurationError(message)
        if not is_number(freeze) or not 0 <= freeze <= 1:
            message = f"Monkey: freeze {freeze!r} must be a share from 0 to 1"
            raise ConfigurationError(message)
        self.rate = rate
        self.freeze = freeze
        self.seed = random.randrange(_SEEDS) if seed is None else seed  # noqa: S311 - a number to write down
        self._run = run
        self._dice = Dice(self.seed, run.actors, rate, freeze)
        self._clock = clock
        self._over = threading.Event()
        self._settled = threading.Event()
        self._until = float("inf")
        self._longest = LONGEST_FREEZE
        self._tolls = {actor: Toll() for actor in run.actors}
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._live, name="steady-mp monkey", daemon=True)

    # What happened

    @property
    def kills(self) -> int:
        """Deaths that it has caused and that were seen, so far."""
        return sum(toll.kills for toll in self._tolls.values())

    @property
    def freezes(self) -> int:
        """Times that it has stopped somebody, so far."""
        return sum(toll.freezes for toll in self._tolls.values())

    def report(self) -> ChaosReport:
        """Return what has happened so far; all of it once the monkey is closed."""
        tolls = dict(self._tolls)
        return ChaosReport(
            rate=self.rate,
            freeze=self.freeze,
            seed=self.seed,
            kills=sum(toll.kills for toll in tolls.values()),
            freezes=sum(toll.freezes for toll in tolls.values()),
            actors=tolls,
        )

    # From the outside

    def start(self) -> Self:
        """Let it loose. Returns at once."""
        self._run.watch(self._see)
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop it, and wait until every strike has shown: nobody is frozen any more, and every death was counted.

        Raises what its thread has failed with, if it has.
        """
        self._over.set()
        self._thread.join()
        self._settled.wait()
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        """Let it loose."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it; see `close`."""
        self.close()

    # On its own thread

    def _live(self) -> None:
        try:
            self._run.announce(ChaosBegan(rate=self.rate, freeze=self.freeze, seed=self.seed))
            throw = self._dice.throw()
            while not self._over.wait(throw.pause) and self._clock() < self._until:
                self._run.strike(*throw.actors, freeze=min(throw.freeze, self._longest))
                throw = self._dice.throw()
        except BaseException as error:  # noqa: BLE001 - raised by close
            self._error = error
        finally:
            self._run.make_truce()

    # On the supervisor's thread

    def _see(self, event: Event) -> None:
        match event:
            case ChaosKilled(actor=actor):
                toll = self._tolls[actor]
                self._tolls[actor] = Toll(kills=toll.kills + 1, freezes=toll.freezes)
            case ChaosFroze(actor=actor):
                toll = self._tolls[actor]
                self._tolls[actor] = Toll(kills=toll.kills, freezes=toll.freezes + 1)
            case ShutdownRequested(seconds=seconds):
                self._until = self._clock() + _SHARE_OF_DRAIN * seconds
                self._longest = min(self._longest, _FREEZE_IN_DRAIN * seconds)
            case ChaosEnded():
                self._settled.set()
            case RunStopped():
                self._over.set()
                self._settled.set()
            case _:
                pass
