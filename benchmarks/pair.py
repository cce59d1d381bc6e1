"""Two processes and one result: how peers are measured. Or one process, for what brings its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkServerContext
    from multiprocessing.process import BaseProcess

#: The start method of all peers. Nothing of it is inside the time that is measured.
CONTEXT: Final[ForkServerContext] = multiprocessing.get_context("forkserver")


def _serve(work: Callable[[], object], hold: Connection) -> None:
    """Do the work and stay until the parent lets go: some peers lose what a process sent just before its end."""
    hold.send(work())
    with contextlib.suppress(
        EOFError, ConnectionResetError
    ):  # the latter where it has failed, and nobody wants the result
        hold.recv()


def _measure(work: Callable[[], object], reply: Connection) -> None:
    reply.send(work())


def run_pair(serve: Callable[[], object], measure: Callable[[], object], patience: float) -> tuple[Any, Any]:
    """Run both (picklable, without arguments) in a process each; return what `measure` and `serve` return.

    Raises TimeoutError when that takes more than `patience` seconds, and RuntimeError when a process fails.
    """
    result, reply = CONTEXT.Pipe(duplex=False)
    held, hold = CONTEXT.Pipe()
    measuring = CONTEXT.Process(target=_measure, args=(measure, reply), daemon=True)
    serving = CONTEXT.Process(target=_serve, args=(serve, held), daemon=True)
    try:
        measuring.start()
        serving.start()
        reply.close()
        held.close()
        measured = _await(result, serving, patience)
        return measured, _await(hold, serving, patience)
    finally:
        hold.close()
        _end(measuring, serving)
        result.close()


def _measure_quietly(work: Callable[[], object], reply: Connection) -> None:
    """Do the work without a word: what brings processes of its own likes to talk."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    try:
        reply.send((work(), None))
    except Exception as error:  # noqa: BLE001 - the parent says it
        reply.send((None, f"{type(error).__name__}: {error}".partition("\n")[0]))


def run_alone(work: Callable[[], object], patience: float) -> Any:  # noqa: ANN401 - the caller knows what its `work` returns
    """Run `work` (picklable, without arguments) in a process of its own, and return what it returns.

    Raises TimeoutError when that takes more than `patience` seconds, and RuntimeError when it fails. All
    processes that it has started are gone afterwards.
    """
    result, reply = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_measure_quietly, args=(work, reply))
    descendants: list[psutil.Process] = []
    try:
        process.start()
        reply.close()
        if not result.poll(patience):
            message = f"no result after {patience:g} s"
            raise TimeoutError(message)
        found, error = _receive(result)
    finally:
        with contextlib.suppress(psutil.Error):
            descendants = psutil.Process(process.pid).children(recursive=True)
        _end(process)
        for one in descendants:
            with contextlib.suppress(psutil.Error):
                one.kill()
        result.close()
    if error is not None:
        raise RuntimeError(error)
    return found


def _await(result: Connection, serving: BaseProcess, patience: float) -> object:
    ready = wait([result, serving.sentinel], patience)
    if not ready:
        message = f"no result after {patience:g} s"
        raise TimeoutError(message)
    if result not in ready:
        message = f"the other process ended early, with status {serving.exitcode}"
        raise RuntimeError(message)
    return _receive(result)


def _receive(result: Connection) -> Any:  # noqa: ANN401 - whatever was sent
    try:
        return result.recv()
    except EOFError:
        message = "the measuring process failed"
        raise RuntimeError(message) from None


def _end(*processes: BaseProcess) -> None:
    for process in processes:
        if process.pid is not None:
            process.join(1.0)
            process.kill()
            process.join()
