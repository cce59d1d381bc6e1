"""Two processes and one result: how peers are measured."""

from __future__ import annotations

import contextlib
import multiprocessing
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkServerContext
    from multiprocessing.process import BaseProcess

#: The start method of all peers. Nothing of it is inside the time that is measured.
CONTEXT: Final[ForkServerContext] = multiprocessing.get_context("forkserver")


def _serve(work: Callable[[], object], hold: Connection) -> None:
    """Do the work and stay until the parent lets go: some peers lose what a process sent just before its end."""
    work()
    with contextlib.suppress(EOFError):
        hold.recv()


def _measure(work: Callable[[], object], reply: Connection) -> None:
    reply.send(work())


def run_pair(serve: Callable[[], object], measure: Callable[[], object], patience: float) -> Any:  # noqa: ANN401 - the caller knows what its `measure` returns
    """Run `serve` and `measure` (picklable, without arguments) in a process each; return what `measure` does.

    Raises TimeoutError when that takes more than `patience` seconds, and RuntimeError when a process fails.
    """
    result, reply = CONTEXT.Pipe(duplex=False)
    held, hold = CONTEXT.Pipe(duplex=False)
    measuring = CONTEXT.Process(target=_measure, args=(measure, reply), daemon=True)
    serving = CONTEXT.Process(target=_serve, args=(serve, held), daemon=True)
    try:
        measuring.start()
        serving.start()
        reply.close()
        held.close()
        return _await(result, serving, patience)
    finally:
        hold.close()
        _end(measuring, serving)
        result.close()


def _await(result: Connection, serving: BaseProcess, patience: float) -> object:
    ready = wait([result, serving.sentinel], patience)
    if not ready:
        message = f"no result after {patience:g} s"
        raise TimeoutError(message)
    if result not in ready:
        message = f"the other process ended early, with status {serving.exitcode}"
        raise RuntimeError(message)
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
