"""The thread of a run's supervisor, and by it the runs of this process: for sessions, where a run's name gets lost."""

from __future__ import annotations

import contextlib
import errno
import threading
from typing import TYPE_CHECKING

from steady_mp.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steady_mp.supervisor.run import Run


@contextlib.contextmanager
def within_limits() -> Iterator[None]:
    """Start what a run has in this process. Raises StartError where the system refuses a thread, or memory for it."""
    try:
        yield
    except RuntimeError as error:  # Python says no more, and has no class for it
        if "start new thread" not in str(error):
            raise
        raise StartError(f"{error}: raise the limit (ulimit -u, ulimit -v, pids of the container)") from error
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        raise StartError(f"{error.strerror}: raise the limit (ulimit -v), or free some memory") from error


class SupervisorThread(threading.Thread):
    """The thread of one run's supervisor. While it lives, whoever has lost the run finds it here."""

    def __init__(self, run: Run, graph: str, supervise: Callable[[], None], over: Callable[[], bool]) -> None:
        """Make the thread; `start` starts it. `over` tells whether the run has ended."""
        super().__init__(target=supervise, name="steady-mp supervisor", daemon=True)
        self._live_run = run
        self._over = over
        self.graph = graph
        self._claimed = threading.Lock()

    def claim(self) -> bool:
        """Take what is the thread's to do, once: it does that first, and so does whoever could not start it.

        Who gets it ends the run. `start` may raise though the thread is there: a signal's handler may.
        """
        return self._claimed.acquire(blocking=False)

    def run(self) -> None:
        """Supervise, unless somebody has given up on it."""
        if self.claim():
            super().run()

    @property
    def live_run(self) -> Run | None:
        """The run; None once it is over, though this thread may have a moment to go."""
        return None if self._over() else self._live_run

    @property
    def is_this(self) -> bool:
        """Whether it is the one that asks."""
        return threading.current_thread() is self


def run_here(graph: str) -> Run | None:
    """Return the run of a graph of that name in this process, the latest of several; None where none runs."""
    threads = [each for each in threading.enumerate() if isinstance(each, SupervisorThread) and each.graph == graph]
    return next((run for thread in reversed(threads) if (run := thread.live_run) is not None), None)
