"""What the shell offers at the tab key: the names in the runs of this machine."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from steady_mp.cli.runs import Found, all_runs
from steady_mp.errors import ConfigurationError
from steady_mp.plan import PLAN_FILE, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable


def runs_like(incomplete: str) -> list[str]:
    """Return the graphs that run."""
    return _like(incomplete, (run.status.graph for run in _living()))


def actors_like(incomplete: str) -> list[str]:
    """Return the actors of all runs."""
    return _like(incomplete, (actor.name for run in _living() for actor in run.status.actors))


def channels_like(incomplete: str) -> list[str]:
    """Return the channels of all runs, with the arrow that a keyboard has."""
    names = []
    for run in _living():
        with suppress(OSError, ValueError, KeyError, TypeError):
            plan = Plan.from_json((run.directory / PLAN_FILE).read_text())
            names += [channel.name.replace("→", "->") for channel in plan.channels]
    return _like(incomplete, names)


def _living() -> list[Found]:
    """Return the runs that go on; none where nobody can say, as the shell has no place for a reason."""
    with suppress(ConfigurationError):
        return [run for run in all_runs() if run.is_alive]
    return []


def _like(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})
