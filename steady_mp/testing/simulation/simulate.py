"""simulate and explore: run a graph once by a seed, or many times until something breaks.

def exact(outcome: Outcome) -> None:
    assert outcome.states["logger"] == totals(outcome.sent("worker→logger"))

explore(build_graph, Args(rate=10, beats=20), seeds=range(1000), crashes=1, check=exact)
"""

from __future__ import annotations

import contextlib
import importlib.util
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from steady_mp.errors import ConfigurationError
from steady_mp.supervisor.run import Graph
from steady_mp.testing.leaving import LEAVING
from steady_mp.testing.points import FAULT_POINTS
from steady_mp.testing.simulation.arguments import (
    check_answer,
    check_build,
    check_check,
    check_crashes,
    check_hits,
    check_limits,
    check_seed,
    check_seeds,
    check_switches,
)
from steady_mp.testing.simulation.dice import Crash
from steady_mp.testing.simulation.outcome import Outcome, SimulationFailed
from steady_mp.testing.simulation.shrink import shrunk
from steady_mp.testing.simulation.surroundings import dice
from steady_mp.testing.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MOST_STEPS: Final = 5_000_000
_SHOWN: Final = 60
#: What `simulate` logs at, and so does a replay that says nothing else.
_LOG_LEVEL: Final = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """Everything about a simulation but its seed and what happens by it."""

    build: Callable[..., None]
    args: object
    check: Callable[[Outcome], object] | None
    shutdown_after: float | None
    max_steps: int
    log_level: str = "warning"

    def __post_init__(self) -> None:
        check_build(self.build, self.args)
        check_check(self.check)
        check_limits(self.shutdown_after, self.max_steps)

    def world(self, seed: int, crashes: int | Iterable[Crash], only: frozenset[int] | None) -> World:
        graph = Graph("simulation", log_level=self.log_level)
        with dice(seed):  # what it draws is part of the run
            self.build(*((graph,) if self.args is None else (graph, self.args)))
        return World(
            graph,
            seed=seed,
            crashes=crashes,
            only=only,
            shutdown_after=self.shutdown_after,
            max_steps=self.max_steps,
        )

    def run(self, seed: int, crashes: int | Iterable[Crash], only: frozenset[int] | None) -> Outcome:
        world = self.world(seed, crashes, only)
        with self.noting(world, only):
            outcome = world.run()
            if self.check is not None:
                try:
                    answer = self.check(outcome)
                except AssertionError as error:
                    raise world.failed("check", str(error) or "the check failed") from error
                except Exception as error:
                    raise world.failed("check", "".join(traceback.format_exception_only(error)).strip()) from error
                check_answer(self.check, answer)
        return outcome

    @contextlib.contextmanager
    def noting(self, world: World, only: frozenset[int] | None) -> Iterator[None]:
        """Let through what is no Exception, as what pytest fails a test with, with a note on the run that it ended."""
        try:
            yield
        except (Exception, *LEAVING):
            raise
        except BaseException as error:
            again = self.call(world.seed, world.struck, None if only is None else sorted(only))
            error.add_note(f"seed {world.seed}; the same run again: {again}")
            raise

    def call(self, seed: int, crashes: Iterable[Crash], only: list[int] | None) -> str:
        """Return the call that repeats a run, with what only the test knows left out."""
        listed = ", ".join(f"Crash({c.actor!r}, {c.point!r}, {c.hit})" for c in crashes)
        switches = "" if only is None else f", only={only}"
        level = "" if self.log_level == _LOG_LEVEL else f", log_level={self.log_level!r}"
        build = getattr(self.build, "__name__", "build")
        return f"simulate({build}, …, seed={seed}, crashes=[{listed}]{switches}{level})"


def simulate(  # noqa: PLR0913 - each is a question that a test may ask
    build: Callable[..., None],
    args: object = None,
    *,
    seed: int = 0,
    crashes: int | Iterable[Crash] = 0,
    only: Iterable[int] | None = None,
    check: Callable[[Outcome], object] | None = None,
    shutdown_after: float | None = None,
    max_steps: int = _MOST_STEPS,
    log_level: str = _LOG_LEVEL,
    shrink: bool = True,
) -> Outcome:
    """Run the graph that ``build(graph, args)`` declares once, in this process, and return what it came to.

    Every access to a channel's header, every commit point and every fault point is a step before which
    the scheduler may let another actor go on; the `seed` decides where, how long stores stay invisible to
    others, and how much virtual time a step takes. When all wait, time jumps to the next timer.
    `crashes` kills so many times, where the seed decides (at the latest when the graph begins to end, if anybody
    is left to kill), or exactly as the given `Crash` values say. Turn, journal, recovery, channels and state are
    those of a real run, on real memory.

    A graph that never ends by itself is asked to shut down `shutdown_after` virtual seconds; `max_steps`
    ends one that never waits. `only` keeps those of the seed's switches that it numbers: a replay.
    A failure is repeated with ever fewer crashes and switches, unless `shrink` is False.

    Raises SimulationFailed, which is an AssertionError, when all wait for ever, somebody sleeps though
    what it waits for is there, an actor is given up (and not isolated) or refuses to stop, a channel holds more than it
    may, or `check` raises, which is its cause then; its message has the seed, a shrunk trace and the replay.
    What is no Exception, as what pytest fails a test with, comes through with the seed and the replay as a note.
    Raises ConfigurationError for a graph that can't run, for arguments that make no sense, and for a `check` that
    answers instead of asserting.
    Blocks until the end; starts no process, no thread.
    """
    _need_greenlet()
    setting = _Setting(
        build=build, args=args, check=check, shutdown_after=shutdown_after, max_steps=max_steps, log_level=log_level
    )
    check_seed(seed)
    planned = check_crashes(crashes)
    chosen = check_switches(only)
    try:
        return setting.run(seed, planned, chosen)
    except SimulationFailed as failure:
        raise _told(setting, failure, shorten=shrink and chosen is None) from failure.__cause__


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """What many simulated runs came to, all of them well."""

    runs: int
    crashes: int
    switches: int
    steps: int


def explore(  # noqa: PLR0913 - as above
    build: Callable[..., None],
    args: object = None,
    *,
    seeds: Iterable[int] = range(100),
    crashes: int | Iterable[Crash] = 1,
    check: Callable[[Outcome], object] | None = None,
    shutdown_after: float | None = None,
    max_steps: int = _MOST_STEPS,
    log_level: str = "warning",
) -> Exploration:
    """Simulate once for each seed, as `simulate` does, until one fails; blocks and raises as that, naming the seed.

    Raises ConfigurationError where there is no seed.
    Actors log at `log_level` and above; formatting what nobody reads takes a fifth of the time.
    """
    runs = struck = switches = steps = 0
    check_seeds(seeds)
    planned = check_crashes(crashes)
    for seed in seeds:
        outcome = simulate(
            build,
            args,
            seed=seed,
            crashes=planned,
            check=check,
            shutdown_after=shutdown_after,
            max_steps=max_steps,
            log_level=log_level,
        )
        runs += 1
        struck += len(outcome.crashes)
        switches += outcome.switches
        steps += outcome.steps
    if not runs:
        message = "seeds is empty: nothing was simulated"
        raise ConfigurationError(message)
    return Exploration(runs=runs, crashes=struck, switches=switches, steps=steps)


def crash_points(
    build: Callable[..., None],
    args: object = None,
    *,
    seed: int = 0,
    hits: int = 2,
    shutdown_after: float | None = None,
) -> list[Crash]:
    """Return a `Crash` for each fault point that each actor reaches in a run without crashes.

    For a point that is reached more than once, `hits` of them, from the first to the last: to try every
    actor at every point. Blocks, and raises SimulationFailed and ConfigurationError, like `simulate`.
    """
    found: list[Crash] = []
    check_seed(seed)
    check_hits(hits)
    _need_greenlet()
    setting = _Setting(build=build, args=args, check=None, shutdown_after=shutdown_after, max_steps=_MOST_STEPS)
    world = setting.world(seed, 0, None)
    try:
        with setting.noting(world, None):
            world.run()
    except SimulationFailed as failure:
        raise _told(setting, failure, shorten=False) from None
    for player in world.players:
        for point in FAULT_POINTS:
            total = player.hits[point]
            spread = {1 + (total - 1) * n // max(1, hits - 1) for n in range(hits)} if total else set()
            found += [Crash(player.name, point, hit) for hit in sorted(spread)]
    return found


def _need_greenlet() -> None:
    if importlib.util.find_spec("greenlet") is None:
        message = "simulate needs greenlet, which is not installed: pip install 'steady-mp[testing]'"
        raise ConfigurationError(message)


def _told(setting: _Setting, failure: SimulationFailed, *, shorten: bool) -> SimulationFailed:
    """Say how the failure comes about: as few crashes and switches as it takes, the trace, the replay."""
    least = shrunk(setting.run, failure) if shorten else failure
    call = setting.call(least.seed, least.crashes, least.switches)
    trace = "" if least.trace is None else least.trace.excerpt(_SHOWN)
    text = f"{least.text}\nseed {failure.seed}; what it takes: {call}\n{trace}"
    told = SimulationFailed(least.kind, text)
    told.seed, told.trace, told.crashes, told.switches = least.seed, least.trace, least.crashes, least.switches
    return told
