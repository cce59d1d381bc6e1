"""What the shell offers at the tab key: the names in the runs of this machine, and the options of a target."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from steady_mp.cli.options import find_target, grammar, settings_for
from steady_mp.cli.runs import Found, all_runs
from steady_mp.cli.target import load_target
from steady_mp.errors import ConfigurationError
from steady_mp.plan import PLAN_FILE, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from steady_mp.config import Setting


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


def with_options(common: Mapping[str, Setting]) -> type[TyperCommand]:
    """Return the class of a command that reads its words itself, as its options are known only with its target."""

    class WithOptions(TyperCommand):
        def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:  # noqa: ANN401 - typer hides its type
            """Return the options like this one: those of all targets, and those of the target that was typed.

            None where that can't be imported. What it prints meanwhile is no word for the shell.
            """
            if not incomplete.startswith("-"):
                return []
            with suppress(ConfigurationError), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                target = load_target(find_target(ctx.args, common))
                return typer.main.get_command(
                    grammar(target, settings_for(target), lambda: None, common=common)
                ).shell_complete(ctx, incomplete)
            return []

    return WithOptions
