"""Restart: from the SIGKILL of a producer at work to the first message of its replacement, at the consumer.

The consumer is the killer too, so that both moments are read from one clock in one process, and nothing
polls: each message is the number of the process that sent it. Some thousand messages after a new life's
first one it is killed in its turn. Back-off between restarts is switched off; it is not what is measured.
"""

from __future__ import annotations

import functools
import importlib.util
import mmap
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.calls import ray_restarts
from benchmarks.experiments.calls import absent
from benchmarks.figures import MILLISECONDS
from benchmarks.kinds import warm_spare
from benchmarks.pair import CONTEXT, run_alone
from benchmarks.race import Contestant, Race
from benchmarks.standings import Question, Sample
from benchmarks.steady import run_graph, state_of
from benchmarks.victims import keep, send_pid, victim
from steady_mp import Actor, Graph, RestartPolicy, Rx, SteadyState

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from benchmarks.experiment import Effort, Experiment

_CAPACITY = 64
#: Seconds that Ray may take to start, to be killed, and to end.
_PATIENCE = 120.0
#: Messages of a life before it is killed: at least the first, at most the second.
_CALM = (2_000, 8_000)
#: Seconds of one that sends none.
_LIVES = (0.01, 0.03)
_BASELINE = "multiprocessing.Process"
_AT_ONCE = RestartPolicy(threshold=float("inf"), backoff=0.0, max_backoff=0.0, jitter=0.0)


@dataclass
class Restarts:
    """What the killer knows."""

    kills: int
    #: The life at work: its process, and how many messages it may still send.
    pid: int = 0
    calm: int = 0
    #: When it was killed.
    killed_ns: int = 0
    nanoseconds: list[int] = field(default_factory=list)

    def saw(self, pid: int) -> bool:
        """Take a message from process `pid`; kill it when its time has come. Tell whether it is all over."""
        if pid != self.pid:
            if self.pid:
                self.nanoseconds.append(time.perf_counter_ns() - self.killed_ns)
            self.pid = pid
            self.calm = random.randint(*_CALM)  # noqa: S311 - when to kill
        elif self.calm and len(self.nanoseconds) < self.kills:
            self.calm -= 1
            if not self.calm:
                self.killed_ns = time.perf_counter_ns()
                os.kill(pid, signal.SIGKILL)
        return len(self.nanoseconds) >= self.kills


# Ours


def killer(actor: Actor, rx: Rx[int], state: SteadyState[Restarts], kills: int) -> None:
    """Kill whoever sends; go home after so many times."""
    restarts = state.acquire(lambda: Restarts(kills))
    while actor.is_running():
        if restarts.saw(rx.take()):
            actor.request_shutdown()


class _Numpy(Contestant):
    """A contestant whose victim has imported numpy."""

    def missing(self) -> str | None:
        """See `Contestant.missing`."""
        found = importlib.util.find_spec("numpy") is not None
        return None if found else "numpy is not installed (pip install '.[bench]')"


class _Steady(_Numpy):
    name = "steady-mp"
    note = "from the last commit, with state; no spare"
    ours = True

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        kills = effort.kills_a_round
        graph = Graph("bench", log_level="error", **self.settings())
        tx, rx = graph.channel(capacity=_CAPACITY)
        graph.actor("victim", victim, tx, graph.state(), restart=_AT_ONCE)
        graph.actor("killer", killer, rx, graph.state(), kills)
        restarts = Restarts(**state_of(run_graph(graph, effort.patience), "killer"))
        return [Sample(nanoseconds / 1e9) for nanoseconds in restarts.nanoseconds]

    def settings(self) -> dict[str, Any]:
        """Return what the graph is declared with beside that."""
        return warm_spare(wanted=False) or {}


class _Spare(_Steady):
    name = "steady-mp, warm spare"
    note = (
        "default settings, but for the pause between restarts, of which there is none here: a forked process that has "
        "loaded everything waits for the role"
    )

    def missing(self) -> str | None:
        """See `Contestant.missing`."""
        return super().missing() or ("this steady-mp has no warm spare" if warm_spare(wanted=True) is None else None)

    def settings(self) -> dict[str, Any]:
        """See `_Steady.settings`."""
        return warm_spare(wanted=True) or {}


# By hand


class _Life:
    """One life of a producer that somebody watches by hand: its process, and a pipe of its own."""

    def __init__(self) -> None:
        self.reader, writer = CONTEXT.Pipe(duplex=False)
        self.process = CONTEXT.Process(target=send_pid, args=(writer,), daemon=True)
        self.process.start()
        writer.close()

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.reader.close()


class _ByHand(_Numpy):
    """What a program does that watches its worker itself. What was in the pipe is lost."""

    name = _BASELINE
    note = "forkserver, watched and started again by hand; loses what was in the pipe"

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        restarts = Restarts(effort.kills_a_round)
        life = _Life()
        try:
            while True:
                ready = wait([life.reader, life.process.sentinel], effort.patience)
                if not ready:
                    message = f"no message and no death in {effort.patience:g} s"
                    raise TimeoutError(message)
                if life.process.sentinel in ready:
                    life.end()
                    life = _Life()
                elif restarts.saw(life.reader.recv()):
                    break
        finally:
            life.end()
        return [Sample(nanoseconds / 1e9) for nanoseconds in restarts.nanoseconds]


class _Floor(_Numpy):
    """What is left when nothing is found out, mended or remembered."""

    name = "floor: ready process"
    note = (
        "no peer: the parent of a bare process waits for its end and writes a byte to a ready one, which stores its "
        "number in shared memory and wakes the reader; nothing is mended or decided"
    )
    floor = True

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        nanoseconds = []
        with tempfile.TemporaryDirectory(prefix="steady-mp-bench-") as folder:
            path = Path(folder) / "memory"
            path.write_bytes(bytes(mmap.PAGESIZE))
            bell, there = CONTEXT.Pipe(duplex=False)
            keeper = CONTEXT.Process(target=keep, args=(path, there), daemon=True)
            keeper.start()
            there.close()
            with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
                try:
                    _ring(bell, effort.patience)
                    for _ in range(effort.kills_a_round):
                        time.sleep(random.uniform(*_LIVES))  # noqa: S311 - when to kill
                        killed_ns = time.perf_counter_ns()
                        os.kill(int.from_bytes(memory[:8], sys.byteorder), signal.SIGKILL)
                        _ring(bell, effort.patience)
                        nanoseconds.append(time.perf_counter_ns() - killed_ns)
                finally:
                    keeper.kill()
                    keeper.join()
                    bell.close()
        return [Sample(each / 1e9) for each in nanoseconds]


def _ring(bell: Connection, patience: float) -> None:
    """Wait until a worker has stored its number."""
    if not bell.poll(patience):
        message = f"no message in {patience:g} s"
        raise TimeoutError(message)
    os.read(bell.fileno(), 1)


class _Ray(Contestant):
    """Its first answer in the place of a first message. A few kills in the first round, for it starts slowly."""

    name = "Ray actor"
    note = "to the first answer of the replacement, without state; few kills"

    def __init__(self) -> None:
        self._over = False

    def missing(self) -> str | None:
        """See `Contestant.missing`."""
        return absent("ray")

    def measure(self, effort: Effort) -> list[Sample]:
        """See `Contestant.measure`."""
        if self._over:
            return []
        self._over = True
        work = functools.partial(ray_restarts, effort.few_kills)
        return [Sample(nanoseconds / 1e9) for nanoseconds in run_alone(work, _PATIENCE)]


def experiments() -> list[Experiment]:
    """See `benchmarks.experiment.discover`."""
    return [
        Race(
            Question(
                name="restart",
                title="SIGKILL of a producer at work (numpy imported) to the first message of its replacement",
                unit=MILLISECONDS,
                baseline=_BASELINE,
            ),
            [_Steady(), _Spare(), _ByHand(), _Floor(), _Ray()],
        )
    ]
