"""The commands for what has gone wrong for good, as typer sees them; each one's own file does the work."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import Annotated, Final

import typer

from steady_mp.cli.dead_letters import export, list_letters, replay, show_letter
from steady_mp.cli.operating import ActorName, Json, RunOption  # noqa: TC001 - typer reads them
from steady_mp.cli.revive import revive

rescue: Final = typer.Typer()
_letters: Final = typer.Typer(no_args_is_help=True, help="Messages that were put aside: their receiver died over them.")
rescue.add_typer(_letters, name="dead-letters")


@rescue.command("revive")
def _revive(
    actor: ActorName,
    *,
    skip_head: Annotated[
        bool, typer.Option("--skip-head", help="Put the message aside first that it had in hand when it died.")
    ] = False,
    which: RunOption = None,
    as_json: Json = False,
) -> None:
    """Give an actor that was given up another life, from its last commit, while the others go on."""
    raise typer.Exit(revive(actor, which, skip_head=skip_head, as_json=as_json))


@_letters.command("list")
def _list(*, which: RunOption = None, as_json: Json = False) -> None:
    """Show what was put aside, and why."""
    raise typer.Exit(list_letters(which, as_json=as_json))


@_letters.command("show")
def _show(
    letter: Annotated[str, typer.Argument(metavar="CHANNEL@POSITION", help="A letter, as list has it.")],
    *,
    which: RunOption = None,
    as_json: Json = False,
) -> None:
    """Show one letter: its message, and every death with it in hand."""
    raise typer.Exit(show_letter(letter, which, as_json=as_json))


@_letters.command("replay")
def _replay(
    letters: Annotated[
        list[str] | None, typer.Argument(metavar="CHANNEL@POSITION…", help="Letters, as list has them.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    which: RunOption = None,
    as_json: Json = False,
) -> None:
    """Give letters back to their receiver, each exactly once, before anything else that it takes."""
    raise typer.Exit(replay(letters or [], which, everything=everything, as_json=as_json))


@_letters.command("export")
def _export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; what is there is replaced.")],
    *,
    which: RunOption = None,
    as_json: Json = False,
) -> None:
    """Write all letters to a file: one JSON object a line, the message as a pickle in base64."""
    raise typer.Exit(export(file, which, as_json=as_json))
