"""`steady-mp run`: build the target's graph, run it until it has stopped, and say how it ended."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from steady_mp import ExitCode, Graph, LogSettings, Telemetry
from steady_mp.chaos import Monkey
from steady_mp.cli import again, report_file, summary, verdict
from steady_mp.cli.live import LiveCount
from steady_mp.cli.notify import Notifier
from steady_mp.cli.options import RUN, find_target, parse, settings_for
from steady_mp.cli.target import Target, describe, load_target
from steady_mp.cli.view import Terminal
from steady_mp.config import RunSettings, merge
from steady_mp.errors import ConfigurationError, SteadyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from steady_mp import Report, Run
    from steady_mp.config import ConfigurationFile
    from steady_mp.graph import Topology


_OF_LOG_FILE = ("log_file_size", "log_file_count")


def run(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Do what stands after `steady-mp run`; gives the exit status."""
    typed, words = words, again.complete(words, environ)
    _hear_term(_interrupt)
    target = load_target(find_target(words))
    settings = settings_for(target)
    with again.owning_up(typed, words):
        command_line = parse(words, target, settings)
    if command_line is None:
        return ExitCode.DRAINED
    file = command_line.read_file(run=RUN, args=settings)
    values = command_line.values
    of_run = merge_run(values, environ, file)
    again.refuse_without_token(of_run)
    of_graph = target.args and merge(target.args, settings, options=values, environ=environ, file=file)
    if of_run.report:
        report_file.check(of_run.report)
    if of_run.chaos:
        verdict.refuse_unfit(target)
    elif idle := [RUN[name].option for name in ("freeze", "seed") if name in values]:
        raise ConfigurationError(f"{idle[0]} does nothing without --chaos RATE; add it, like --chaos 5")
    if not of_run.log_file and (idle := [RUN[name].option for name in _OF_LOG_FILE if name in values]):
        raise ConfigurationError(f"{idle[0]} does nothing without --log-file FILE; add it, like --log-file run.log")
    report = _block(_build(target, of_run, of_graph), of_run, words)
    return _conclude(verdict.judge(report, target) if of_run.chaos else report, of_run)


def merge_run(values: Mapping[str, str], environ: Mapping[str, str], file: ConfigurationFile | None) -> RunSettings:
    """Make the settings of a run, from all places. Raises ConfigurationError for what does not go together.

    Between beginning a durable run and going on with one the place decides that goes before the other: `--resume DIR`
    goes on with a run that a configuration file, or the environment, has had begun.
    """
    of_run = merge(RunSettings, RUN, options=values, environ=environ, file=file)
    of_file = file.tables.get("run", {}) if file else {}

    def place(name: str) -> int:
        return 3 if name in values else 2 if environ.get(RUN[name].env) else 1 if name in of_file else 0

    durable, resume = place("durable"), place("resume")
    if of_run.resume and resume > durable:
        of_run = dataclasses.replace(of_run, durable=None, fresh=of_run.fresh and place("fresh") >= resume)
    elif of_run.durable and durable > resume:
        of_run = dataclasses.replace(of_run, resume=None)
    _refuse_at_odds(of_run)
    return of_run


def _refuse_at_odds(of_run: RunSettings) -> None:
    """Refuse options about the folder of a durable run that do not go together."""
    if of_run.durable and of_run.resume:
        raise ConfigurationError("--durable begins a run and --resume goes on with one: give one of them")
    if of_run.fresh and not of_run.durable:
        raise ConfigurationError("--fresh begins a run anew with --durable DIR; a resumed one has --fresh-state ACTOR")
    if of_run.fresh_state and not of_run.resume:
        raise ConfigurationError("--fresh-state does nothing without --resume DIR: it is for a run that goes on")
    if of_run.sync and not (of_run.durable or of_run.resume):
        raise ConfigurationError("--sync does nothing without --durable DIR: name a folder on a disk")


def _build(target: Target, settings: RunSettings, args: Any) -> Graph:  # noqa: ANN401 - of the class that the target has
    graph = Graph(
        target.module.rpartition(".")[2],
        shutdown_timeout=settings.shutdown_timeout,
        log_level=settings.log_level,
        spare=settings.spare,
    )
    fill(graph, target, args, debug=settings.log_level == "debug")
    return graph


def fill(graph: Topology, target: Target, args: Any, *, debug: bool) -> None:  # noqa: ANN401 - the same
    """Let the target declare its graph; what it raises becomes one line, and the whole of it too for `debug`."""
    try:
        target.build(*((graph,) if target.args is None else (graph, args)))
    except SteadyError:
        raise
    except (Exception, SystemExit) as error:  # one that leaves has declared nothing: that is no run that ended well
        if debug:
            traceback.print_exc()
        raise ConfigurationError(
            f"{target} raised {describe(error)}; `run` with --log-level debug shows the whole of it"
        ) from error


def _block(graph: Graph, settings: RunSettings, words: Sequence[str]) -> Report:
    if not settings.chaos:
        return _wait(_start(graph, settings, words))
    count = LiveCount(_aside(settings))
    run = _start(graph, settings, words, output=count.output)
    monkey = Monkey(run, rate=settings.chaos, freeze=settings.freeze, seed=settings.seed)
    report = _wait(run, monkey, count.show(run, monkey))
    return dataclasses.replace(report, chaos=monkey.report())


def _start(graph: Graph, settings: RunSettings, words: Sequence[str], output: TextIO | None = None) -> Run:
    telemetry = Telemetry(host=settings.host, port=settings.port, token=settings.token) if settings.telemetry else False
    log = LogSettings(
        format=settings.log_format,
        file=settings.log_file,
        file_size=settings.log_file_size,
        file_count=settings.log_file_count,
    )
    notifier = Notifier.of(os.environ)
    graph.beside = again.note(words) if settings.durable else {}
    run = graph.start(
        on_event=notifier,
        telemetry=telemetry,
        output=output,
        log=log,
        durable=settings.durable,
        resume=settings.resume,
        fresh=settings.fresh,
        sync=settings.sync,
        fresh_states=[name.strip() for name in (settings.fresh_state or "").split(",") if name.strip()],
    )
    if notifier and notifier.every:
        run.beat(notifier.pet, notifier.every)
    return run


def _wait(run: Run, *meanwhile: contextlib.AbstractContextManager[object]) -> Report:
    """Wait for the end of a run, inside of all that goes on meanwhile."""
    # What `block_until_stopped` leaves behind when it puts its own handlers away: TERM does nothing any more then.
    _hear_term(lambda *_: run.request_shutdown("SIGTERM received"))
    try:
        with contextlib.ExitStack() as stack:
            for each in meanwhile:
                stack.enter_context(each)
            return run.block_until_stopped()
    except KeyboardInterrupt:  # between the start and the wait, which has a handler of its own
        run.request_shutdown(reason="interrupted")
        return run.block_until_stopped()


def _hear_term(handler: Callable[[int, FrameType | None], None]) -> None:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """End as Ctrl-C does: whatever has started by now is stopped on the way out."""
    raise KeyboardInterrupt


def _aside(settings: RunSettings) -> Terminal | None:
    """Where words for people go while the standard output is for programs: each of its lines is an object then."""
    json = settings.log_format == "json"
    return Terminal(stderr=True, force_terminal=False) if json else None


def _conclude(report: Report, settings: RunSettings) -> int:
    status = int(report.exit_code)
    facts = report.to_dict()
    summary.show(facts, _aside(settings))
    if settings.report:
        try:
            report_file.write(facts, settings.report)
        except OSError as error:
            print(f"steady-mp: {settings.report}: can't write the report: {error.strerror}", file=sys.stderr)
            status = status or ExitCode.UNCLEAN
    return status
