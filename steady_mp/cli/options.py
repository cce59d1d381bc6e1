"""The options of `steady-mp run`: those of every run, and those that the target's `Args` declares.

Which options there are is known only when the target is, and the target stands among the options. So it takes two
looks: `find_target` picks the target out of the words, and `parse` reads all of them with the options that it brings.
"""

from __future__ import annotations

import enum
import inspect
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markup import escape

from steady_mp.cli.target import DEFAULT_TARGET, Target, looks_like_target
from steady_mp.config import RunSettings, Setting, read_file, refuse_unknown, settings_of
from steady_mp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from steady_mp.config import ConfigurationFile

RUN: Final = settings_of(RunSettings, "run")
ROOT_VARIABLE: Final = "STEADY_MP_ROOT"
RESERVED: Final = {"target", "config", "help"}
"""Words of the command itself, which no setting of a target can have."""


@dataclass(frozen=True, kw_only=True)
class CommandLine:
    """What stood on the command line, not yet merged with what stands elsewhere."""

    target: str
    config: Path | None
    values: Mapping[str, str]
    """The options that were given, by the name of their setting."""

    def read_file(self, **tables: Iterable[str]) -> ConfigurationFile | None:
        """Read the configuration file, if one was named. Raises ConfigurationError for what its `tables` don't know."""
        file = read_file(self.config) if self.config else None
        if file:
            for table, known in tables.items():
                refuse_unknown(file, table, known)
        return file


def settings_for(target: Target) -> dict[str, Setting]:
    """The settings of a target's `Args`; none where it has no such class."""
    if target.args is None:
        return {}
    settings = settings_of(target.args, "args")
    taken = {setting.env: setting.name for setting in RUN.values()} | {ROOT_VARIABLE: "the folder of run directories"}
    for name, setting in settings.items():
        if name in RUN or name in RESERVED or name.startswith("_"):
            raise ConfigurationError(f"{target.module}.Args.{name}: every run has that option; take another name")
        if setting.env in taken:
            raise ConfigurationError(
                f"{target.module}.Args.{name}: {setting.env} sets {taken[setting.env]}; take another name"
            )
    return settings


def find_target(words: Sequence[str], common: Mapping[str, Setting] = RUN) -> str:
    """The target among the words after `run`, before anybody knows which of the options take a value.

    A word that follows an unknown option is taken for its value, unless it is written with a colon as a target is and
    no other word can be the target.
    """
    sure, spare = target_among(words, common)
    found = spare if sure is None else sure
    return DEFAULT_TARGET if found is None else words[found]


def target_among(words: Sequence[str], common: Mapping[str, Setting] = RUN) -> tuple[int | None, int | None]:
    """The index of the target among the words after `run`, and of the first word that may be it if no other is."""
    takes_value = {"--config", *(setting.option for setting in common.values() if not setting.is_flag)}
    spare = None
    before = ""
    for index, word in enumerate(words):
        if word == "--":
            before = ""
        elif before in takes_value:
            before = ""  # the value of an option that is known: --log-level debug
        elif word.startswith("-") and not (before and word[1:2].isdigit()):  # --offset -5 is an option and its value
            before = "" if "=" in word else word
        elif not before or before == "--help":
            return index, spare
        else:
            if spare is None and ":" in word and looks_like_target(word):
                spare = index
            before = ""
    return None, spare


def parse(  # noqa: PLR0913 - what tells one command from another
    words: Sequence[str],
    target: Target,
    settings: Mapping[str, Setting],
    *,
    common: Mapping[str, Setting] = RUN,
    command: str = "run",
    purpose: str = "Run a graph until it has drained: TARGET is package.module:function.",
) -> CommandLine | None:
    """Read the words after `run`; None when they asked for help, which has been shown then.

    Values stay as they were written: one schema checks them, wherever they come from. Another `command` that takes
    a target brings the options that are `common` to all its targets.
    """
    lines: list[CommandLine] = []

    def collect(**values: Any) -> None:  # noqa: ANN401 - typer calls it by the signature that it is given below
        lines.append(
            CommandLine(
                target=values.pop("target"),
                config=values.pop("config"),
                values={name: str(value) for name, value in values.items() if value is not None},
            )
        )

    collect.__doc__ = purpose
    app = app_for(str(target), common, settings, collect)
    try:
        app(args=list(words), prog_name=f"steady-mp {command}", standalone_mode=False)
    except typer.TyperException as error:
        said = error.format_message().rstrip(".")
        raise ConfigurationError(f"{said}; `steady-mp {command} {target} --help` lists what {target} takes") from None
    if lines and lines[0].target not in (str(target), target.module):
        raise ConfigurationError(f"{target} stands where an option's value belongs; put the target before the options")
    return lines[0] if lines else None


def app_for(
    target: str, common: Mapping[str, Setting], settings: Mapping[str, Setting], collect: Callable[..., None]
) -> typer.Typer:
    """Make a command that takes the options `common` to all targets and those of this one, and collects the values."""
    every = {**common, **settings}
    parameters = [_target_parameter(target), _config_parameter()]
    parameters += [_parameter(setting, "Options" if name in common else target) for name, setting in every.items()]
    collect.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    collect.__annotations__ = {each.name: each.annotation for each in parameters}
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(collect)
    return app


def _target_parameter(target: str) -> inspect.Parameter:
    what = f"What to run [dim](now: {escape(target)})[/dim]"
    annotation = Annotated[str, typer.Argument(metavar="TARGET", help=what, show_default=False)]
    return _keyword("target", annotation, DEFAULT_TARGET)


def _config_parameter() -> inspect.Parameter:
    what = "A TOML file with the tables [run] and [args]; options and environment go before it."
    option = typer.Option("--config", metavar="FILE", help=escape(what), rich_help_panel="Options")
    return _keyword("config", Annotated[Path | None, option], None)


def _parameter(setting: Setting, panel: str) -> inspect.Parameter:
    facts = [_default(setting.default), setting.env]
    text = escape(setting.help) + f" [dim]({escape(', '.join(each for each in facts if each))})[/dim]"
    names = f"{setting.option}/--no-{setting.option[2:]}" if setting.is_flag else setting.option
    option = typer.Option(names, metavar=None if setting.is_flag else setting.kind, help=text, rich_help_panel=panel)
    return _keyword(setting.name, Annotated[(bool if setting.is_flag else str) | None, option], None)


def _default(value: object) -> str:
    if value is MISSING:
        return "must be given"
    if isinstance(value, enum.Enum):
        value = value.value if isinstance(value.value, str) else value.name.lower()
    if isinstance(value, bool):
        value = "yes" if value else "no"
    return "" if value is None else f"default {value}"


def _keyword(name: str, annotation: object, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
