from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from steady_mp.cli.options import CommandLine, find_target, parse, settings_for
from steady_mp.cli.target import Target, load_target
from steady_mp.errors import ConfigurationError


@dataclass(frozen=True)
class Args:
    symbol: str = field(metadata={"help": "What to trade [in words]."})
    max_orders: int = field(default=5, metadata={"gt": 0})
    dry: bool = True


def target_with(args: type | None) -> Target:
    return Target(module="shop.orders", function="build", build=print, args=args)


TARGET = target_with(Args)


def parsed(*words: str, target: Target = TARGET) -> CommandLine:
    """Read a line that names its target somewhere, or not at all: then it is put in front."""
    words = words if str(target) in words else (str(target), *words)
    line = parse(words, target, settings_for(target))
    assert line is not None
    return line


# Which word is the target


@pytest.mark.parametrize(
    "words",
    [
        "shop.orders:build",
        "shop.orders:build --symbol x --dry",
        "--symbol x shop.orders:build",
        "--symbol=x shop.orders:build",
        "--symbol x --dry shop.orders:build",
        "--log-level debug shop.orders:build --report r.json",
        "--config some:thing shop.orders:build",
        "--offset -5 shop.orders:build",
        "--help shop.orders:build",
        "-- shop.orders:build",
    ],
)
def test_the_target_stands_before_or_after_the_options(words: str) -> None:
    assert find_target(words.split()) == "shop.orders:build"


@pytest.mark.parametrize("words", ["", "--help", "--rate 500 --beats 60", "--log-level debug", "--mode fast --dry"])
def test_without_a_target_it_is_the_example(words: str) -> None:
    assert find_target(words.split()) == "actors:build_graph"


# What the options say


def test_only_what_is_given_is_a_value() -> None:
    assert parsed() == CommandLine(target="shop.orders:build", config=None, values={})


def test_options_are_read_before_and_after_the_target() -> None:
    line = parsed("--symbol", "x", "shop.orders:build", "--max-orders=7", "--config", "c.toml", "--log-level", "debug")
    assert line == CommandLine(
        target="shop.orders:build",
        config=Path("c.toml"),
        values={"symbol": "x", "max_orders": "7", "log_level": "debug"},
    )


@pytest.mark.parametrize(("word", "value"), [("--dry", "True"), ("--no-dry", "False")])
def test_a_flag_has_a_twin(word: str, value: str) -> None:
    assert parsed(word).values == {"dry": value}


def test_a_negative_number_is_a_value() -> None:
    assert parsed("--max-orders", "-5").values == {"max_orders": "-5"}


def test_a_target_without_args_brings_no_options() -> None:
    assert settings_for(target_with(None)) == {}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--symbl x", "No such option: --symbl"),
        ("--rate 5", "No such option: --rate"),
        ("--symbol", "Option '--symbol' requires an argument"),
        ("a:b c:d", "Got unexpected extra argument"),
        ("--dry=maybe", "--dry"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_way_to_help(words: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parsed(*words.split())
    line = str(refused.value)
    assert message in line
    assert line.endswith("`steady-mp run shop.orders:build --help` lists what shop.orders:build takes")
    assert "\n" not in line


def test_help_shows_every_option_with_its_default_and_its_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert parse(["--help"], TARGET, settings_for(TARGET)) is None
    shown = capsys.readouterr().out
    for text in (
        "shop.orders:build",
        "--config",
        "--log-level",
        "debug|info|warning|error",
        "(default info, STEADY_MP_LOG)",
        "--shutdown-timeout",
        "--report",
        "--symbol",
        "What to trade [in words]. (must be given, STEADY_MP_SYMBOL)",
        "--max-orders",
        "INTEGER",
        "(default 5, STEADY_MP_MAX_ORDERS)",
        "--no-dry",
        "(default yes, STEADY_MP_DRY)",
    ):
        assert text in shown


def test_the_example_has_its_two_options(capsys: pytest.CaptureFixture[str]) -> None:
    example = load_target("actors:build_graph")
    assert parse(["--help"], example, settings_for(example)) is None
    shown = capsys.readouterr().out
    assert "--rate" in shown
    assert "--beats" in shown


# Names that are taken


@pytest.mark.parametrize("name", ["report", "log_level", "config", "target", "help"])
def test_an_option_of_every_run_can_not_be_a_field(name: str) -> None:
    taken = type("Args", (), {"__annotations__": {name: int}, name: 1})
    with pytest.raises(ConfigurationError, match=rf"shop\.orders\.Args\.{name}: every run has that option"):
        settings_for(target_with(dataclass(taken)))


@pytest.mark.parametrize(
    ("name", "sets"), [("log", "STEADY_MP_LOG sets log_level"), ("root", "STEADY_MP_ROOT sets the folder of run dir")]
)
def test_a_variable_of_every_run_can_not_set_a_field(name: str, sets: str) -> None:
    taken = type("Args", (), {"__annotations__": {name: int}, name: 1})
    with pytest.raises(ConfigurationError, match=rf"Args\.{name}: {sets}"):
        settings_for(target_with(dataclass(taken)))
