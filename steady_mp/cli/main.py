"""The entry of `steady-mp`. A command's own file does the work; here its errors become lines and exit codes."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import threading
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Final

import typer

from steady_mp.cli.completion import with_target
from steady_mp.cli.debug import debug
from steady_mp.cli.graph import GRAPH, graph
from steady_mp.cli.operating import ActorName, RunName, RunOption, one_of, operating
from steady_mp.cli.options import RUN
from steady_mp.cli.rescue import rescue
from steady_mp.cli.run import run
from steady_mp.cli.systemd_unit import UNIT, systemd_unit
from steady_mp.cli.top import top
from steady_mp.cli.view import refused_writes, show_text, visible
from steady_mp.errors import ConfigurationError, ExitCode, SteadyError, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

app = typer.Typer(
    pretty_exceptions_enable=False,
    help="Run graphs of actors: one process each, restarted with its state, exactly once under kill -9.",
)


_WIDTH: Final = "TERMINAL_WIDTH"
#: What is wrong with a path itself, each time anew.
_OF_THE_PATH = {errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP}


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status. A user's mistake is one line on stderr, never a traceback.

    Without `words` this is the program itself: its words are those of the command line, and it ends now.
    """
    with _late_signals(is_program=words is None):
        return _main(list(sys.argv[1:] if words is None else words))


@contextlib.contextmanager
def _late_signals(*, is_program: bool) -> Iterator[None]:
    """Keep the exit status that a run has come to: no signal between its end and that of the program may change it.

    `run` puts a handler there that does nothing any more; at the end of the interpreter even that would be gone.
    """
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.SIG_IGN if is_program else before)
            if is_program:
                signal.signal(signal.SIGINT, signal.SIG_IGN)


def _main(words: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a terminal can't show is no reason to fail
    try:
        status = app(args=words, prog_name="steady-mp", standalone_mode=False)
    except typer.TyperException as error:
        message = f"{error.format_message()} (steady-mp --help shows what there is)"
        return _refuse(message, ExitCode.BAD_CONFIGURATION)
    except (ConfigurationError, ValueError) as error:
        return _refuse(_of_configuration(error), ExitCode.BAD_CONFIGURATION)
    except SteadyError as error:
        return _refuse(str(error), ExitCode.UNCLEAN)
    except OSError as error:
        return _refused(error)
    except (KeyboardInterrupt, typer.Abort):
        return _refuse("interrupted", ExitCode.INTERRUPTED)
    return int(status or 0)


def _refuse(message: str, status: ExitCode) -> int:
    print("steady-mp:", visible(" ".join(message.split())), file=sys.stderr)
    return status


def _of_configuration(error: ConfigurationError | ValueError) -> str:
    """Say what is wrong with the words, or with what typer reads where it first shows a help. Raises all else again."""
    if isinstance(error, ConfigurationError):
        return str(error)
    width = os.environ.get(_WIDTH, "")
    if not width or width.strip().isdecimal():
        raise error
    return f"{_WIDTH}={width!r}: must be a number of columns; set one, or unset it"


def _refused(error: OSError) -> int:
    """Say what the system has refused. Raises it again where nobody could mend anything by one line."""
    if error.filename is not None:
        status = ExitCode.BAD_CONFIGURATION if error.errno in _OF_THE_PATH else ExitCode.UNCLEAN
        return _refuse(f"{error.filename}: {in_words(error)}", status)
    if error.errno == errno.EMFILE:
        return _refuse(in_words(error), ExitCode.UNCLEAN)
    if error.errno != errno.ENOSPC:
        raise error
    # Typer shows `--help` itself, and knows nothing of `> file` on a full disk.
    with contextlib.suppress(SteadyError), refused_writes():
        sys.stdout.flush()  # where this is what is full, the end of the program would trip over it once more
    return _refuse(f"the output, or a file, can't be written: {error.strerror}", ExitCode.UNCLEAN)


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    *,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if show_version:
        show_text(f"steady-mp {version('steady-mp')}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        show_text(f"{context.get_help()}\n")
        raise typer.Exit(ExitCode.BAD_CONFIGURATION)


# The words after `run` are read by the command itself: which options there are depends on the target among them.
_WORDS = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}


@app.command("run", cls=with_target(RUN), add_help_option=False, context_settings=_WORDS)
def _run(context: typer.Context) -> None:
    """Run a graph until it has drained, the example pipeline where none is named."""
    raise typer.Exit(run(context.args, os.environ))


@app.command("graph", cls=with_target(GRAPH), add_help_option=False, context_settings=_WORDS)
def _graph(context: typer.Context) -> None:
    """Draw a graph without running it, as DOT or SVG."""
    raise typer.Exit(graph(context.args, os.environ))


@app.command("systemd-unit", cls=with_target({**RUN, **UNIT}), add_help_option=False, context_settings=_WORDS)
def _systemd_unit(context: typer.Context) -> None:
    """Print the systemd unit that does what `run` with the same words does."""
    raise typer.Exit(systemd_unit(context.args))


@app.command("top")
def _top(
    which: RunName = None,
    *,
    also: RunOption = None,
    once: Annotated[bool, typer.Option("--once", help="Show it once and leave.")] = False,
) -> None:
    """Show the actors and channels of a run on this machine, live, until Ctrl-C."""
    raise typer.Exit(top(one_of(which, also), once=once))


@app.command("pdb")
def _pdb(
    actor: ActorName,
    *,
    which: RunOption = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for its next breakpoint(), and for those after it.")
    ] = False,
) -> None:
    """Attach to an actor that waits at a breakpoint()."""
    raise typer.Exit(debug(actor, which, wait=wait))


app.add_typer(operating)
app.add_typer(rescue)
