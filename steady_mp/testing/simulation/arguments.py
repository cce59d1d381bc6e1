"""Arguments of a simulation: what nobody can have meant is refused before anything is played."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Final

from steady_mp.amounts import is_whole
from steady_mp.checks import check_count, check_pace
from steady_mp.errors import ConfigurationError
from steady_mp.supervisor.run import Graph
from steady_mp.testing.points import FAULT_POINTS
from steady_mp.testing.simulation.dice import STEP, Crash

_BUILD: Final = "pass a function build(graph, args)"
_CRASHES: Final = "give a list of Crash(actor, point, hit), or their number"
_MOST_CRASHES: Final = 1000
_MOST_HITS: Final = 1_000_000
#: Steps of a run, and its virtual seconds: some ten years, more than anybody waits for either.
_MOST_STEPS: Final = 1_000_000_000_000
_LONGEST: Final = 315_000_000.0
#: Characters of what a check has answered.
_SHOWN: Final = 100


def check_build(build: object, args: object) -> None:
    """Raise ConfigurationError for what declares no graph, or can't be called with these `args`."""
    name = getattr(build, "__name__", repr(build))
    if isinstance(build, Graph):
        message = f"graph {build.name!r} is declared already, and each run needs a new one: {_BUILD}"
        raise ConfigurationError(message)
    if not callable(build):
        message = f"{name} is no graph: {_BUILD}"
        raise ConfigurationError(message)
    try:
        inspect.signature(build).bind(*((None,) if args is None else (None, args)))
    except TypeError as error:
        given = "graph" if args is None else f"graph, {args!r}"
        message = f"{name} can't be called as {name}({given}): {error}"
        raise ConfigurationError(message) from None
    except ValueError:
        return  # written in C, without a signature: the call itself says what is wrong


def check_limits(shutdown_after: float | None, max_steps: int) -> None:
    """Raise ConfigurationError for an end of a run that nobody can have meant."""
    if shutdown_after is not None:
        check_pace("shutdown_after", shutdown_after, 0, _LONGEST)
    check_count("max_steps", max_steps, 1, _MOST_STEPS)


def check_check(check: object) -> None:
    """Raise ConfigurationError for a check that can't be called."""
    if check is not None and not callable(check):
        message = f"check {check!r}: pass a function that asserts something of an Outcome"
        raise ConfigurationError(message)


def check_seed(seed: object) -> None:
    """Raise ConfigurationError for what is no seed."""
    if not is_whole(seed):
        message = f"seed {seed!r}: must be a whole number"
        raise ConfigurationError(message)


def check_seeds(seeds: object) -> None:
    """Raise ConfigurationError where there are no seeds to go through."""
    if not isinstance(seeds, Iterable):
        message = f"seeds {seeds!r}: give them one by one, as range(10) does"
        raise ConfigurationError(message)


def check_switches(only: object) -> frozenset[int] | None:
    """Return which switches a replay keeps, None for all. Raises ConfigurationError."""
    if only is None:
        return None
    chosen = list(only) if isinstance(only, Iterable) else []
    numbers = [number for number in chosen if is_whole(number) and number >= 0]
    if not isinstance(only, Iterable) or len(numbers) < len(chosen):
        shown = repr(chosen or only)
        message = f"only {shown}: give a list of numbers of switches, as the replay of a failure has it"
        raise ConfigurationError(message)
    return frozenset(numbers)


def check_crashes(crashes: object) -> int | list[Crash]:
    """Return how many crashes there are to be, or which. Raises ConfigurationError."""
    if isinstance(crashes, int):
        check_count("crashes", crashes, 0, _MOST_CRASHES)
        return crashes
    if not isinstance(crashes, Iterable):
        message = f"crashes {crashes!r}: {_CRASHES}"
        raise ConfigurationError(message)
    planned = list(crashes)
    for crash in planned:
        if not isinstance(crash, Crash):
            message = f"crashes has {crash!r}: {_CRASHES}"
            raise ConfigurationError(message)
        if crash.point not in (*FAULT_POINTS, STEP):
            message = f"no fault point {crash.point!r}: there are {STEP}, {', '.join(FAULT_POINTS)}"
            raise ConfigurationError(message)
        check_count(f"hit of {crash.point} in {crash.actor}", crash.hit, 1, _MOST_HITS)
    return planned


def check_hits(hits: int) -> None:
    """Raise ConfigurationError for a number of hits that finds no crash."""
    check_count("hits", hits, 1, _MOST_HITS)


def check_answer(check: object, answer: object) -> None:
    """Raise ConfigurationError where a check has answered: nobody looks at that, and it would pass whatever it says."""
    if inspect.iscoroutine(answer):
        answer.close()  # or Python warns that nobody has awaited it
    if answer is not None:
        name = getattr(check, "__name__", repr(check))
        message = f"check {name} returned {repr(answer)[:_SHOWN]}: let it assert; it is to return nothing"
        raise ConfigurationError(message)
