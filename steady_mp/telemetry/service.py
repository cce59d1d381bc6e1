"""The service: samples one run at its pace on a thread, and hands out what it knows, in each form once a sample."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

from steady_mp.telemetry.board import Board
from steady_mp.telemetry.state import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from steady_mp.events import Event
    from steady_mp.telemetry.prometheus import Exposition
    from steady_mp.telemetry.sampler import Sampler

#: Seconds after which a sample is old, at the least; and how many refreshes that is.
_STALE_SECONDS = 2.0
_STALE_REFRESHES = 3


class Service:
    """What the server, the metrics and the drawings ask. Safe to use from any thread."""

    def __init__(
        self,
        sampler: Sampler,
        on_change: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Serve what `sampler` sees; `on_change` is told of each alert that changes."""
        self._sampler = sampler
        self._board = Board(sampler.plan)
        self._on_change = on_change
        self._clock = clock
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._made: dict[str, bytes] = {}
        self._exposition: Exposition | None = None
        self._drawing = threading.Lock()
        self._drawn = (b"", b"")
        self._thread: threading.Thread | None = None

    def refresh(self) -> None:
        """Take one sample."""
        sample = self._sampler.sample()
        with self._lock:
            changes = self._board.update(sample)
            self._made.clear()
        for change in changes:
            self._on_change(change)

    def start(self) -> None:
        """Sample once, then go on in the background."""
        self.refresh()
        self._thread = threading.Thread(target=self._run, name="steady-mp sampler", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        # One beat after the other at the pace that was asked for, however long a look takes; none is caught up on.
        due = self._clock()
        while True:
            due = max(due + self._board.plan.refresh, self._clock())
            if self._stopping.wait(max(0.0, due - self._clock())):
                return
            self.refresh()

    def stop(self) -> None:
        """Stop sampling, and unmap the run."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._sampler.close()

    # What it knows

    @property
    def age(self) -> float:
        """Seconds since the last sample."""
        sample = self._board.sample
        return float("inf") if sample is None else max(0.0, self._clock() - sample.at)

    @property
    def is_supervised(self) -> bool:
        """Tell whether the supervisor was there at the last look."""
        sample = self._board.sample
        return sample is None or sample.supervised

    @property
    def is_live(self) -> bool:
        """Tell whether the supervisor is there and the last sample is fresh."""
        sample = self._board.sample
        fresh = self.age <= max(_STALE_SECONDS, _STALE_REFRESHES * self._board.plan.refresh)
        return sample is not None and sample.supervised and fresh

    def not_ready(self) -> list[str]:
        """Return why the run can't be relied on; empty when it can."""
        with self._lock:
            reasons = self._board.not_ready()
        return reasons if self.is_live or reasons else ["the last look at the run is too long ago"]

    def state(self) -> bytes:
        """Return the run as JSON, with the age of the data as of now."""
        head = json.dumps({"age": round(min(self.age, 1e9), 3), "live": self.is_live})
        return head[:-1].encode() + b", " + self._once("state", _as_json)[1:]

    def metrics(self) -> bytes:
        """Return the run in Prometheus's text format."""
        from steady_mp.telemetry.prometheus import Exposition  # noqa: PLC0415 - Prometheus may never ask

        if self._exposition is None:
            self._exposition = Exposition(self._board)
        exposition = self._exposition
        return self._once("metrics", lambda _: exposition.text())

    def dot(self) -> bytes:
        """Return the live graph as DOT."""
        from steady_mp.telemetry.dot import draw  # noqa: PLC0415

        return self._once("dot", lambda board: draw(board).encode())

    def svg(self) -> bytes:
        """Return the live graph as SVG."""
        from steady_mp.telemetry.svg import render  # noqa: PLC0415

        dot = self.dot()
        # Under a lock of its own: the layout of a big graph takes a while, and nobody else has to wait for it.
        with self._drawing:
            if self._drawn[0] != dot:
                self._drawn = (dot, render(dot.decode()))
            return self._drawn[1]

    def _once(self, name: str, make: Callable[[Board], bytes]) -> bytes:
        """Make one form of the last sample, unless it was made already."""
        with self._lock:
            if name not in self._made:
                self._made[name] = make(self._board)
            return self._made[name]


def _as_json(board: Board) -> bytes:
    return json.dumps(describe(board), separators=(",", ":")).encode()
