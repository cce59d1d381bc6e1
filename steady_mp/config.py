"""The settings of a run: one schema that reads, checks and documents every one of them.

A setting is a field of a frozen dataclass: `RunSettings` for what belongs to every run (the table `[run]` of a
configuration file), the target module's `Args` for what its graph takes (the table `[args]`). Wherever a value comes
from, it passes through the same check, and a wrong one is refused in a line that names its place. An option wins over
the environment, the environment over the file, the file over the default.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import json
import tomllib
import types
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from steady_mp.chaos import MOST
from steady_mp.errors import ConfigurationError
from steady_mp.log_output import DEFAULT_COUNT, DEFAULT_SIZE, LEAST_SIZE
from steady_mp.serving import DEFAULT_HOST, DEFAULT_PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Settings = TypeVar("Settings")

BOUNDS: Final = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern", "allow_inf_nan")
"""What `field(metadata={...})` may ask of a value, beside its `help`; the words are pydantic's."""

KINDS: Final[Mapping[type, str]] = {int: "INTEGER", float: "NUMBER", str: "TEXT", bool: "BOOLEAN", Path: "PATH"}


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What every run takes, whatever its graph: the table `[run]`."""

    log_level: Literal["debug", "info", "warning", "error"] = field(
        default="info", metadata={"help": "The least important lines to show.", "env": "STEADY_MP_LOG"}
    )
    log_format: Literal["text", "json"] = field(
        default="text", metadata={"help": "How lines are written: for people, or one JSON object a line."}
    )
    log_file: Path | None = field(
        default=None, metadata={"help": "A file that gets the lines as well, behind what stands in it."}
    )
    log_file_size: int = field(
        default=DEFAULT_SIZE,
        metadata={"help": "Bytes at which the log file is put aside as FILE.1.", "ge": LEAST_SIZE},
    )
    log_file_count: int = field(
        default=DEFAULT_COUNT, metadata={"help": "How many log files that were put aside are kept.", "ge": 1}
    )
    shutdown_timeout: float = field(
        default=15.0,
        metadata={"help": "Seconds that the actors get to drain before they are killed.", "gt": 0, "le": 86_400},
    )
    spare: bool = field(
        default=True, metadata={"help": "Let a process stand by, so that a restart need not wait for a fork."}
    )
    telemetry: bool = field(default=True, metadata={"help": "Serve dashboard and metrics while it runs."})
    host: str = field(
        default=DEFAULT_HOST,
        metadata={"help": "Address to serve them on; any but 127.0.0.1, ::1 and localhost needs a token."},
    )
    port: int | None = field(
        default=None,
        metadata={
            "help": f"Port to serve them on; without it {DEFAULT_PORT} or the next one free.",
            "ge": 0,
            "le": 65535,
        },
    )
    token: str | None = field(
        default=None, metadata={"help": "What everybody who reads them has to know; better set as a variable."}
    )
    report: Path | None = field(
        default=None, metadata={"help": "Write what happened to this file, as JSON, when the run has ended."}
    )
    durable: Path | None = field(
        default=None, metadata={"help": "Keep the run in this folder, so that --resume can go on with it."}
    )
    resume: Path | None = field(
        default=None,
        metadata={"help": "Go on with the run in this folder; target and options are those that it began with."},
    )
    fresh: bool = field(
        default=False,
        metadata={"help": "Begin anew where --durable finds a run already; the old one is kept beside it."},
    )
    fresh_state: str | None = field(
        default=None,
        metadata={
            "help": "Actors, with commas between them, that --resume lets begin with new states; the old ones are kept."
        },
    )
    sync: bool | None = field(
        default=None,
        metadata={
            "help": "Have a durable run survive a loss of power too: each commit is on the disk before anybody sees it."
        },
    )
    chaos: float = field(
        default=0.0,
        metadata={
            "help": "Kill actors at random, so many a second, and have the graph's own check judge the result.",
            "ge": 0,
            "le": MOST,
            "allow_inf_nan": False,
        },
    )
    freeze: float = field(
        default=0.0,
        metadata={
            "help": "Share of these strikes, from 0 to 1, that stop an actor for a moment instead of killing it.",
            "ge": 0,
            "le": 1,
            "allow_inf_nan": False,
        },
    )
    seed: int | None = field(
        default=None, metadata={"help": "Throw the dice of the chaos as the run with this seed did.", "ge": 0}
    )


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One field of a settings class: what it is called, what it takes, and how a value is read."""

    name: str
    table: str
    kind: str
    """The type as help shows it: INTEGER, fast|slow, ..."""
    help: str
    env: str
    default: Any
    """The field's default, or `dataclasses.MISSING` where a value must be given."""
    adapter: TypeAdapter[Any]

    @property
    def option(self) -> str:
        """The option of the command line: `--shutdown-timeout`."""
        return "--" + self.name.replace("_", "-")

    @property
    def is_flag(self) -> bool:
        """Whether the option takes no value, but has a `--no-` twin."""
        return self.kind == KINDS[bool]

    def from_text(self, text: str, place: str) -> Any:  # noqa: ANN401 - the type is the field's, known to its adapter
        """The value that an option or an environment variable spells."""
        return self._checked(lambda: self.adapter.validate_strings(text), text, place)

    def from_toml(self, value: object, place: str) -> Any:  # noqa: ANN401 - the type is the field's
        """The value of a configuration file, which has types of its own: "5" is no number there."""
        as_json = json.dumps(value, default=str)
        return self._checked(lambda: self.adapter.validate_json(as_json, strict=True), value, place)

    @staticmethod
    def _checked(read: Callable[[], object], value: object, place: str) -> object:
        try:
            return read()
        except ValidationError as error:
            # "Input should be a valid integer, unable to parse string as an integer": the first half says it all.
            reason = error.errors()[0]["msg"].partition(", unable to")[0].replace("Input should be", "must be")
            raise ConfigurationError(f"{place}: {reason[0].lower()}{reason[1:]}, not {value!r}") from None
        except TypeError as error:  # a bound that goes with no value of its type
            raise ConfigurationError(f"{place}: what its metadata asks of it does not suit its type: {error}") from None


@dataclass(frozen=True)
class ConfigurationFile:
    """A TOML file that was read: its tables, and its text to find lines in."""

    path: Path
    text: str
    tables: Mapping[str, Mapping[str, object]]

    def place(self, table: str, key: str | None = None) -> str:
        """Where something stands: `fast.toml, line 3: args.rate`."""
        name = table if key is None else f"{table}.{key}"
        line = self._line(table, key)
        return f"{self.path}, line {line}: {name}" if line else f"{self.path}: {name}"

    def _line(self, table: str, key: str | None) -> int | None:
        # The first line with which the file, read up to there, has the name: true for every way that TOML can write it.
        lines = self.text.splitlines(keepends=True)
        for count in range(1, len(lines) + 1):
            try:
                found = tomllib.loads("".join(lines[:count]))
            except tomllib.TOMLDecodeError:
                continue
            if table in found and (key is None or key in found[table]):
                return count
        return None


def read_file(path: Path) -> ConfigurationFile:
    """Read a configuration file; one that can't be used is refused with the line where it goes wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: can't read the configuration: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{path}, line {line}: is no UTF-8 text; TOML must be") from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: is no TOML: {_with_line(str(error), text)}") from None
    except (ValueError, RecursionError):  # Python's own limits, with no word of where
        raise ConfigurationError(f"{path}: has a number too long, or tables nested too deep, to be read") from None
    file = ConfigurationFile(path, text, tables)
    for name, table in tables.items():
        if name not in ("run", "args"):
            known = "the tables are [run] and [args]"
            raise ConfigurationError(f"{file.place(name)} is not known; {known}")
        if not isinstance(table, dict):
            raise ConfigurationError(f"{file.place(name)} must be a table: write [{name}] above its settings")
    return file


def _with_line(message: str, text: str) -> str:
    # tomllib gives the line of every fault but one: an end of file in the middle of something.
    lines = max(1, len(text.splitlines()))
    message = message.replace("at end of document", f"at line {lines}, the last one")
    return message[0].lower() + message[1:]


def settings_of(cls: type, table: str) -> dict[str, Setting]:
    """The settings that a dataclass declares, by name; `table` is where a configuration file has them."""
    try:
        hints = get_type_hints(cls)
    except Exception as error:  # noqa: BLE001 - evaluating somebody's annotations can raise anything
        raise ConfigurationError(f"{cls.__module__}.{cls.__qualname__}: can't read its types: {error}") from None
    return {
        each.name: _setting(each, hints[each.name], table, f"{cls.__module__}.{cls.__qualname__}.{each.name}")
        for each in dataclasses.fields(cls)
        if each.init
    }


def _setting(declared: dataclasses.Field[Any], hint: object, table: str, place: str) -> Setting:
    kind, annotation = _kind(hint, place)
    bounds = {key: declared.metadata[key] for key in BOUNDS if key in declared.metadata}
    default = declared.default
    if default is MISSING and declared.default_factory is not MISSING:
        try:
            default = declared.default_factory()
        except Exception as error:  # noqa: BLE001 - it is somebody else's code
            reason = f"{type(error).__name__}: {error}"
            raise ConfigurationError(f"{place}: its default_factory raised {reason}") from None
    try:
        adapter = TypeAdapter(Annotated[annotation, Field(**bounds)] if bounds else annotation)
    except Exception as error:  # noqa: BLE001 - pydantic has several, also in Rust
        reason = " ".join(str(error).split())
        raise ConfigurationError(f"{place}: what its metadata asks of it makes no sense: {reason}") from None
    return Setting(
        name=declared.name,
        table=table,
        kind=kind,
        help=str(declared.metadata.get("help", "")),
        env=str(declared.metadata.get("env", "STEADY_MP_" + declared.name.upper())),
        default=default,
        adapter=adapter,
    )


def _kind(hint: object, place: str) -> tuple[str, Any]:
    """The name of a type in help, and the annotation by which pydantic reads it."""
    if get_origin(hint) in (Union, types.UnionType):
        options = [each for each in get_args(hint) if each is not type(None)]
        hint = options[0] if len(options) == 1 else hint
    if isinstance(hint, type) and hint in KINDS:
        return KINDS[hint], hint
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        spelled = all(isinstance(member.value, str) for member in hint)
        return _choice({member.value if spelled else member.name.lower(): member for member in hint})
    if get_origin(hint) is Literal:
        return _choice({str(each): each for each in get_args(hint)})
    known = "int, float, str, bool, Path, a Literal, an Enum, or one of these | None"
    raise ConfigurationError(f"{place}: {getattr(hint, '__name__', hint)} can't be an option; the types are {known}")


def _choice(members: dict[str, Any]) -> tuple[str, Any]:
    def spelled(value: object) -> object:
        if isinstance(value, str):
            return value if value in members else value.lower()
        # A file has numbers of its own; and what can't be looked up, as a list, is to be refused and not to raise.
        return next((word for word, each in members.items() if type(each) is type(value) and each == value), value)

    words = Literal[tuple(members)]  # type: ignore[valid-type]  # its members are known at run time only
    return "|".join(members), Annotated[words, BeforeValidator(spelled), AfterValidator(members.__getitem__)]


def merge(
    cls: type[Settings],
    settings: Mapping[str, Setting],
    *,
    options: Mapping[str, str],
    environ: Mapping[str, str],
    file: ConfigurationFile | None = None,
) -> Settings:
    """Make the settings object: option over environment over file over default.

    An environment variable that is empty counts as one that is not set.
    """
    values: dict[str, object] = {}
    for setting in settings.values():
        given = file.tables.get(setting.table, {}) if file else {}
        if setting.name in options:
            values[setting.name] = setting.from_text(options[setting.name], setting.option)
        elif environ.get(setting.env):
            values[setting.name] = setting.from_text(environ[setting.env], f"environment variable {setting.env}")
        elif file and setting.name in given:
            place = file.place(setting.table, setting.name)
            values[setting.name] = setting.from_toml(given[setting.name], place)
        elif setting.default is MISSING:
            ways = f"{setting.option} {setting.kind}, {setting.env}, or {setting.name} in [{setting.table}]"
            raise ConfigurationError(f"{setting.name} must be given: {ways}")
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:  # what a __post_init__ raises at values that don't go together
        raise ConfigurationError(f"{cls.__qualname__}: {error}") from None
    except Exception as error:  # noqa: BLE001 - and what it raises where it fails itself
        raise ConfigurationError(f"{cls.__qualname__}: {type(error).__name__}: {error}") from None


def refuse_unknown(file: ConfigurationFile, table: str, known: Iterable[str]) -> None:
    """Refuse a key that nobody reads, so that a slip of the pen can't pass for a setting."""
    names = sorted(known)
    for key in file.tables.get(table, {}):
        if key in names:
            continue
        near = difflib.get_close_matches(key, names, n=1, cutoff=0.0)
        mend = f"did you mean {near[0]!r}?" if near else f"[{table}] has no settings here"
        raise ConfigurationError(f"{file.place(table, key)} is not known; {mend}")
