"""The commands for a run on this machine, as typer sees them; each one's own file does the work."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated, Final

import typer

from steady_mp.cli.clean import clean
from steady_mp.cli.completion import actors_like, channels_like, runs_like
from steady_mp.cli.dump import dump
from steady_mp.cli.health import health
from steady_mp.cli.kill import kill
from steady_mp.cli.peek import peek
from steady_mp.cli.ps import ps
from steady_mp.cli.stack import stack
from steady_mp.cli.state import state
from steady_mp.cli.stop import stop
from steady_mp.cli.why import why
from steady_mp.memory.standing import STALL

operating: Final = typer.Typer()

_RUN_HELP: Final = "Its graph's name or its directory; not needed for the only one."
_Run = Annotated[str | None, typer.Argument(metavar="RUN", help=_RUN_HELP, autocompletion=runs_like)]
_RunOption = Annotated[str | None, typer.Option("--run", metavar="RUN", help=_RUN_HELP, autocompletion=runs_like)]
_Json = Annotated[bool, typer.Option("--json", help="Write JSON, for a program.")]
_Actor = Annotated[
    str, typer.Argument(metavar="ACTOR", help="The actor's name, as ps shows it.", autocompletion=actors_like)
]


@operating.command("ps")
def _ps(which: _Run = None, *, as_json: _Json = False) -> None:
    """Show the runs of this machine and their actors."""
    raise typer.Exit(ps(which, as_json=as_json))


@operating.command("why")
def _why(
    actor: Annotated[
        str | None,
        typer.Argument(
            metavar="ACTOR",
            help="The actor's name; the last failure of any where it is left out.",
            autocompletion=actors_like,
        ),
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All reports, not only the last failure.")] = False,
    which: _RunOption = None,
    as_json: _Json = False,
) -> None:
    """Show what an actor died of, what it had in hand, and what followed; also when the run is over."""
    raise typer.Exit(why(actor, which, everything=everything, as_json=as_json))


@operating.command("stop")
def _stop(
    which: _Run = None,
    *,
    now: Annotated[bool, typer.Option("--now", help="Do not drain: kill every actor.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the run has gone.")] = True,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.0, help="Wait at most so long.")] = 60.0,
    as_json: _Json = False,
) -> None:
    """Drain a run and stop it; the exit status is that of the run."""
    raise typer.Exit(stop(which, now=now, wait=wait, timeout=timeout, as_json=as_json))


@operating.command("kill")
def _kill(
    actor: _Actor,
    *,
    name: Annotated[str, typer.Option("--signal", metavar="NAME", help="KILL, TERM, STOP, CONT, … or a number.")] = (
        "KILL"
    ),
    which: _RunOption = None,
    as_json: _Json = False,
) -> None:
    """Send a signal to an actor's process; what dies is restarted from its last commit."""
    raise typer.Exit(kill(actor, which, name=name, as_json=as_json))


@operating.command("state")
def _state(actor: _Actor, *, which: _RunOption = None, as_json: _Json = False) -> None:
    """Show what an actor last committed, without touching it."""
    raise typer.Exit(state(actor, which, as_json=as_json))


@operating.command("health")
def _health(
    which: _Run = None,
    *,
    stall: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0.0,
            help=f"Stuck is who ends no turn for so long. Default: its stall_timeout, or {STALL:g}.",
        ),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Answer a probe: 0 when every actor can be relied on, else 1 and the reason."""
    raise typer.Exit(health(which, stall=stall, as_json=as_json))


@operating.command("clean")
def _clean(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list it.")] = False,
    kept: Annotated[bool, typer.Option("--kept", help="Remove also the death reports that are kept for why.")] = False,
    as_json: _Json = False,
) -> None:
    """Remove what runs left behind whose supervisor is provably dead."""
    raise typer.Exit(clean(dry_run=dry_run, kept=kept, as_json=as_json))


@operating.command("stack")
def _stack(
    actor: Annotated[
        str | None,
        typer.Argument(
            metavar="ACTOR", help="The actor's name; all actors where it is left out.", autocompletion=actors_like
        ),
    ] = None,
    *,
    which: _RunOption = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.0, help="Wait at most so long for each.")] = 3.0,
    as_json: _Json = False,
) -> None:
    """Show where actors are in their code, also when they hang."""
    raise typer.Exit(stack(actor, which, timeout=timeout, as_json=as_json))


@operating.command("peek")
def _peek(
    channel: Annotated[
        str,
        typer.Argument(
            metavar="CHANNEL", help="Its name, as top shows it; -> will do for →.", autocompletion=channels_like
        ),
    ],
    *,
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=10_000, help="How many messages.")] = 5,
    which: _RunOption = None,
    as_json: _Json = False,
) -> None:
    """Show the next messages of a channel, without taking them."""
    raise typer.Exit(peek(channel, which, count=count, as_json=as_json))


@operating.command("dump")
def _dump(
    which: _Run = None,
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to; .tar.gz, .tgz or .zip.")
    ] = None,
    payloads: Annotated[
        bool, typer.Option("--payloads", help="With what messages, states and arguments contain.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.0, help="Wait at most so long for each stack.")
    ] = 3.0,
    as_json: _Json = False,
) -> None:
    """Write all that is known of a run, dead or alive, into one archive for a bug report."""
    raise typer.Exit(dump(which, output=output, payloads=payloads, timeout=timeout, as_json=as_json))
