"""docs/operating.md names every command for a run, and no command or option that does not exist."""

from __future__ import annotations

import re
from functools import cache

import pytest
import typer.main

from steady_mp.cli.main import app
from steady_mp.cli.operating import operating
from steady_mp.cli.rescue import rescue
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
