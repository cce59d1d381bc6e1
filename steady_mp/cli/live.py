"""The live count of a run with chaos: how many were killed, and how many messages have arrived all the same."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING, Final, TextIO, cast

from rich.file_proxy import FileProxy
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TimeElapsedColumn
from rich.text import Text

from steady_mp.cli.summary import counted
from steady_mp.cli.view import Terminal
from steady_mp.telemetry.sampler import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from steady_mp import Run
    from steady_mp.chaos import Monkey

#: Seconds between two lines where the output is no terminal.
PAUSE: Final = 5.0


class LiveCount:
    """A line at the bottom of the terminal; a line every few seconds where there is none."""

    def __init__(self, console: Console | None = None, pause: float = PAUSE) -> None:
        """Show nothing yet."""
        self._console = console or Terminal()
        self._pause = pause
        self._moves = self._console.is_terminal and not self._console.is_dumb_terminal

    @property
    def output(self) -> TextIO | None:
        """Where the log must go, so that it scrolls above the line; None for the standard output."""
        return cast("TextIO", FileProxy(self._console, sys.stdout)) if self._moves else None

    @contextlib.contextmanager
    def show(self, run: Run, monkey: Monkey) -> Iterator[None]:
        """Show the count while this is open."""
        try:
            sampler = Sampler(run.directory)
        except (OSError, ValueError):  # the run was over before anybody could look
            yield
            return

        def figures() -> str:
            taken = sum(channel.taken for channel in sampler.sample().channels)
            freezes = f", {counted(monkey.freezes, 'freeze')}" if monkey.freeze else ""
            return f"seed {monkey.seed}: {counted(monkey.kills, 'kill')}{freezes}, {counted(taken, 'message')} taken"

        try:
            with self._line(figures) if self._moves else self._lines(figures):
                yield
        finally:
            sampler.close()

    @contextlib.contextmanager
    def _line(self, figures: Callable[[], str]) -> Iterator[None]:
        columns = (SpinnerColumn(), _Figures(figures), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True, redirect_stdout=False) as progress:
            progress.add_task("chaos", total=None)
            yield

    @contextlib.contextmanager
    def _lines(self, figures: Callable[[], str]) -> Iterator[None]:
        over = threading.Event()
        began = time.monotonic()

        def tell() -> None:
            with contextlib.suppress(OSError):  # a full disk behind `> file`; the run goes on, the summary will say it
                while not over.wait(self._pause):
                    self._console.print(f"after {time.monotonic() - began:.0f} s, {figures()}", soft_wrap=True)

        thread = threading.Thread(target=tell, name="steady-mp live count", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


class _Figures(ProgressColumn):
    """The count, looked up again a few times a second."""

    max_refresh = 0.25

    def __init__(self, figures: Callable[[], str]) -> None:
        super().__init__()
        self._figures = figures

    def render(self, task: Task) -> Text:  # noqa: ARG002 - what rich hands over
        """See `ProgressColumn.render`."""
        return Text(self._figures())
