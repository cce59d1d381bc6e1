"""What the shell offers at the tab key: the names in the runs of this machine, and the options that a target brings."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperCommand, TyperOption

from steady_mp.cli.options import app_for, settings_for, target_among
from steady_mp.cli.runs import Found, all_runs
from steady_mp.cli.target import load_target
from steady_mp.errors import ConfigurationError
from steady_mp.plan import PLAN_FILE, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from steady_mp.config import Setting

_HELP: Final = 60


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


def with_target(common: Mapping[str, Setting]) -> type[TyperCommand]:
    """Return the class of a command that reads its words itself: to the shell it has the options of its target, too."""

    class Command(TyperCommand):
        def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:  # noqa: ANN401 - typer's own
            if not extra.get("resilient_parsing"):  # which is how the shell asks
                return super().make_context(info_name, args, parent, **extra)
            words = _joined(args)
            command = typer.main.get_command(app_for("", common, _brought(words, common), lambda **_: None))
            for each in command.params:
                if isinstance(each, TyperOption):  # typer breaks a long one into lines, which fish would offer
                    each.help = shorten(each.help or "", _HELP, placeholder="…")
            return command.make_context(info_name, words, parent, **extra)

    return Command


def _joined(words: Sequence[str]) -> list[str]:
    """Put together again what bash parts: `:` and `=` are words of their own for it."""
    joined: list[str] = []
    for word in words:
        if joined and (word in (":", "=") or joined[-1].endswith((":", "="))):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _brought(words: Sequence[str], common: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the settings of the target that is typed already; none where it can't be used, for whatever reason."""
    sure, spare = target_among(words, common)
    found = spare if sure is None else sure
    if found is not None:
        with suppress(Exception), _silence():
            return settings_for(load_target(words[found]))
    return {}


@contextmanager
def _silence() -> Iterator[None]:
    """Let what is imported write nothing to the shell, which would offer it, and read nothing that is meant for it."""
    with ExitStack() as after:
        void = after.enter_context(Path(os.devnull).open("r+"))
        for fd in range(3):
            shell = os.dup(fd)
            after.callback(os.close, shell)
            after.callback(os.dup2, shell, fd)
            os.dup2(void.fileno(), fd)
        after.callback(sys.stderr.flush)
        after.callback(sys.stdout.flush)
        with redirect_stdout(void), redirect_stderr(void):
            yield
