from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest

from actors import Args
from steady_mp.config import RunSettings, merge, read_file, refuse_unknown, settings_of
from steady_mp.errors import ConfigurationError

SHIPPED = Path(__file__).parents[2] / "config"


class Side(Enum):
    BUY = "buy"
    SELL = "sell"


class Level(Enum):
    LOW = 1
    HIGH = 2


@dataclass(frozen=True, kw_only=True)
class Every:
    """One field of each type that can be an option."""

    count: int = field(default=1, metadata={"help": "How many.", "gt": 0, "le": 10})
    share: float = 0.5
    name: str = "all"
    dry: bool = False
    folder: Path = Path()
    mode: Literal["fast", "slow"] = "fast"
    pick: Literal[1, 2] = 1
    side: Side = Side.BUY
    level: Level = Level.LOW
    limit: float | None = None


@dataclass(frozen=True)
class Range:
    low: int
    high: int = 10

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")


EVERY = settings_of(Every, "args")


def merged(options: dict[str, str] | None = None, environ: dict[str, str] | None = None) -> Every:
    return merge(Every, EVERY, options=options or {}, environ=environ or {})


def written(folder: Path, text: str) -> Path:
    path = folder / "some.toml"
    path.write_text(text, encoding="utf-8")
    return path


def from_file(folder: Path, text: str) -> Every:
    file = read_file(written(folder, text))
    refuse_unknown(file, "args", EVERY)
    return merge(Every, EVERY, options={}, environ={}, file=file)


# Where a value comes from


def test_without_anything_the_defaults_hold() -> None:
    assert merged() == Every()


def test_an_option_goes_before_the_environment_that_before_the_file_and_that_before_the_default(tmp_path: Path) -> None:
    file = read_file(written(tmp_path, "[args]\ncount = 2\nname = 'file'\nshare = 0.25\n"))
    environ = {"STEADY_MP_COUNT": "3", "STEADY_MP_NAME": "environment"}
    result = merge(Every, EVERY, options={"count": "4"}, environ=environ, file=file)
    assert (result.count, result.name, result.share, result.mode) == (4, "environment", 0.25, "fast")


def test_an_empty_environment_variable_is_not_set() -> None:
    assert merged(environ={"STEADY_MP_COUNT": ""}).count == 1


def test_the_log_level_has_an_environment_variable_of_its_own() -> None:
    settings = settings_of(RunSettings, "run")
    assert merge(RunSettings, settings, options={}, environ={"STEADY_MP_LOG": "DEBUG"}).log_level == "debug"


def test_a_value_that_has_no_default_must_be_given() -> None:
    with pytest.raises(
        ConfigurationError, match=r"low must be given: --low INTEGER, STEADY_MP_LOW, or low in \[args\]"
    ):
        merge(Range, settings_of(Range, "args"), options={}, environ={})


def test_values_that_do_not_go_together_are_refused_by_their_class() -> None:
    with pytest.raises(ConfigurationError, match="Range: low 11 is above high 10"):
        merge(Range, settings_of(Range, "args"), options={"low": "11"}, environ={})


# Types


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", "7", 7),
        ("share", "2", 2.0),
        ("name", "", ""),
        ("dry", "True", True),
        ("dry", "no", False),
        ("folder", "a/b", Path("a/b")),
        ("mode", "SLOW", "slow"),
        ("pick", "2", 2),
        ("side", "sell", Side.SELL),
        ("level", "high", Level.HIGH),
        ("limit", "-1.5", -1.5),
    ],
)
def test_an_option_spells_a_value(name: str, text: str, value: object) -> None:
    assert getattr(merged({name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("count", "x", "--count: must be a valid integer, not 'x'"),
        ("count", "1.5", "--count: must be a valid integer, not '1.5'"),
        ("count", "0", "--count: must be greater than 0, not '0'"),
        ("count", "11", "--count: must be less than or equal to 10, not '11'"),
        ("share", "half", "--share: must be a valid number, not 'half'"),
        ("dry", "maybe", "--dry: must be a valid boolean, not 'maybe'"),
        ("mode", "quick", "--mode: must be 'fast' or 'slow', not 'quick'"),
        ("side", "both", "--side: must be 'buy' or 'sell', not 'both'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        merged({name: text})
    assert str(refused.value) == message


def test_the_environment_variable_is_named() -> None:
    with pytest.raises(ConfigurationError, match="environment variable STEADY_MP_COUNT: must be a valid integer"):
        merged(environ={"STEADY_MP_COUNT": "x"})


def test_a_type_that_no_option_can_spell_is_refused_by_name() -> None:
    @dataclass
    class Bad:
        names: list[str]

    Bad.__annotations__["names"] = list[str]
    with pytest.raises(ConfigurationError, match=r"Bad\.names: list.* can't be an option; the types are int, float"):
        settings_of(Bad, "args")


def test_a_type_that_does_not_exist_is_refused() -> None:
    @dataclass
    class Bad:
        name: Nowhere  # type: ignore[name-defined]  # noqa: F821 - the mistake under test

    with pytest.raises(ConfigurationError, match=r"Bad: can't read its types: name 'Nowhere' is not defined"):
        settings_of(Bad, "args")


# The file


def test_a_file_has_types_of_its_own(tmp_path: Path) -> None:
    text = "[args]\ncount = 2\nshare = 1\ndry = true\nfolder = 'x'\nmode = 'slow'\npick = 2\nside = 'sell'\n"
    assert from_file(tmp_path, text) == Every(
        count=2, share=1.0, dry=True, folder=Path("x"), mode="slow", pick=2, side=Side.SELL
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[args]\n\ncount = '2'\n", "some.toml, line 3: args.count: must be a valid integer, not '2'"),
        ("[args]\ncount = 2.0\n", "some.toml, line 2: args.count: must be a valid integer, not 2.0"),
        ("[args]\ncount = true\n", "some.toml, line 2: args.count: must be a valid integer, not True"),
        ("[args]\ncount = -1\n", "some.toml, line 2: args.count: must be greater than 0, not -1"),
        ("[args]\nmode = ['slow']\n", "some.toml, line 2: args.mode: must be 'fast' or 'slow', not ['slow']"),
        ("[args]\nmode = {}\n", "some.toml, line 2: args.mode: must be 'fast' or 'slow', not {}"),
        ("[args]\npick = true\n", "some.toml, line 2: args.pick: must be '1' or '2', not True"),
        ("args.name = 3\n", "some.toml, line 1: args.name: must be a valid string, not 3"),
        ("[args]\ncuont = 2\n", "some.toml, line 2: args.cuont is not known; did you mean 'count'?"),
        ("\n[arg]\ncount = 2\n", "some.toml, line 2: arg is not known; the tables are [run] and [args]"),
        ("rate = 2\n", "some.toml, line 1: rate is not known; the tables are [run] and [args]"),
        ("args = 2\n", "some.toml, line 1: args must be a table: write [args] above its settings"),
        ("[args]\ncount = \n", "some.toml: is no TOML: invalid value (at line 2, column 9)"),
    ],
)
def test_a_wrong_file_is_refused_with_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        from_file(tmp_path, text)
    assert str(refused.value).removeprefix(f"{tmp_path}/") == message


@pytest.mark.parametrize("value", ["1" * 5000, "[" * 5000], ids=["long", "deep"])
def test_what_is_beyond_pythons_own_limits_is_refused(value: str, tmp_path: Path) -> None:
    path = tmp_path / "some.toml"
    path.write_text(f"[args]\ncount = {value}\n")
    with pytest.raises(ConfigurationError, match=r"some.toml: has a number too long, or tables nested too deep, to"):
        read_file(path)


def test_a_file_that_ends_too_early_has_a_line_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"is no TOML: .* \(at line 2, the last one\)$"):
        from_file(tmp_path, "[args]\nname = '''x")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"none\.toml: can't read the configuration: No such file or directory"
    ):
        read_file(tmp_path / "none.toml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't read the configuration: Is a directory"):
        read_file(tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b"[args]\nname = '\xe9'\n")
    with pytest.raises(ConfigurationError, match=r"latin\.toml, line 2: is no UTF-8 text"):
        read_file(path)


def test_a_key_for_a_target_that_takes_nothing_is_refused(tmp_path: Path) -> None:
    file = read_file(written(tmp_path, "[args]\nrate = 1\n"))
    with pytest.raises(ConfigurationError, match=r"line 2: args\.rate is not known; \[args\] has no settings here"):
        refuse_unknown(file, "args", {})


def test_a_default_that_can_not_be_made_is_refused() -> None:
    made = dataclasses.make_dataclass("Made", [("port", int, field(default_factory=lambda: int("x")))])
    with pytest.raises(ConfigurationError, match=r"Made\.port: its default_factory raised ValueError: invalid literal"):
        settings_of(made, "args")


def test_settings_that_refuse_themselves_by_any_error_are_refused() -> None:
    def check(_self: object) -> None:
        raise LookupError("no such place")

    made = dataclasses.make_dataclass("Made", [("port", int, 1)], namespace={"__post_init__": check})
    with pytest.raises(ConfigurationError, match=r"^Made: LookupError: no such place$"):
        merge(made, settings_of(made, "args"), options={}, environ={})


@pytest.mark.parametrize(
    ("kind", "metadata"), [(str, {"pattern": "("}), (int, {"ge": "a"}), (str, {"ge": 1}), (int, {"max_length": 3})]
)
def test_what_is_asked_of_a_value_has_to_suit_its_type(kind: type, metadata: dict[str, Any]) -> None:
    declared = dataclasses.make_dataclass("Asked", [("city", kind, dataclasses.field(metadata=metadata))])
    with pytest.raises(ConfigurationError, match="what its metadata asks of it") as refused:
        settings_of(declared, "args")["city"].from_text("5", "--city")
    assert "\n" not in str(refused.value)
    assert "city" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("standard", {"rate": 1000, "beats": 120}),
        ("fast", {"rate": 100, "beats": 20}),
        ("slow", {"rate": 2000, "beats": 5}),
    ],
)
def test_the_files_that_are_shipped_hold(name: str, args: dict[str, Any]) -> None:

    file = read_file(SHIPPED / f"{name}.toml")
    settings = settings_of(Args, "args")
    run = settings_of(RunSettings, "run")
    refuse_unknown(file, "args", settings)
    refuse_unknown(file, "run", run)
    assert merge(Args, settings, options={}, environ={}, file=file) == Args(**args)
    assert merge(RunSettings, run, options={}, environ={}, file=file) == RunSettings()
