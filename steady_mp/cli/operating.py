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
from steady_mp.errors import ConfigurationError
from steady_mp.memory.standing import STALL

operating: Final = typer.Typer()

# What commands take alike, here and in the rooms beside.
_RUN_HELP: Final = "Its graph's name or its directory; not needed for the only one."
RunName = Annotated[str | None, typer.Argument(metavar="RUN", help=_RUN_HELP, autocompletion=runs_like)]
RunOption = Annotated[str | None, typer.Option("--run", metavar="RUN", help=_RUN_HELP, autocompletion=runs_like)]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for a program.")]
ActorName = Annotated[
    str, typer.Argument(metavar="ACTOR", help="The actor's name, as ps shows it.", autocompletion=actors_like)
]


def one_of(which: str | None, also: str | None) -> str | None:
    """Return the run that is meant, as the argument or, as all the other commands have it, as --run."""
    if which is not None and also is not None:
        raise ConfigurationError(f"{which!r} and --run {also!r} both name a run: give one of them")
    return also if which is None else which


@operating.command("ps")
def _ps(which: RunName = None, *, also: RunOption = None, as_json: Json = False) -> None:
    """Show the runs of this machine and their actors."""
    raise typer.Exit(ps(one_of(which, also), as_json=as_json))


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
    which: RunOption = None,
    as_json: Json = False,
) -> None:
    """Show what an actor died of, what it had in hand, and what followed; also when the run is over."""
    raise typer.Exit(why(actor, which, everything=everything, as_json=as_json))


@operating.command("stop")
def _stop(  # noqa: PLR0913 - one an option
    which: RunName = None,
    *,
    also: RunOption = None,
    now: Annotated[bool, typer.Option("--now", help="Do not drain: kill every actor.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the run has gone.")] = True,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.0, help="Wait at most so long.")] = 60.0,
    as_json: Json = False,
) -> None:
    """Drain a run and stop it; the exit status is that of the run."""
    raise typer.Exit(stop(one_of(which, also), now=now, wait=wait, timeout=timeout, as_json=as_json))


@operating.command("kill")
def _kill(
    actor: ActorName,
    *,
    name: Annotated[str, typer.Option("--signal", metavar="NAME", help="KILL, TERM, STOP, CONT, … or a number.")] = (
        "KILL"
    ),
    which: RunOption = None,
    as_json: Json = False,
) -> None:
    """Send a signal to an actor's process; what dies is restarted from its last commit."""
    raise typer.Exit(kill(actor, which, name=name, as_json=as_json))


@operating.command("state")
def _state(actor: ActorName, *, which: RunOption = None, as_json: Json = False) -> None:
    """Show what an actor last committed, without touching it."""
    raise typer.Exit(state(actor, which, as_json=as_json))


@operating.command("health")
def _health(
    which: RunName = None,
    *,
    also: RunOption = None,
    stall: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0.0,
            help=f"Stuck is who ends no turn for so long. Default: its stall_timeout, or {STALL:g}.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Answer a probe: 0 when every actor can be relied on, else 1 and the reason."""
    raise typer.Exit(health(one_of(which, also), stall=stall, as_json=as_json))


@operating.command("clean")
def _clean(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list it.")] = False,
    kept: Annotated[bool, typer.Option("--kept", help="Remove also the death reports that are kept for why.")] = False,
    as_json: Json = False,
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
    which: RunOption = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.0, help="Wait at most so long for each.")] = 3.0,
    as_json: Json = False,
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
    which: RunOption = None,
    as_json: Json = False,
) -> None:
    """Show the next messages of a channel, without taking them."""
    raise typer.Exit(peek(channel, which, count=count, as_json=as_json))


@operating.command("dump")
def _dump(  # noqa: PLR0913 - one an option
    which: RunName = None,
    *,
    also: RunOption = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to; .tar.gz, .tgz or .zip.")
    ] = None,
    payloads: Annotated[
        bool, typer.Option("--payloads", help="With what messages, states and arguments contain.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.0, help="Wait at most so long for each stack.")
    ] = 3.0,
    as_json: Json = False,
) -> None:
    """Write all that is known of a run, dead or alive, into one archive for a bug report."""
    raise typer.Exit(dump(one_of(which, also), output=output, payloads=payloads, timeout=timeout, as_json=as_json))
