"""docs/operating.md names every command for a run, and no command or option that does not exist."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any

import pytest
import typer.main

from steady_mp import ConfigurationError, Graph, recycling
from steady_mp.cli import stop
from steady_mp.cli.main import app
from steady_mp.cli.operating import operating
from steady_mp.cli.rescue import rescue
from steady_mp.cli.view import STYLES
from steady_mp.memory import deaths, kept
from steady_mp.memory.standing import STALL
from tests.unit.source import ROOT

PAGE = ROOT / "docs/operating.md"


@cache
def options() -> dict[str, set[str]]:
    """Return the options of each command."""
    commands = typer.main.get_group(app).commands
    return {
        name: {
            option
            for each in (command, *getattr(command, "commands", {}).values())
            for parameter in each.params
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
        for name, command in commands.items()
    }


def commands_for_a_run() -> set[str]:
    alone = [*operating.registered_commands, *rescue.registered_commands]
    return {each.name or "" for each in alone} | {each.name or "" for each in rescue.registered_groups}


@pytest.mark.parametrize("command", sorted(commands_for_a_run()))
def test_each_command_is_on_the_page_and_speaks_json(command: str) -> None:
    assert f"steady-mp {command}" in PAGE.read_text(encoding="utf-8")
    assert "--json" in options()[command]


def test_each_command_for_letters_is_on_the_page_and_speaks_json() -> None:
    group = typer.main.get_group(app).commands["dead-letters"]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert f"steady-mp dead-letters {name}" in PAGE.read_text(encoding="utf-8")
        assert any("--json" in parameter.opts for parameter in command.params), name


@pytest.mark.parametrize("line", re.findall(r"steady-mp [a-z][^`\n|]*", PAGE.read_text(encoding="utf-8")))
def test_what_the_page_says_can_be_typed(line: str) -> None:
    command, *words = line.split()[1:]
    assert command in options()
    if command != "run":
        for word in words:
            assert not word.startswith("-") or word in options()[command] or word.startswith("->"), line


@pytest.mark.parametrize("option", sorted(set(re.findall(r"`(--[a-z-]+)", PAGE.read_text(encoding="utf-8")))))
def test_each_option_belongs_to_a_command(option: str) -> None:
    everywhere = {option for each in options().values() for option in each} | {"--install-completion", "--resume"}
    assert option in everywhere


def default_of(command: str, option: str) -> object:
    found = typer.main.get_group(app).commands[command]
    return next(parameter.default for parameter in found.params if option in parameter.opts)


def figures() -> dict[str, object]:
    """Return sentences of the page with a gap, and the figure of the code that has to fill it."""
    return {
        "the first and the latest {} of each actor": deaths.MOST_LATEST,
        "up to {}; what it printed right before a SIGKILL": deaths.MOST_LINES,
        "of the latest {} runs, ": kept.MOST_RUNS,
        "{} MiB of each at most": kept.MOST_BYTES >> 20,
        "`stall_timeout` ({} s where it has none)": f"{STALL:g}",
        "(else: its `stall_timeout`, or {})": f"{STALL:g}",
        "After `--timeout` ({} s) it gives up waiting": f"{default_of('stop', '--timeout'):g}",
        "that is said after `--timeout` ({} s)": f"{default_of('stack', '--timeout'):g}",
        "does not answer within {} s": f"{2 * stop._ANSWER:g}",
        "looked at {} a second at most": {4: "four times"}[round(1 / recycling._LOOK)],
    }


@pytest.mark.parametrize("sentence", figures())
def test_each_figure_is_that_of_the_code(sentence: str) -> None:
    words = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert sentence.format(figures()[sentence]) in words


def test_the_policies_for_a_showstopper_are_those_of_a_channel() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition("| `showstopper` |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)
    graph: Any = Graph()
    for policy in named:
        graph.channel(1, showstopper=policy)
    with pytest.raises(ConfigurationError, match="showstopper") as refusal:
        graph.channel(1, showstopper="pardon")
    assert all(policy in str(refusal.value) for policy in named)
    assert "showstopper_after=3" in text
    assert inspect.signature(Graph.channel).parameters["showstopper_after"].default == 3


def test_each_state_that_is_shown_is_on_the_page() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| state | what it is |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z ]+)`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:])))
    assert {"running", "idle", "blocked on", "stuck", "debugged", "stopped", "given up", "dead"} <= named
    assert named - {"blocked on"} <= {*STYLES, "running", "idle", "starting", "finished"}
